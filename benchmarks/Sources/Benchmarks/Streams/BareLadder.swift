/// One side of a bare book: a level a tick in a flat array, and a tree of bits that tells which hold orders.
struct BareLadder {
  /// Ends of a level's queue: places in the slab, 0 for none.
  struct Level {
    var head: UInt32 = 0
    var tail: UInt32 = 0
  }

  let levels: UnsafeMutablePointer<Level>
  /// The level that trades first; what no price reaches when there is none.
  var best: Int
  private let isBuy: Bool
  // A bit a level, a bit a word of those, a bit a word of these.
  private let leaves: UnsafeMutablePointer<UInt64>
  private let words: UnsafeMutablePointer<UInt64>
  private let roots: UnsafeMutablePointer<UInt64>
  private let rootCount: Int

  init(levels count: Int, isBuy: Bool) {
    func zeros(_ count: Int) -> UnsafeMutablePointer<UInt64> {
      let memory = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
      memory.initialize(repeating: 0, count: count)
      return memory
    }
    levels = .allocate(capacity: count)
    levels.initialize(repeating: Level(), count: count)
    // Looking for the next word may go one beyond the last.
    leaves = zeros(count >> 6 + 1)
    words = zeros(count >> 12 + 2)
    rootCount = count >> 18 + 1
    roots = zeros(rootCount)
    self.isBuy = isBuy
    best = isBuy ? -1 : .max
  }

  func deallocate() {
    levels.deallocate()
    leaves.deallocate()
    words.deallocate()
    roots.deallocate()
  }

  /// The level at `place` has its first order.
  @inline(__always) mutating func open(_ place: Int) {
    leaves[place >> 6] |= 1 << (place & 63)
    words[place >> 12] |= 1 << (place >> 6 & 63)
    roots[place >> 18] |= 1 << (place >> 12 & 63)
    if isBuy ? place > best : place < best { best = place }
  }

  /// The level at `place` has lost its last order.
  @inline(__always) mutating func close(_ place: Int) {
    leaves[place >> 6] &= ~(1 << (place & 63))
    if leaves[place >> 6] == 0 {
      words[place >> 12] &= ~(1 << (place >> 6 & 63))
      if words[place >> 12] == 0 { roots[place >> 18] &= ~(1 << (place >> 12 & 63)) }
    }
    if place == best { best = isBuy ? below(place) : above(place) }
  }

  /// The lowest level with orders above `place`, where there are none.
  @inline(__always) private func above(_ place: Int) -> Int {
    let leaf = leaves[place >> 6] >> (place & 63)
    if leaf != 0 { return place &+ leaf.trailingZeroBitCount }
    let next = place >> 6 &+ 1
    let word = words[next >> 6] >> (next & 63)
    if word != 0 { return lowest(under: next &+ word.trailingZeroBitCount) }
    let far = next >> 6 &+ 1
    var root = far >> 6
    var bits = root < rootCount ? roots[root] & UInt64.max << (far & 63) : 0
    while bits == 0 {
      root &+= 1
      if root >= rootCount { return .max }
      bits = roots[root]
    }
    let found = root << 6 &+ bits.trailingZeroBitCount
    return lowest(under: found << 6 &+ words[found].trailingZeroBitCount)
  }

  @inline(__always) private func lowest(under leaf: Int) -> Int { leaf << 6 &+ leaves[leaf].trailingZeroBitCount }

  /// The highest level with orders below `place`, where there are none; -1 if there is none.
  @inline(__always) private func below(_ place: Int) -> Int {
    let leaf = leaves[place >> 6] << (63 &- place & 63)
    if leaf != 0 { return place &- leaf.leadingZeroBitCount }
    let next = place >> 6 &- 1
    if next < 0 { return -1 }
    let word = words[next >> 6] << (63 &- next & 63)
    if word != 0 { return highest(under: next &- word.leadingZeroBitCount) }
    let far = next >> 6 &- 1
    if far < 0 { return -1 }
    var root = far >> 6
    var bits = roots[root] & UInt64.max >> (63 &- far & 63)
    while bits == 0 {
      root &-= 1
      if root < 0 { return -1 }
      bits = roots[root]
    }
    let found = root << 6 &+ 63 &- bits.leadingZeroBitCount
    return highest(under: found << 6 &+ 63 &- words[found].leadingZeroBitCount)
  }

  @inline(__always) private func highest(under leaf: Int) -> Int {
    leaf << 6 &+ 63 &- leaves[leaf].leadingZeroBitCount
  }
}
