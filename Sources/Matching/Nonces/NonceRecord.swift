import Market

/// One answered action, remembered until its signature has expired: one cache line.
struct NonceRecord: BitwiseCopyable {
  var nonce: UInt64
  var accountSlot: Slot
  var key: UInt16
  /// Operations of the action.
  var count: UInt16
  /// Of the signed content.
  var content: UInt64
  var sequence: SequenceNumber
  var stamp: Timestamp
  /// The first operation's result.
  var filled: Int64 = 0
  var term: Term
  /// Results of operations 1 ..., see `ResultBlocks`.
  var more: Slot = 0
  var outcome: Outcome = .pending
}

/// What forgetting a record takes, apart from it, so that the record need not be read again.
struct NonceTrace: BitwiseCopyable {
  /// Under which the ledger's table keeps the record.
  var hash: UInt32
  /// And, for a batch, `batch`: its results must go with it.
  var accountSlot: Slot
  static let batch: Slot = 1 << 31
}

/// The result of one more operation of a batch.
struct MoreResult: BitwiseCopyable {
  var filled: Int64
  var outcome: Outcome
}

/// The records whose signatures expire in one second, in order of arrival.
struct ExpiryBucket: BitwiseCopyable {
  /// Unix seconds.
  var second: Int64
  /// The oldest record.
  var first: Slot = 0
  /// Where the next one goes; a multiple of `NonceLedger.run` where a new run must begin.
  var next: Slot = 0
  var count: UInt32 = 0
}

/// Runs of results, in blocks whose sizes are powers of two, recycled by size.
struct ResultBlocks: ~Copyable {
  private static let capacity = 1 << 28
  private let base: UnsafeMutablePointer<MoreResult>
  private var end: Slot = 1
  private var free: UnsafeMutablePointer<Slot>

  init() {
    base = LazyMemory.map(byteCount: Self.capacity * MemoryLayout<MoreResult>.stride)
      .bindMemory(to: MoreResult.self, capacity: Self.capacity)
    free = .allocate(capacity: 9)
    free.initialize(repeating: 0, count: 9)
  }
  deinit {
    LazyMemory.unmap(base, byteCount: Self.capacity * MemoryLayout<MoreResult>.stride)
    free.deallocate()
  }

  var isFull: Bool { Int(end) + 256 > Self.capacity }

  private static func size(_ count: Int) -> Int { count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount }

  /// A block for `count` results (at most 256), all pending.
  mutating func take(_ count: Int) -> Slot {
    let size = Self.size(count)
    var block = free[size]
    if block != 0 {
      free[size] = UnsafeRawPointer(base + Int(block)).load(as: Slot.self)
    } else {
      block = end
      end += 1 << UInt32(size)
    }
    (base + Int(block)).initialize(repeating: MoreResult(filled: 0, outcome: .pending), count: count)
    return block
  }

  mutating func remove(_ block: Slot, _ count: Int) {
    let size = Self.size(count)
    UnsafeMutableRawPointer(base + Int(block)).storeBytes(of: free[size], as: Slot.self)
    free[size] = block
  }

  @inline(__always) func result(_ block: Slot, _ place: Int) -> UnsafeMutablePointer<MoreResult> {
    base + Int(block) + place
  }
}
