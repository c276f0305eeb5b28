/// The orders of a book's copy, each level's hung together in priority; places of orders that are gone are used again.
struct BookOrderPool: Sendable {
  struct Entry: Sendable {
    var order: BookOrder
    var previous: UInt32 = 0
    var next: UInt32 = 0
  }

  /// Place 0 is nobody's.
  private var entries = [Entry(order: BookOrder(side: .buy, price: .zero, number: 0, lots: .zero))]
  /// First unused place; they hang together by `next`.
  private var unused: UInt32 = 0

  subscript(place: UInt32) -> Entry { entries[Int(place)] }
  /// False when no place is left for another order.
  var hasRoom: Bool { unused != 0 || entries.count < UInt32.max }

  /// Puts an order last at its price and returns its place.
  mutating func append(_ order: BookOrder, to side: inout BookSideCopy) -> UInt32 {
    let place = unused != 0 ? unused : UInt32(entries.count)
    let level = side.openPlace(of: order.price)
    let entry = Entry(order: order, previous: side[level].last)
    if unused == 0 {
      entries.append(entry)
    } else {
      unused = entries[Int(place)].next
      entries[Int(place)] = entry
    }
    if entry.previous == 0 { side[level].first = place } else { entries[Int(entry.previous)].next = place }
    side[level].last = place
    side[level].orders += 1
    side[level].lots = side[level].lots + order.lots
    return place
  }

  /// Leaves an order with fewer lots; with none it goes, and its level too if it was the last one there.
  mutating func shrink(_ place: UInt32, to lots: Lots, in side: inout BookSideCopy) {
    let entry = entries[Int(place)]
    guard let level = side.place(of: entry.order.price) else { return }
    side[level].lots = side[level].lots - (entry.order.lots - lots)
    entries[Int(place)].order.lots = lots
    guard lots == .zero else { return }
    if entry.previous == 0 { side[level].first = entry.next } else { entries[Int(entry.previous)].next = entry.next }
    if entry.next == 0 { side[level].last = entry.previous } else { entries[Int(entry.next)].previous = entry.previous }
    side[level].orders -= 1
    if side[level].orders == 0 { side.remove(at: level) }
    entries[Int(place)].next = unused
    unused = place
  }
}
