/// Names a record inside one `Slab`; zero names none, so that zeroed memory means "no record".
typealias Slot = UInt32

/// Records of one trivial type in one reserved stretch of memory that never moves, recycled through a free list.
///
/// A removed record's first four bytes hold the link to the next free one; the rest stays as it was left.
struct Slab<Record: BitwiseCopyable>: ~Copyable {
  let base: UnsafeMutablePointer<Record>
  private let capacity: Int
  private var free: Slot = 0
  /// Slots `1 ..< end` have been used at some time.
  private(set) var end: Slot = 1
  /// Records that are in the slab now.
  private(set) var count = 0

  /// Memory for `capacity` records is reserved, not committed.
  init(capacity: Int) {
    self.capacity = capacity
    base = LazyMemory.map(byteCount: capacity * MemoryLayout<Record>.stride)
      .bindMemory(to: Record.self, capacity: capacity)
  }
  deinit { LazyMemory.unmap(base, byteCount: capacity * MemoryLayout<Record>.stride) }

  /// True when no record more fits; callers refuse before they reach it.
  var isFull: Bool { count >= capacity - 1 }

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

  /// Takes a record's place; its contents are the caller's to set. The slab must not be full.
  @inline(__always) mutating func take() -> Slot {
    count &+= 1
    let slot = free
    if _fastPath(slot != 0) {
      free = UnsafeRawPointer(base + Int(slot)).load(as: Slot.self)
      return slot
    }
    precondition(Int(end) < capacity)
    defer { end &+= 1 }
    return end
  }

  @inline(__always) mutating func insert(_ record: Record) -> Slot {
    let slot = take()
    (base + Int(slot)).initialize(to: record)
    return slot
  }

  @inline(__always) mutating func remove(_ slot: Slot) {
    UnsafeMutableRawPointer(base + Int(slot)).storeBytes(of: free, as: Slot.self)
    free = slot
    count &-= 1
  }
}
