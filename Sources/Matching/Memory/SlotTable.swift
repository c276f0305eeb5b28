/// Key → slot, as small as can be, because most of its lines lie far from the processor. Keys stay in the records that
/// the slots name, where the table asks for them when it grows.
///
/// Cells lie in lines of one cache line each, twelve to a line:
///
/// ```
/// 0 tags u8[12], 0 for a vacant cell │ 12 next overflow line u32 │ 16 slots u32[12]
/// ```
///
/// It doubles a few lines at a time (linear hashing, each round in one go of insertions), so that no insertion ever
/// waits for a whole table to be rebuilt. It is only ever looked up, never walked, so its hash may depend on where its
/// memory lies: that keeps a client from choosing keys that collide, and shows in no output.
struct SlotTable: ~Copyable {
  private static let lineBytes = 64
  private static let cells = 12
  private static let mostLines = 1 << 23
  private static let initialLines: UInt32 = 16
  /// Mean cells a line beyond which the table doubles.
  private static let load = 9
  /// Lines split by each insertion of a round.
  private static let stride = 4

  private let lines: UnsafeMutableRawPointer
  private var overflow: Slab<Line>
  /// Lines 0 ..< mask + 1 + split are in use; those below `split` have been split already in this round.
  private var mask: UInt32 = Self.initialLines - 1
  private var split: UInt32 = 0
  private var room: Int
  private(set) var count = 0
  private let seed: UInt64

