/// Names a record inside one `Slab`; zero names none, so that zeroed memory means "no record".
typealias Slot = UInt32

/// Records of one trivial type in a single growing allocation, recycled through a free list.
///
/// A removed record's first four bytes hold the link to the next free one; the rest stays as it was left.
struct Slab<Record: BitwiseCopyable>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Record>
  private var capacity: Int
  private var free: Slot = 0
  /// Slots `1 ..< end` have been used at some time.
  private(set) var end: Slot = 1
  /// Records that are in the slab now.
  private(set) var count = 0

  /// Memory for `capacity` records is reserved, not committed.
  init(capacity: Int) {
    self.capacity = max(capacity, 16)
    base = Self.reserve(self.capacity)
  }
  deinit { LazyMemory.unmap(base, byteCount: capacity * MemoryLayout<Record>.stride) }

  private static func reserve(_ capacity: Int) -> UnsafeMutablePointer<Record> {
    LazyMemory.map(byteCount: capacity * MemoryLayout<Record>.stride).bindMemory(to: Record.self, capacity: capacity)
  }

  /// True when no more than 2^31 records can be named; callers refuse before they reach it.
  var isFull: Bool { count >= 1 << 31 }

  @inline(__always) subscript(slot: Slot) -> Record {
    unsafeAddress {
      assert(slot > 0 && slot < end)
      return UnsafePointer(base + Int(slot))
    }
    unsafeMutableAddress {
      assert(slot > 0 && slot < end)
      return base + Int(slot)
    }
  }

  @inline(__always) mutating func insert(_ record: Record) -> Slot {
    let slot: Slot
    if free != 0 {
      slot = free
      free = UnsafeRawPointer(base + Int(slot)).load(as: Slot.self)
    } else {
      if Int(end) == capacity { grow() }
      slot = end
      end &+= 1
    }
    (base + Int(slot)).initialize(to: record)
    count &+= 1
    return slot
  }

  @inline(__always) mutating func remove(_ slot: Slot) {
    UnsafeMutableRawPointer(base + Int(slot)).storeBytes(of: free, as: Slot.self)
    free = slot
    count &-= 1
  }

  @inline(never) private mutating func grow() {
    let larger = Self.reserve(capacity * 2)
    larger.update(from: base, count: capacity)
    LazyMemory.unmap(base, byteCount: capacity * MemoryLayout<Record>.stride)
    base = larger
    capacity *= 2
  }
}
