/// Key → slot. Keys stay in the records that the slots name; a cell holds 32 bits of hash and the slot.
///
/// Cells lie in lines of one cache line each, six to a line:
///
/// ```
/// 0 tags u8[6], 0 for a vacant cell │ 6 zero u8[2] │ 8 cells u64[6] │ 56 next overflow line u32 │ 60 zero u32
/// ```
///
/// It doubles a few lines at a time (linear hashing, each round in one go of insertions), so that no insertion ever waits
/// for a whole table to be rebuilt.
/// It is only ever looked up, never walked, so its hash may depend on where its memory lies: that keeps a client from
/// choosing keys that collide, and shows in no output.
struct SlotTable: ~Copyable {
  private static let lineBytes = 64
  private static let mostLines = 1 << 23
  private static let initialLines: UInt32 = 16
  /// Mean cells a line beyond which the table doubles.
  private static let load = 4
  /// Lines split by each insertion of a round.
  private static let stride = 4

  private let lines: UnsafeMutableRawPointer
  private var overflow: Slab<(UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)>
  /// Lines 0 ..< mask + 1 + split are in use; those below `split` have been split already in this round.
  private var mask: UInt32 = Self.initialLines - 1
  private var split: UInt32 = 0
  private var room: Int
  private(set) var count = 0
  private let seed: UInt64

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
  @inline(__always) private func overflowLine(_ slot: Slot) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(overflow.base + Int(slot))
  }

  /// A byte that is never zero, the same in every cell of the hash.
  @inline(__always) private static func tag(_ hash: UInt32) -> UInt64 { UInt64(hash >> 24 | 0x80) }
  /// The top bit of each byte of `tags` that (all but certainly) equals `tag`.
  @inline(__always) private static func matches(_ tags: UInt64, _ tag: UInt64) -> UInt64 {
    let difference = tags ^ tag &* 0x0101_0101_0101_0101
    return (difference &- 0x0101_0101_0101_0101) & ~difference & 0x0000_8080_8080_8080
  }
  @inline(__always) private static func cell(_ line: UnsafeMutableRawPointer, _ bits: UInt64) -> UnsafeMutableRawPointer
  { line + 8 + bits.trailingZeroBitCount & ~7 }

  /// The slot whose record `matches`, or 0.
  @inline(__always) func find(_ hash: UInt32, where isIt: (Slot) -> Bool) -> Slot { locate(hash, where: isIt).slot }

  /// Where a pair lies, until the table changes.
  struct Place {
    var slot: Slot
    fileprivate var line: UnsafeMutableRawPointer
    /// The top bit of the pair's tag.
    fileprivate var bits: UInt64
  }

  /// The pair whose record `matches`, or none with slot 0.
  @inline(__always) func locate(_ hash: UInt32, where isIt: (Slot) -> Bool) -> Place {
    var line = line(of: hash)
    while true {
      var candidates = Self.matches(line.load(as: UInt64.self), Self.tag(hash))
      while candidates != 0 {
        let cell = Self.cell(line, candidates).load(as: UInt64.self)
        if UInt32(truncatingIfNeeded: cell >> 32) == hash, isIt(Slot(truncatingIfNeeded: cell)) {
          return Place(slot: Slot(truncatingIfNeeded: cell), line: line, bits: candidates)
        }
        candidates &= candidates &- 1
      }
      let next = line.load(fromByteOffset: 56, as: Slot.self)
      if next == 0 { return Place(slot: 0, line: line, bits: 0) }
      line = overflowLine(next)
    }
  }

  /// Removes a pair where it was found.
  @inline(__always) mutating func remove(_ place: Place, _ hash: UInt32) {
    let shift = UInt64(truncatingIfNeeded: place.bits.trailingZeroBitCount & ~7)
    place.line.storeBytes(of: place.line.load(as: UInt64.self) & ~(0xFF &<< shift), as: UInt64.self)
    count &-= 1
    let home = line(of: hash)
    if home.load(fromByteOffset: 56, as: Slot.self) != 0 { shorten(home, hole: place.line) }
  }

  @inline(__always) mutating func insert(_ hash: UInt32, _ slot: Slot) {
    count &+= 1
    if count > room { grow() }
    put(hash, slot, line(of: hash))
  }

  @inline(__always) private mutating func put(_ hash: UInt32, _ slot: Slot, _ line: UnsafeMutableRawPointer) {
    let tags = line.load(as: UInt64.self)
    let vacant = ~tags & 0x0000_8080_8080_8080
    if vacant == 0 { return chain(hash, slot, line) }
    let place = UInt64(truncatingIfNeeded: vacant.trailingZeroBitCount & ~7)
    line.storeBytes(of: tags | Self.tag(hash) &<< place, as: UInt64.self)
    Self.cell(line, vacant).storeBytes(of: UInt64(hash) &<< 32 | UInt64(slot), as: UInt64.self)
  }

  /// Puts a pair into the overflow of a full line.
  @inline(never) private mutating func chain(_ hash: UInt32, _ slot: Slot, _ line: UnsafeMutableRawPointer) {
    var next = line.load(fromByteOffset: 56, as: Slot.self)
    if next == 0 {
      next = overflow.insert((0, 0, 0, 0, 0, 0, 0, 0))
      line.storeBytes(of: next, toByteOffset: 56, as: Slot.self)
    }
    put(hash, slot, overflowLine(next))
  }

  /// Removes a pair that is known to be there.
  @inline(__always) mutating func remove(_ hash: UInt32, _ slot: Slot) { remove(locate(hash) { $0 == slot }, hash) }

  /// Fills the hole in a line from the last line of its overflow, which goes when it is empty.
  @inline(never) private mutating func shorten(_ home: UnsafeMutableRawPointer, hole: UnsafeMutableRawPointer) {
    var before = home
    var last = overflowLine(home.load(fromByteOffset: 56, as: Slot.self))
    while case let next = last.load(fromByteOffset: 56, as: Slot.self), next != 0 {
      before = last
      last = overflowLine(next)
    }
    var tags = last.load(as: UInt64.self)
    if last != hole, tags != 0 {
      let used = tags & 0x0000_8080_8080_8080
      let pair = Self.cell(last, used).load(as: UInt64.self)
      tags &= ~(0xFF << UInt64(used.trailingZeroBitCount & ~7))
      last.storeBytes(of: tags, as: UInt64.self)
      put(UInt32(truncatingIfNeeded: pair >> 32), Slot(truncatingIfNeeded: pair), hole)
    }
    if tags == 0 {
      overflow.remove(before.load(fromByteOffset: 56, as: Slot.self))
      before.storeBytes(of: 0, toByteOffset: 56, as: Slot.self)
    }
  }

  /// Carries the round of splitting on, or begins one.
  @inline(never) private mutating func grow() {
    if split == 0, 2 * (Int(mask) + 1) > Self.mostLines {
      room = .max
      return
    }
    for _ in 0..<Self.stride { splitNext() }
    room = 0
    if split == mask + 1 {
      mask = mask << 1 | 1
      split = 0
      room = (Int(mask) + 1) * Self.load
    }
  }

  /// Splits the next line in two.
  private mutating func splitNext() {
    let lower = lines + Int(split) * Self.lineBytes
    let tags = lower.load(as: UInt64.self)
    var next = lower.load(fromByteOffset: 56, as: Slot.self)
    split += 1
    // Most lines have no overflow: their cells move in place.
    if next == 0 {
      rehome(tags, lower)
    } else {
      var pairs = [UInt64]()
      gather(lower, into: &pairs)
      lower.storeBytes(of: 0, as: UInt64.self)
      lower.storeBytes(of: 0, toByteOffset: 56, as: Slot.self)
      while next != 0 {
        let line = overflowLine(next)
        gather(line, into: &pairs)
        let after = line.load(fromByteOffset: 56, as: Slot.self)
        overflow.remove(next)
        next = after
      }
      for pair in pairs {
        let hash = UInt32(truncatingIfNeeded: pair >> 32)
        put(hash, Slot(truncatingIfNeeded: pair), line(of: hash))
      }
    }
  }

  private mutating func rehome(_ tags: UInt64, _ lower: UnsafeMutableRawPointer) {
    var used = tags & 0x0000_8080_8080_8080
    while used != 0 {
      let pair = Self.cell(lower, used).load(as: UInt64.self)
      let hash = UInt32(truncatingIfNeeded: pair >> 32)
      let home = line(of: hash)
      if home != lower {
        let place = UInt64(used.trailingZeroBitCount & ~7)
        lower.storeBytes(of: lower.load(as: UInt64.self) & ~(0xFF << place), as: UInt64.self)
        put(hash, Slot(truncatingIfNeeded: pair), home)
      }
      used &= used - 1
    }
  }

  private func gather(_ line: UnsafeMutableRawPointer, into pairs: inout [UInt64]) {
    var used = line.load(as: UInt64.self) & 0x0000_8080_8080_8080
    while used != 0 {
      pairs.append(Self.cell(line, used).load(as: UInt64.self))
      used &= used - 1
    }
  }
}