  private typealias Line = (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

  init() {
    lines = LazyMemory.map(byteCount: Self.mostLines * Self.lineBytes)
    overflow = Slab(capacity: Self.mostLines / 4)
    seed = UInt64(UInt(bitPattern: lines)) &* 0x9E37_79B9_7F4A_7C15
    room = Int(Self.initialLines) * Self.load
  }
  deinit { LazyMemory.unmap(lines, byteCount: Self.mostLines * Self.lineBytes) }

  /// The hash under which a key of two words is kept.
  @inline(__always) func hash(_ a: UInt64, _ b: UInt64 = 0) -> UInt32 {
    let product = (a ^ seed).multipliedFullWidth(by: (b &* 0xD6E8_FEB8_6659_FD93) ^ 0xA076_1D64_78BD_642F)
    return UInt32(truncatingIfNeeded: product.high ^ product.low)
  }

  @inline(__always) private func line(of hash: UInt32) -> UnsafeMutableRawPointer {
    var index = hash & mask
    if index < split { index = hash & (mask &<< 1 | 1) }
    return lines + Int(index) &* Self.lineBytes
  }
  @inline(__always) private func next(_ line: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let slot = line.load(fromByteOffset: 12, as: Slot.self)
    return slot == 0 ? nil : UnsafeMutableRawPointer(overflow.base + Int(slot))
  }

  /// A byte that is never zero.
  @inline(__always) private static func tag(_ hash: UInt32) -> UInt8 {
    max(1, UInt8(truncatingIfNeeded: hash >> 24))
  }
  /// The cells of a line that bear the tag, each as a byte of ones: the first eight, then the other four. Compared all
  /// at once, as bytes, so that no cell passes for its neighbour.
  @inline(__always) private static func hits(
    in line: UnsafeMutableRawPointer, tagged tag: UInt8
  ) -> (low: UInt64, high: UInt64) {
    let tags = line.load(as: SIMD16<UInt8>.self)
    let wanted = SIMD16<UInt8>(repeating: tag)
    // Spelled out, or the compiler takes the comparison that goes cell by cell.
    let equal: SIMDMask<SIMD16<Int8>> = tags .== wanted
    let words = unsafeBitCast(equal, to: SIMD2<UInt64>.self)
    return (words[0], words[1] & 0xFFFF_FFFF)
  }
  /// The first of the cells.
  @inline(__always) private static func first(_ cells: UInt64) -> Int { cells.trailingZeroBitCount &>> 3 }
  /// The cells without the first of them.
  @inline(__always) private static func rest(_ cells: UInt64) -> UInt64 {
    cells & ~(0xFF &<< UInt64(truncatingIfNeeded: first(cells) &<< 3))
  }

  /// Where a slot lies, until the table changes.
  struct Place: BitwiseCopyable {
    /// 0 for none.
    var slot: Slot
    fileprivate var line: UnsafeMutableRawPointer
    /// The first line of the key.
    fileprivate var home: UnsafeMutableRawPointer
    fileprivate var cell: Int
  }

  /// The slot for which `isIt` holds, or none with slot 0.
  @inline(__always) func locate(_ hash: UInt32, where isIt: (Slot) -> Bool) -> Place {
    let home = line(of: hash)
    var line = home
    let tag = Self.tag(hash)
    while true {
      var (low, high) = Self.hits(in: line, tagged: tag)
      while low != 0 {
        let cell = Self.first(low)
        let slot = line.load(fromByteOffset: 16 &+ 4 &* cell, as: Slot.self)
        if isIt(slot) { return Place(slot: slot, line: line, home: home, cell: cell) }
        low = Self.rest(low)
      }
      while high != 0 {
        let cell = 8 &+ Self.first(high)
        let slot = line.load(fromByteOffset: 16 &+ 4 &* cell, as: Slot.self)
        if isIt(slot) { return Place(slot: slot, line: line, home: home, cell: cell) }
        high = Self.rest(high)
      }
      guard _slowPath(line.load(fromByteOffset: 12, as: Slot.self) != 0), let next = next(line) else {
        return Place(slot: 0, line: line, home: home, cell: 0)
      }
      line = next
    }
  }

  @inline(__always) private func redirect(_ place: Place, to slot: Slot) {
    place.line.storeBytes(of: slot, toByteOffset: 16 &+ 4 &* place.cell, as: Slot.self)
  }

  /// The slot for which `isIt` holds, or 0.
  @inline(__always) func find(_ hash: UInt32, where isIt: (Slot) -> Bool) -> Slot { locate(hash, where: isIt).slot }

  /// Removes a slot that is known to be there.
  @inline(__always) mutating func remove(_ hash: UInt32, _ slot: Slot) { remove(locate(hash) { $0 == slot }) }

  /// Removes a slot where it was found.
  @inline(__always) mutating func remove(_ place: Place) {
    place.line.storeBytes(of: 0, toByteOffset: place.cell, as: UInt8.self)
    count &-= 1
    if _slowPath(place.home.load(fromByteOffset: 12, as: Slot.self) != 0) { shorten(place.home, hole: place) }
  }

  /// Adds a slot whose key is not there yet; `keyOf` tells the key of any slot in the table.
  @inline(__always) mutating func insert(_ hash: UInt32, _ slot: Slot, keyOf: (Slot) -> (UInt64, UInt64)) {
    count &+= 1
    if _slowPath(count > room) { grow(keyOf) }
    put(hash, slot, line(of: hash))
  }

  @inline(__always) private mutating func put(_ hash: UInt32, _ slot: Slot, _ line: UnsafeMutableRawPointer) {
    let (low, high) = Self.hits(in: line, tagged: 0)
    var cell = Self.first(low)
    if _slowPath(low == 0) {
      if high == 0 { return chain(hash, slot, line) }
      cell = 8 &+ Self.first(high)
    }
    line.storeBytes(of: Self.tag(hash), toByteOffset: cell, as: UInt8.self)
    line.storeBytes(of: slot, toByteOffset: 16 &+ 4 &* cell, as: Slot.self)
  }

  /// Puts a slot into the overflow of a full line.
  @inline(never) private mutating func chain(
    _ hash: UInt32, _ slot: Slot, _ line: UnsafeMutableRawPointer
  ) {
    if let next = next(line) { return put(hash, slot, next) }
    let added = overflow.insert((0, 0, 0, 0, 0, 0, 0, 0))
    line.storeBytes(of: added, toByteOffset: 12, as: Slot.self)
    return put(hash, slot, UnsafeMutableRawPointer(overflow.base + Int(added)))
  }

  /// Fills the hole in a line from the last line of its overflow, which goes when it is empty.
  @inline(never) private mutating func shorten(_ home: UnsafeMutableRawPointer, hole: Place) {
    var before = home
    guard var last = next(home) else { return }
    while let next = next(last) {
      before = last
      last = next
    }
    if last != hole.line,
      let cell = (0..<Self.cells).first(where: { last.load(fromByteOffset: $0, as: UInt8.self) != 0 })
    {
      hole.line.storeBytes(of: last.load(fromByteOffset: cell, as: UInt8.self), toByteOffset: hole.cell, as: UInt8.self)
      redirect(hole, to: last.load(fromByteOffset: 16 + 4 * cell, as: Slot.self))
      last.storeBytes(of: 0, toByteOffset: cell, as: UInt8.self)
    }
    if last.load(as: UInt64.self) == 0, last.load(fromByteOffset: 8, as: UInt32.self) == 0 {
      overflow.remove(before.load(fromByteOffset: 12, as: Slot.self))
      before.storeBytes(of: 0, toByteOffset: 12, as: Slot.self)
    }
  }

  /// Carries the round of splitting on, or begins one.
  @inline(never) private mutating func grow(_ keyOf: (Slot) -> (UInt64, UInt64)) {
    if split == 0, 2 * (Int(mask) + 1) > Self.mostLines {
      room = .max
      return
    }
    for _ in 0..<Self.stride { splitNext(keyOf) }
    room = 0
    if split == mask + 1 {
      mask = mask << 1 | 1
      split = 0
      room = (Int(mask) + 1) * Self.load
    }
  }

  /// Splits the next line in two: all its slots are taken out and put where they belong now.
  private mutating func splitNext(_ keyOf: (Slot) -> (UInt64, UInt64)) {
    let home = lines + Int(split) * Self.lineBytes
    split += 1
    var line = home.load(as: Line.self)
    home.storeBytes(of: (0, 0, 0, 0, 0, 0, 0, 0), as: Line.self)
    while true {
      // By value, since its place in the overflow may be taken anew at once.
      let next = withUnsafeBytes(of: line) { bytes in
        for cell in 0..<Self.cells where bytes[cell] != 0 {
          let slot = bytes.load(fromByteOffset: 16 + 4 * cell, as: Slot.self)
          let key = keyOf(slot)
          let hash = hash(key.0, key.1)
          put(hash, slot, self.line(of: hash))
        }
        return bytes.load(fromByteOffset: 12, as: Slot.self)
      }
      if next == 0 { return }
      line = overflow[next]
      overflow.remove(next)
    }
  }
}
