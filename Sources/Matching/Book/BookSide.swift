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
/// top 1 word │ third tier 2^4 words │ second tier 2^10 words │ 2^16 blocks: leaf word, pad to 64 B, 64 levels of 16 B
/// ```
///
/// Only touched pages are committed, and what a nearly empty side touches lies on few of them: a level beside its leaf
/// word, the upper tiers together. The memory is the book set's; it is mapped with the side's first order.
struct BookSide: BitwiseCopyable {
  static let span: UInt32 = 1 << 22
  static let byteCount = blocks + Int(span) / 64 * blockBytes
  /// In words.
  private static let third = 1
  private static let second = third + 1 << 4
  /// In bytes.
  private static let blocks = ((second + 1 << 10) * 8 + 63) / 64 * 64
  private static let blockBytes = 64 + 64 * MemoryLayout<Level>.stride

  /// `nil` until something rests on the side.
  private var memory: UnsafeMutableRawPointer?
  /// Rank of the best occupied level, or −1.
  private(set) var best: Int32 = -1

  init() {}

  var isMapped: Bool { memory != nil }
  mutating func map(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

  /// The words of the upper tiers.
  @inline(__always) private var words: UnsafeMutablePointer<UInt64> {
    memory.unsafelyUnwrapped.assumingMemoryBound(to: UInt64.self)
  }
  @inline(__always) private func leaf(_ place: Int) -> UnsafeMutablePointer<UInt64> {
    (memory.unsafelyUnwrapped + (Self.blocks &+ place &* Self.blockBytes)).assumingMemoryBound(to: UInt64.self)
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
  @inline(__always) func level(_ rank: UInt32) -> UnsafeMutablePointer<Level> {
    let rank = Int(rank)
    return
      (memory.unsafelyUnwrapped
      + (Self.blocks &+ 64 &+ (rank >> 6) &* Self.blockBytes &+ (rank & 63) &* MemoryLayout<Level>.stride))
      .assumingMemoryBound(to: Level.self)
  }
  /// Lots shown at the rank, also while nothing ever rested there.
  @inline(__always) func lots(_ rank: UInt32) -> Int64 { isMapped ? level(rank).pointee.lots : 0 }
  /// The first order at the best level; there must be one.
  @inline(__always) var firstOrder: Slot { level(UInt32(bitPattern: best)).pointee.first }

  /// Puts the order last at its level.
  @inline(__always) mutating func append(_ slot: Slot, _ orders: UnsafeMutablePointer<RestingOrder>) {
    append(slot, orders, rank: orders[Int(slot)].rank, lots: orders[Int(slot)].lots)
  }
  @inline(__always) mutating func append(
    _ slot: Slot, _ orders: UnsafeMutablePointer<RestingOrder>, rank: UInt32, lots: Int64
  ) {
    let order = orders + Int(slot)
    order.pointee.previous = append(slot, orders, to: level(rank), rank, lots)
    order.pointee.next = 0
  }
  /// The same but for the order's own links; returns the one before it, or 0.
  @inline(__always) mutating func append(
    _ slot: Slot, _ orders: UnsafeMutablePointer<RestingOrder>, to level: UnsafeMutablePointer<Level>, _ rank: UInt32,
    _ lots: Int64
  ) -> Slot {
    let last = level.pointee.last
    level.pointee.last = slot
    level.pointee.lots &+= lots
    if _fastPath(last != 0) { orders[Int(last)].next = slot } else { occupy(level, rank, slot) }
    return last
  }
  @inline(never) private mutating func occupy(_ level: UnsafeMutablePointer<Level>, _ rank: UInt32, _ slot: Slot) {
    level.pointee.first = slot
    insert(rank)
    if Int32(bitPattern: rank) > best { best = Int32(bitPattern: rank) }
  }

  #if NOVATION_PLANT
    /// Puts the order first at its level, out of priority.
    mutating func prepend(_ slot: Slot, _ orders: UnsafeMutablePointer<RestingOrder>) {
      let level = level(orders[Int(slot)].rank)
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
    let level = level(rank)
    let previous = order.pointee.previous
    let next = order.pointee.next
    level.pointee.lots &-= order.pointee.lots
    if previous == 0 { level.pointee.first = next } else { orders[Int(previous)].next = next }
    if next == 0 { level.pointee.last = previous } else { orders[Int(next)].previous = previous }
    if _slowPath(previous | next == 0) { vacate(rank) }
  }
  @inline(never) private mutating func vacate(_ rank: UInt32) {
    remove(rank)
    if Int32(bitPattern: rank) == best { best = highest(below: rank) }
  }

  /// The next occupied rank below, or −1.
  @inline(never) func highest(below rank: UInt32) -> Int32 {
    guard isMapped else { return -1 }
    var place = Int(rank)
    if let found = Self.last(leaf(place >> 6).pointee, below: place) { return Int32(found) }
    place >>= 6
    if let found = Self.last(words[Self.second + place >> 6], below: place) { return descend(found) }
    place >>= 6
    if let found = Self.last(words[Self.third + place >> 6], below: place) {
      return descend(descended(found, Self.second))
    }
    place >>= 6
    if let found = Self.last(words[0], below: place) {
      return descend(descended(descended(found, Self.third), Self.second))
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
  @inline(__always) private func descend(_ place: Int) -> Int32 {
    Int32(truncatingIfNeeded: place << 6 | (63 - leaf(place).pointee.leadingZeroBitCount))
  }

  @inline(__always) private func insert(_ rank: UInt32) {
    let place = Int(rank)
    if !Self.set(leaf(place >> 6), place) { insertAbove(place >> 6) }
  }
  @inline(never) private func insertAbove(_ place: Int) {
    if Self.set(words + Self.second + place >> 6, place) { return }
    if Self.set(words + Self.third + place >> 12, place >> 6) { return }
    _ = Self.set(words, place >> 12)
  }
  @inline(__always) private func remove(_ rank: UInt32) {
    let place = Int(rank)
    if !Self.clear(leaf(place >> 6), place) { removeAbove(place >> 6) }
  }
  @inline(never) private func removeAbove(_ place: Int) {
    if Self.clear(words + Self.second + place >> 6, place) { return }
    if Self.clear(words + Self.third + place >> 12, place >> 6) { return }
    _ = Self.clear(words, place >> 12)
  }
  /// Sets a bit and tells whether its word was occupied before.
  @inline(__always) private static func set(_ word: UnsafeMutablePointer<UInt64>, _ place: Int) -> Bool {
    let before = word.pointee
    word.pointee = before | 1 &<< UInt64(truncatingIfNeeded: place)
    return before != 0
  }
  /// Clears a bit and tells whether its word is still occupied.
  @inline(__always) private static func clear(_ word: UnsafeMutablePointer<UInt64>, _ place: Int) -> Bool {
    let after = word.pointee & ~(1 &<< UInt64(truncatingIfNeeded: place))
    word.pointee = after
    return after != 0
  }
}
