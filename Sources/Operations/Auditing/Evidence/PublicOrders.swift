import Market

/// The resting orders of one shard by their public numbers, as its book changes tell them: who stands where, and who
/// comes first at each price.
///
/// A level's queue holds numbers; one whose order has gone is skipped when it comes up.
struct PublicOrders {
  struct Entry {
    var instrument: InstrumentID
    var side: Side
    var price: Price
    /// Lots that it shows.
    var lots: Int64
    /// Whose it is; `nil` while nothing has told.
    var owner: OrderID?
  }

  private struct Level {
    var price: Price
    var queue: [UInt64] = []
    var head = 0
  }
  private struct Ladder: Hashable {
    var instrument: InstrumentID
    var side: Side
  }

  private var orders: [UInt64: Entry] = [:]
  /// Levels of one side, the best last.
  private var ladders: [Ladder: [Level]] = [:]

  subscript(number: UInt64) -> Entry? { orders[number] }

  /// Puts an order last at its price.
  mutating func add(_ number: UInt64, _ entry: Entry) {
    orders[number] = entry
    let ladder = Ladder(instrument: entry.instrument, side: entry.side)
    var levels = ladders.removeValue(forKey: ladder) ?? []
    let place = Self.place(of: entry.price, in: levels, entry.side)
    if place == levels.count || levels[place].price != entry.price {
      levels.insert(Level(price: entry.price), at: place)
    }
    levels[place].queue.append(number)
    ladders[ladder] = levels
  }

  /// Leaves an order with so many lots; none, and it is gone.
  mutating func setLots(_ number: UInt64, _ lots: Int64) {
    if lots > 0 { orders[number]?.lots = lots } else { orders[number] = nil }
  }
  mutating func setOwner(_ number: UInt64, _ owner: OrderID) { orders[number]?.owner = owner }

  /// Whose turn it is on a side; `nil` when nothing rests there.
  mutating func first(_ instrument: InstrumentID, _ side: Side) -> (number: UInt64, entry: Entry)? {
    let ladder = Ladder(instrument: instrument, side: side)
    guard var levels = ladders.removeValue(forKey: ladder) else { return nil }
    defer { ladders[ladder] = levels }
    while !levels.isEmpty {
      let last = levels.count - 1
      while levels[last].head < levels[last].queue.count {
        let number = levels[last].queue[levels[last].head]
        if let entry = orders[number] { return (number, entry) }
        levels[last].head += 1
      }
      levels.removeLast()
    }
    return nil
  }

  /// Drops the numbers of orders that are gone, wherever they stand.
  mutating func compact() {
    for ladder in ladders.keys {
      var levels = ladders.removeValue(forKey: ladder) ?? []
      for place in levels.indices {
        levels[place].queue.removeAll { orders[$0] == nil }
        levels[place].head = 0
      }
      levels.removeAll { $0.queue.isEmpty }
      ladders[ladder] = levels
    }
  }

  /// Bids ascend, asks descend: the best is the last.
  private static func place(of price: Price, in levels: [Level], _ side: Side) -> Int {
    var low = 0
    var high = levels.count
    while low < high {
      let middle = (low + high) / 2
      let isBefore = side == .buy ? levels[middle].price < price : levels[middle].price > price
      if isBefore { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
