import Bytes
import Market

extension JournalSnapshot {
  /// A snapshot by what is known of it without its bytes.
  public struct Label: Sendable, Hashable {
    /// The last entry it covers.
    public var sequence: SequenceNumber
    public var byteCount: UInt64
    /// Replaying from the snapshot before it gave these very bytes.
    public var isVerified: Bool
  }
}

extension JournalReader {
  /// The latest snapshot that passes its checksum, with the machine's bytes; `nil` if there is none.
  public func latestSnapshot() throws(JournalError) -> JournalSnapshot? { try store.latestSnapshot() }

  /// The snapshots there are, oldest first.
  public func snapshots() throws(JournalError) -> [JournalSnapshot.Label] { try store.snapshotLabels() }

  /// The snapshot after `sequence`; `nil` if there is none, or it does not pass its checksum.
  public func snapshot(at sequence: SequenceNumber) throws(JournalError) -> JournalSnapshot? {
    try store.snapshot(at: sequence, store.environment.beginReading())
  }
}

extension JournalStore {
  /// The sequences of snapshots, oldest first: of whole ones, and of those that are parts without a head.
  func snapshotSequences(
    _ transaction: borrowing some LMDBTransaction & ~Copyable
  ) throws(JournalError) -> (whole: [SequenceNumber], headless: [SequenceNumber]) {
    try transaction.withCursor(over: snapshots) { cursor throws(JournalError) in
      var whole: [SequenceNumber] = []
      var headless: [SequenceNumber] = []
      var record = try cursor.first()
      while let found = record {
        let sequence = SequenceNumber(found.key.sequence)
        if found.key.part == 0 { whole.append(sequence) } else { headless.append(sequence) }
        record = try cursor.seek(SnapshotKey(sequence: found.key.sequence, part: .max))
      }
      return (whole, headless)
    }
  }

  func snapshotLabels() throws(JournalError) -> [JournalSnapshot.Label] {
    let transaction = try environment.beginReading()
    var labels: [JournalSnapshot.Label] = []
    for sequence in try snapshotSequences(transaction).whole {
      guard let record = try head(at: sequence, transaction) else { continue }
      labels.append(
        JournalSnapshot.Label(sequence: sequence, byteCount: record.byteCount, isVerified: record.isVerified))
    }
    return labels
  }

  /// The latest snapshot that passes its checksums and is not after `last`, by its head, and the later ones that do not
  /// pass.
  func latestGoodSnapshot(
    through last: SequenceNumber
  ) throws(JournalError) -> (snapshot: SnapshotRecord?, damaged: [SequenceNumber]) {
    let transaction = try environment.beginReading()
    var damaged: [SequenceNumber] = []
    for sequence in try snapshotSequences(transaction).whole.reversed() where sequence <= last {
      if let record = try goodSnapshot(at: sequence, transaction) { return (record, damaged) }
      damaged.append(sequence)
    }
    return (nil, damaged)
  }

  func latestSnapshot() throws(JournalError) -> JournalSnapshot? {
    let transaction = try environment.beginReading()
    for sequence in try snapshotSequences(transaction).whole.reversed() {
      if let snapshot = try snapshot(at: sequence, transaction) { return snapshot }
    }
    return nil
  }

  /// The head of the snapshot after `sequence`; `nil` when there is none, or it is damaged.
  func head(
    at sequence: SequenceNumber, _ transaction: borrowing LMDBReadTransaction
  ) throws(JournalError) -> SnapshotRecord? {
    let head = try transaction.value(at: SnapshotKey(sequence: sequence.rawValue, part: 0), in: snapshots)
    guard let head, let record = try SnapshotRecord.read(head, path: path), record.position.sequence == sequence,
      try record.machine == machine()
    else { return nil }
    return record
  }

  /// The head of a snapshot whose bytes pass their checksum.
  func goodSnapshot(
    at sequence: SequenceNumber, _ transaction: borrowing LMDBReadTransaction
  ) throws(JournalError) -> SnapshotRecord? {
    guard let record = try head(at: sequence, transaction) else { return nil }
    return try forEachPart(record, transaction) { _ in } ? record : nil
  }

  /// `nil` when there is none, or it is damaged.
  func snapshot(
    at sequence: SequenceNumber, _ transaction: borrowing LMDBReadTransaction
  ) throws(JournalError) -> JournalSnapshot? {
    guard let record = try head(at: sequence, transaction) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(record.byteCount))
    guard try forEachPart(record, transaction, { bytes.append(contentsOf: $0) }) else { return nil }
    return JournalSnapshot(position: record.position, version: record.version, bytes: bytes)
  }

  /// Calls `body` with each part; false when the parts are not those that the head announces.
  private func forEachPart(
    _ record: SnapshotRecord, _ transaction: borrowing LMDBReadTransaction, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(JournalError) -> Bool {
    var checksum: UInt32 = 0
    var byteCount: UInt64 = 0
    for part in 0..<record.partCount {
      let key = SnapshotKey(sequence: record.position.sequence.rawValue, part: part + 1)
      guard let piece = try transaction.value(at: key, in: snapshots) else { return false }
      checksum = CRC32C.checksum(piece, continuing: checksum)
      byteCount += UInt64(piece.count)
      guard byteCount <= record.byteCount else { return false }
      body(piece)
    }
    return byteCount == record.byteCount && checksum == record.checksum
  }
}
