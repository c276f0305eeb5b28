import Market

/// Orders at one price: first in, first out.
struct Level: BitwiseCopyable {
  var first: Slot
  var last: Slot
  /// Σ shown lots.
  var lots: Int64
}

/// One side of a book: a ladder of 2^22 levels addressed by *rank*, where a higher rank trades first on either side,
/// and a 64-ary tree of bits that finds the next occupied one in at most seven loads.
///
/// ```
/// levels  [2^22] of 16 B │ bits: leaf 2^16 words, then 2^10, 2^4, 1
/// ```
///
/// The memory is the book set's; it is mapped with the side's first order.
struct BookSide: BitwiseCopyable {
  static let span: UInt32 = 1 << 22
  static let byteCount = Int(span) * MemoryLayout<Level>.stride + (wordCount * 8 + 63) / 64 * 64
  private static let second = 1 << 16
  private static let third = second + 1 << 10
  private static let top = third + 1 << 4
  private static let wordCount = top + 1

  /// `nil` until something rests on the side.
  private var memory: UnsafeMutableRawPointer?
  /// Rank of the best occupied level, or −1.
  private(set) var best: Int32 = -1

  init() {}

  var isMapped: Bool { memory != nil }
  mutating func map(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

  @inline(__always) private var levels: UnsafeMutablePointer<Level> {
    memory.unsafelyUnwrapped.assumingMemoryBound(to: Level.self)
  }
  @inline(__always) private var words: UnsafeMutablePointer<UInt64> {
    (memory.unsafelyUnwrapped + Int(Self.span) &* MemoryLayout<Level>.stride).assumingMemoryBound(to: UInt64.self)
  }

  @inline(__always) static func rank(_ side: Side, _ tick: Int64) -> UInt32 {
    let tick = UInt32(truncatingIfNeeded: tick)
    return side == .buy ? tick : mirrored(tick)
  }
  @inline(__always) static func tick(_ side: Side, _ rank: UInt32) -> Int64 {
    Int64(side == .buy ? rank : mirrored(rank))
  }
  /// The rank that the other side gives to the same tick: `span` − 1 − rank.
  @inline(__always) static func mirrored(_ rank: UInt32) -> UInt32 { rank ^ (span &- 1) }

  /// The level; the side must be mapped.
  @inline(__always) func level(_ rank: UInt32) -> UnsafeMutablePointer<Level> { levels + Int(rank) }
  /// Lots shown at the rank, also while nothing ever rested there.
  @inline(__always) func lots(_ rank: UInt32) -> Int64 { isMapped ? level(rank).pointee.lots : 0 }
  /// The first order at the best level; there must be one.
  @inline(__always) var firstOrder: Slot { levels[Int(best)].first }

  /// Puts the order last at its level.
  @inline(__always) mutating func append(_ slot: Slot, _ orders: UnsafeMutablePointer<RestingOrder>) {
    append(slot, orders, rank: orders[Int(slot)].rank, lots: orders[Int(slot)].lots)
  }
  @inline(__always) mutating func append(
    _ slot: Slot, _ orders: UnsafeMutablePointer<RestingOrder>, rank: UInt32, lots: Int64
  ) {
    let order = orders + Int(slot)
    let level = levels + Int(rank)
    let last = level.pointee.last
    order.pointee.previous = last
    order.pointee.next = 0
    level.pointee.last = slot
    level.pointee.lots &+= lots
    if last != 0 {
      orders[Int(last)].next = slot
      return
    }
    level.pointee.first = slot
    insert(rank)
    if Int32(bitPattern: rank) > best { best = Int32(bitPattern: rank) }
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

  /// Takes the order, with the lots it still shows, out of its level.
  @inline(__always) mutating func unlink(_ slot: Slot, _ orders: UnsafeMutablePointer<RestingOrder>) {
    unlink(orders + Int(slot), orders)
  }
  @inline(__always) mutating func unlink(
    _ order: UnsafeMutablePointer<RestingOrder>, _ orders: UnsafeMutablePointer<RestingOrder>
  ) {
    let rank = order.pointee.rank
    let level = levels + Int(rank)
    let previous = order.pointee.previous
    let next = order.pointee.next
    level.pointee.lots &-= order.pointee.lots
    if previous == 0 { level.pointee.first = next } else { orders[Int(previous)].next = next }
    if next == 0 { level.pointee.last = previous } else { orders[Int(next)].previous = previous }
    if previous | next == 0 {
      remove(rank)
      if Int32(bitPattern: rank) == best { best = highest(below: rank) }
    }
  }

  /// The next occupied rank below, or −1.
  @inline(never) func highest(below rank: UInt32) -> Int32 {
    guard isMapped else { return -1 }
    var place = Int(rank)
    if let found = Self.last(words[place >> 6], below: place) { return Int32(found) }
    place >>= 6
    if let found = Self.last(words[Self.second + place >> 6], below: place) { return descend(found, 0) }
    place >>= 6
    if let found = Self.last(words[Self.third + place >> 6], below: place) {
      return descend(descended(found, Self.second), 0)
    }
    place >>= 6
    if let found = Self.last(words[Self.top], below: place) {
      return descend(descended(descended(found, Self.third), Self.second), 0)
    }
    return -1
  }

  /// The highest set bit of `word` below `place`, as a place of the same tier.
  @inline(__always) private static func last(_ word: UInt64, below place: Int) -> Int? {
    let lower = word & ((1 &<< UInt64(truncatingIfNeeded: place & 63)) &- 1)
    return lower == 0 ? nil : place & ~63 | (63 - lower.leadingZeroBitCount)
  }
  /// The highest place that an occupied word of the tier above stands for.
  @inline(__always) private func descended(_ place: Int, _ tier: Int) -> Int {
    place << 6 | (63 - words[tier + place].leadingZeroBitCount)
  }
  @inline(__always) private func descend(_ place: Int, _ tier: Int) -> Int32 {
    Int32(truncatingIfNeeded: descended(place, tier))
  }

  @inline(__always) private func insert(_ rank: UInt32) {
    let place = Int(rank)
    if !set(place >> 6, place) { insertAbove(place >> 6) }
  }
  @inline(never) private func insertAbove(_ place: Int) {
    if set(Self.second + place >> 6, place) { return }
    if set(Self.third + place >> 12, place >> 6) { return }
    _ = set(Self.top, place >> 12)
  }
  @inline(__always) private func remove(_ rank: UInt32) {
    let place = Int(rank)
    if !clear(place >> 6, place) { removeAbove(place >> 6) }
  }
  @inline(never) private func removeAbove(_ place: Int) {
    if clear(Self.second + place >> 6, place) { return }
    if clear(Self.third + place >> 12, place >> 6) { return }
    _ = clear(Self.top, place >> 12)
  }
  /// Sets a bit and tells whether its word was occupied before.
  @inline(__always) private func set(_ word: Int, _ place: Int) -> Bool {
    let before = words[word]
    words[word] = before | 1 &<< UInt64(truncatingIfNeeded: place)
    return before != 0
  }
  /// Clears a bit and tells whether its word is still occupied.
  @inline(__always) private func clear(_ word: Int, _ place: Int) -> Bool {
    let after = words[word] & ~(1 &<< UInt64(truncatingIfNeeded: place))
    words[word] = after
    return after != 0
  }
}
