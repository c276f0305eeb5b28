import Bytes
import Market

/// Deadlines of the aggregator, fired in order of (deadline, id). A timer whose reason is gone fires without effect, so
/// none is ever searched for.
struct TimerQueue: Sendable {
  enum Purpose: UInt8, Sendable, BitwiseCopyable {
    /// A held order is refused; `reference` is the request.
    case heldOrder = 1
    /// A withdrawal is refused; `reference` is the nonce.
    case withdrawal = 2
    /// A liquidation looks again; `reference` is its id.
    case liquidation = 3
  }

  struct Timer: Sendable, Hashable, BitwiseCopyable, ByteCodable {
    var deadline: Timestamp
    /// Counts timers from 1.
    var id: UInt64
    var purpose: Purpose
    var account: AccountID
    var shard: ShardID
    var reference: UInt64

    init(
      deadline: Timestamp, id: UInt64, purpose: Purpose, account: AccountID, shard: ShardID, reference: UInt64
    ) {
      self.deadline = deadline
      self.id = id
      self.purpose = purpose
      self.account = account
      self.shard = shard
      self.reference = reference
    }
    func write(to writer: inout ByteWriter) {
      deadline.write(to: &writer)
      writer.u64(id)
      writer.u8(purpose.rawValue)
      account.write(to: &writer)
      shard.write(to: &writer)
      writer.u64(reference)
    }
    init(from reader: inout ByteReader) {
      deadline = Timestamp(from: &reader)
      id = reader.u64()
      purpose = reader.enumeration(Purpose.self, otherwise: .heldOrder)
      account = AccountID(from: &reader)
      shard = ShardID(from: &reader)
      reference = reader.u64()
    }
    fileprivate static func fires(_ a: Timer, before b: Timer) -> Bool { (a.deadline, a.id) < (b.deadline, b.id) }
  }

  /// A binary heap: children of `n` are `2n + 1` and `2n + 2`.
  private var heap: [Timer] = []
  private(set) var lastID: UInt64 = 0

  var nextDeadline: Timestamp { heap.first?.deadline ?? .never }

  mutating func add(
    _ purpose: Purpose, at deadline: Timestamp, account: AccountID, shard: ShardID = ShardID(0), reference: UInt64
  ) {
    lastID += 1
    push(
      Timer(
        deadline: deadline, id: lastID, purpose: purpose, account: account, shard: shard, reference: reference))
  }

  /// The next timer due at `stamp` among those with an id up to `bound`: what a firing timer adds waits for the next
  /// input, so that no input fires for ever.
  mutating func takeDue(at stamp: Timestamp, upTo bound: UInt64) -> Timer? {
    guard let first = heap.first, first.deadline <= stamp, first.id <= bound else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return first
  }

  private mutating func push(_ timer: Timer) {
    heap.append(timer)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard Timer.fires(heap[child], before: heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if Timer.fires(heap[child], before: heap[least]) { least = child }
      }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}

extension TimerQueue: ByteCodable {
  /// In order of firing, which is canonical; the heap's own order is not.
  func write(to writer: inout ByteWriter) {
    writer.u64(lastID)
    writer.u32(UInt32(heap.count))
    for timer in heap.sorted(by: Timer.fires) { timer.write(to: &writer) }
  }
  init(from reader: inout ByteReader) {
    self.init()
    lastID = reader.u64()
    if lastID > RiskLimits.streamNumber { reader.fail() }
    for _ in 0..<reader.itemCount(minimumSize: 31) {
      let timer = Timer(from: &reader)
      if timer.id > lastID || timer.id == 0 { reader.fail() }
      push(timer)
    }
  }
}
