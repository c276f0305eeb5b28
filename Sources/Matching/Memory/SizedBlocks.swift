/// Runs of records of one trivial type, in blocks whose sizes are powers of two, recycled by size.
struct SizedBlocks<Record: BitwiseCopyable>: ~Copyable {
  private let capacity: Int
  private let base: UnsafeMutablePointer<Record>
  private var end: Slot = 1
  /// The first free block of each size.
  private let free: UnsafeMutablePointer<Slot>
  private static var sizes: Int { 32 }

  /// Memory for `capacity` records is reserved, not committed; a record has at least four bytes.
  init(capacity: Int) {
    self.capacity = capacity
    base = LazyMemory.map(byteCount: capacity * MemoryLayout<Record>.stride)
      .bindMemory(to: Record.self, capacity: capacity)
    free = .allocate(capacity: Self.sizes)
    free.initialize(repeating: 0, count: Self.sizes)
  }
  deinit {
    LazyMemory.unmap(base, byteCount: capacity * MemoryLayout<Record>.stride)
    free.deallocate()
  }

  /// Whether a block of `count` might find no room.
  func isFull(for count: Int) -> Bool { Int(end) + count > capacity }

  private static func size(_ count: Int) -> Int { count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount }

  /// A block for `count` records; its contents are the caller's to set.
  mutating func take(_ count: Int) -> Slot {
    let size = Self.size(count)
    var block = free[size]
    if block != 0 {
      free[size] = UnsafeRawPointer(base + Int(block)).load(as: Slot.self)
    } else {
      precondition(Int(end) + 1 << size <= capacity)
      block = end
      end += 1 << UInt32(size)
    }
    return block
  }

  mutating func remove(_ block: Slot, _ count: Int) {
    let size = Self.size(count)
    UnsafeMutableRawPointer(base + Int(block)).storeBytes(of: free[size], as: Slot.self)
    free[size] = block
  }

  /// The records of a block.
  @inline(__always) func at(_ block: Slot) -> UnsafeMutablePointer<Record> { base + Int(block) }
}
