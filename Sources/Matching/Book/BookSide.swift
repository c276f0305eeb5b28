import Market

/// Orders at one price: first in, first out.
struct Level: BitwiseCopyable {
  var first: Slot
  var last: Slot
  /// Σ open lots.
  var lots: Int64
}

/// One side of a book: a ladder of 2^22 levels addressed by *rank*, where a higher rank trades first on either side,
/// and a 64-ary tree of bits that finds the next occupied one in at most seven loads.
///
/// ```
/// levels  [2^22] of 16 B │ bits: leaf 2^16 words, then 2^10, 2^4, 1
/// ```
///
/// The memory is the book's (see `Book`); it is mapped with the side's first order.
struct BookSide: BitwiseCopyable {
  static let span: UInt32 = 1 << 22
  static let byteCount = Int(span) * MemoryLayout<Level>.stride + (wordCount * 8 + 63) / 64 * 64
  private static let second = 1 << 16
  private static let third = second + 1 << 10
  private static let top = third + 1 << 4
  private static let wordCount = top + 1

  private let levels: UnsafeMutablePointer<Level>
  private let words: UnsafeMutablePointer<UInt64>
  /// Rank of the best occupied level, or −1.
  private(set) var best: Int32 = -1

  init(_ memory: UnsafeMutableRawPointer) {
    levels = memory.bindMemory(to: Level.self, capacity: Int(Self.span))
    words = (memory + Int(Self.span) * MemoryLayout<Level>.stride).bindMemory(
      to: UInt64.self, capacity: Self.wordCount)
  }

  @inline(__always) static func rank(_ side: Side, _ tick: Int64) -> UInt32 {
    let tick = UInt32(truncatingIfNeeded: tick)
    return side == .buy ? tick : span &- 1 &- tick
  }
  @inline(__always) static func tick(_ side: Side, _ rank: UInt32) -> Int64 {
    Int64(side == .buy ? rank : span &- 1 &- rank)
  }

  @inline(__always) subscript(rank: UInt32) -> Level { levels[Int(rank)] }
  @inline(__always) func level(_ rank: UInt32) -> UnsafeMutablePointer<Level> { levels + Int(rank) }

  /// Puts the order last at its level.
  @inline(__always) mutating func append(_ slot: Slot, _ orders: UnsafeMutablePointer<RestingOrder>) {
    let order = orders + Int(slot)
    let rank = order.pointee.rank
    let level = levels + Int(rank)
    let last = level.pointee.last
    order.pointee.previous = last
    order.pointee.next = 0
    if last == 0 {
      level.pointee.first = slot
      insert(rank)
      if Int32(bitPattern: rank) > best { best = Int32(bitPattern: rank) }
    } else {
      orders[Int(last)].next = slot
    }
    level.pointee.last = slot
    level.pointee.lots &+= order.pointee.lots
  }

  #if NOVATION_PLANT
    /// Puts the order first at its level, out of priority.
    mutating func prepend(_ slot: Slot, _ orders: UnsafeMutablePointer<RestingOrder>) {
      let level = levels + Int(orders[Int(slot)].rank)
      let first = level.pointee.first
      if first == 0 { return append(slot, orders) }
      orders[Int(slot)].previous = 0
      orders[Int(slot)].next = first
      orders[Int(first)].previous = slot
      level.pointee.first = slot
      level.pointee.lots &+= orders[Int(slot)].lots
    }
  #endif

  /// Takes the order, with the lots it still has, out of its level.
  @inline(__always) mutating func unlink(_ slot: Slot, _ orders: UnsafeMutablePointer<RestingOrder>) {
    let order = orders + Int(slot)
    let rank = order.pointee.rank
    let level = levels + Int(rank)
    let previous = order.pointee.previous
    let next = order.pointee.next
    if previous == 0 { level.pointee.first = next } else { orders[Int(previous)].next = next }
    if next == 0 { level.pointee.last = previous } else { orders[Int(next)].previous = previous }
    level.pointee.lots &-= order.pointee.lots
    if level.pointee.first == 0 {
      remove(rank)
      if Int32(bitPattern: rank) == best { best = highest(below: rank) }
    }
  }

  /// The next occupied rank below, or −1.
  func highest(below rank: UInt32) -> Int32 {
    var place = Int(rank)
    var level = 0
    for start in [0, Self.second, Self.third, Self.top] {
      let word = words[start + place >> 6] & ((1 << UInt64(place & 63)) &- 1)
      if word != 0 {
        place = place & ~63 | (63 - word.leadingZeroBitCount)
        break
      }
      place >>= 6
      level += 1
    }
    if level == 4 { return -1 }
    let starts = (0, Self.second, Self.third)
    if level == 3 { place = place << 6 | (63 - words[starts.2 + place].leadingZeroBitCount) }
    if level >= 2 { place = place << 6 | (63 - words[starts.1 + place].leadingZeroBitCount) }
    if level >= 1 { place = place << 6 | (63 - words[starts.0 + place].leadingZeroBitCount) }
    return Int32(place)
  }

  @inline(__always) private func insert(_ rank: UInt32) {
    var place = Int(rank)
    if set(place >> 6, place) { return }
    place >>= 6
    if set(Self.second + place >> 6, place) { return }
    place >>= 6
    if set(Self.third + place >> 6, place) { return }
    place >>= 6
    _ = set(Self.top, place)
  }
  @inline(__always) private func remove(_ rank: UInt32) {
    var place = Int(rank)
    if clear(place >> 6, place) { return }
    place >>= 6
    if clear(Self.second + place >> 6, place) { return }
    place >>= 6
    if clear(Self.third + place >> 6, place) { return }
    place >>= 6
    _ = clear(Self.top, place)
  }
  /// Sets a bit and tells whether its word was occupied before.
  @inline(__always) private func set(_ word: Int, _ place: Int) -> Bool {
    let before = words[word]
    words[word] = before | 1 << UInt64(place & 63)
    return before != 0
  }
  /// Clears a bit and tells whether its word is still occupied.
  @inline(__always) private func clear(_ word: Int, _ place: Int) -> Bool {
    words[word] &= ~(1 << UInt64(place & 63))
    return words[word] != 0
  }
}
