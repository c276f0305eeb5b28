import Bytes
import Cryptography
import Machine
import Market

/// What a journal holds, in figures.
public struct JournalOverview: Sendable {
  public struct Snapshot: Sendable {
    /// The last entry it covers.
    public var sequence: SequenceNumber
    public var byteCount: UInt64
    /// Version of the machine's own layout.
    public var version: UInt16
    /// It passes its checksums, and its chain head is the link of the batch that ends where it was taken.
    public var isGood: Bool
    /// Replaying from the snapshot before it gave these very bytes.
    public var isVerified: Bool
  }

  public var machine: MachineID
  /// When the journal was made.
  public var created: Timestamp
  public var entries: Int
  public var batches: Int
  /// The first and the last entry there are; zero without any. The first is not 1 once the journal was truncated.
  public var firstSequence: SequenceNumber
  public var lastSequence: SequenceNumber
  /// Of the last entry.
  public var lastStamp: Timestamp
  public var lastTerm: Term
  /// Link of the last commit batch.
  public var chainHead: Digest
  /// Oldest first.
  public var snapshots: [Snapshot]
  /// Outgoing messages that no consumer has acknowledged, in chunks as they were produced.
  public var outboxChunks: Int
  public var bytesUsed: Int
  public var mapSize: Int
}

extension JournalReader {
  /// The journal as it is now. Only its last entry is checked; `verifyChain` checks all.
  public func overview() throws(JournalError) -> JournalOverview {
    let transaction = try store.environment.beginReading()
    var overview = JournalOverview(
      machine: machine, created: .zero, entries: try transaction.count(of: store.entries),
      batches: try transaction.count(of: store.batches), firstSequence: SequenceNumber(0),
      lastSequence: SequenceNumber(0), lastStamp: .zero, lastTerm: Term(0), chainHead: .zero, snapshots: [],
      outboxChunks: try transaction.count(of: store.outbox), bytesUsed: store.environment.bytesUsed,
      mapSize: store.environment.mapSize)
    if let bytes = try transaction.value(at: "created", in: store.meta) {
      var reader = ByteReader(bytes)
      overview.created = Timestamp(from: &reader)
    }
    try transaction.withCursor(over: store.entries) { cursor throws(JournalError) in
      overview.firstSequence = SequenceNumber(try cursor.first()?.key ?? 0)
      if let last = try cursor.last() {
        let header = try store.entry(last).header
        overview.lastSequence = header.sequence
        overview.lastStamp = header.stamp
        overview.lastTerm = header.term
      }
    }
    overview.chainHead = try store.base(transaction).chainHead
    try transaction.withCursor(over: store.batches) { cursor throws(JournalError) in
      if let last = try cursor.last() { overview.chainHead = try store.link(last) }
    }
    for sequence in try store.snapshotSequences(transaction).whole {
      overview.snapshots.append(try snapshot(at: sequence, transaction))
    }
    return overview
  }

  private func snapshot(
    at sequence: SequenceNumber, _ transaction: borrowing LMDBReadTransaction
  ) throws(JournalError) -> JournalOverview.Snapshot {
    guard let record = try store.goodSnapshot(at: sequence, transaction) else {
      return JournalOverview.Snapshot(
        sequence: sequence, byteCount: 0, version: 0, isGood: false, isVerified: false)
    }
    let isGood = try store.link(endingAt: sequence, transaction) == record.position.chainHead
    return JournalOverview.Snapshot(
      sequence: sequence, byteCount: record.byteCount, version: record.version, isGood: isGood,
      isVerified: record.isVerified)
  }
}
