/// Key → slot by open addressing with linear probing and backward-shift deletion. Keys stay in the records that the
/// slots name; a cell holds 32 bits of hash and the slot, and zero is vacant.
///
/// It is only ever looked up, never walked, so its hash may depend on where its memory lies: that keeps a client from
/// choosing keys that collide, and shows in no output.
struct SlotTable: ~Copyable {
  private var cells: UnsafeMutablePointer<UInt64>
  private var mask: UInt32
  private(set) var count = 0
  private let seed: UInt64

  /// `capacity` is a power of two of cells, at most half of which get used before it grows.
  init(capacity: Int = 1 << 12) {
    cells = Self.reserve(capacity)
    mask = UInt32(capacity - 1)
    seed = UInt64(UInt(bitPattern: cells)) &* 0x9E37_79B9_7F4A_7C15
  }
  deinit { LazyMemory.unmap(cells, byteCount: (Int(mask) + 1) * 8) }

  private static func reserve(_ capacity: Int) -> UnsafeMutablePointer<UInt64> {
    LazyMemory.map(byteCount: capacity * 8).bindMemory(to: UInt64.self, capacity: capacity)
  }

  /// The hash under which a key of two words is kept.
  @inline(__always) func hash(_ a: UInt64, _ b: UInt64 = 0) -> UInt32 {
    let product = (a ^ seed).multipliedFullWidth(by: (b &* 0xD6E8_FEB8_6659_FD93) ^ 0xA076_1D64_78BD_642F)
    return UInt32(truncatingIfNeeded: (product.high ^ product.low) >> 32)
  }

  /// The slot whose record `matches`, or 0.
  @inline(__always) func find(_ hash: UInt32, where matches: (Slot) -> Bool) -> Slot {
    var place = hash & mask
    while true {
      let cell = cells[Int(place)]
      if cell == 0 { return 0 }
      let slot = Slot(truncatingIfNeeded: cell)
      if UInt32(truncatingIfNeeded: cell >> 32) == hash, matches(slot) { return slot }
      place = (place &+ 1) & mask
    }
  }

  @inline(__always) mutating func insert(_ hash: UInt32, _ slot: Slot) {
    if count &* 2 > Int(mask) { grow() }
    count &+= 1
    Self.place(UInt64(hash) << 32 | UInt64(slot), in: cells, mask)
  }

  @inline(__always) private static func place(_ cell: UInt64, in cells: UnsafeMutablePointer<UInt64>, _ mask: UInt32) {
    var place = UInt32(truncatingIfNeeded: cell >> 32) & mask
    while cells[Int(place)] != 0 { place = (place &+ 1) & mask }
    cells[Int(place)] = cell
  }

  /// Removes a pair that is known to be there.
  @inline(__always) mutating func remove(_ hash: UInt32, _ slot: Slot) {
    let wanted = UInt64(hash) << 32 | UInt64(slot)
    var hole = hash & mask
    while cells[Int(hole)] != wanted { hole = (hole &+ 1) & mask }
    var probe = hole
    while true {
      probe = (probe &+ 1) & mask
      let cell = cells[Int(probe)]
      if cell == 0 { break }
      let home = UInt32(truncatingIfNeeded: cell >> 32) & mask
      if (probe &- home) & mask >= (probe &- hole) & mask {
        cells[Int(hole)] = cell
        hole = probe
      }
    }
    cells[Int(hole)] = 0
    count &-= 1
  }

  @inline(never) private mutating func grow() {
    let size = Int(mask) + 1
    let larger = Self.reserve(size * 2)
    for place in 0..<size where cells[place] != 0 { Self.place(cells[place], in: larger, UInt32(size * 2 - 1)) }
    LazyMemory.unmap(cells, byteCount: size * 8)
    cells = larger
    mask = UInt32(size * 2 - 1)
  }
}
