import Bytes
import Market

extension Journal {
  /// Keeps the machine's state after the last entry (the open batch included). Nothing is appended after it in the same
  /// batch. The last two snapshots are kept.
  public func putSnapshot(version: UInt16, bytes: UnsafeRawBufferPointer) throws(JournalError) {
    precondition(batch != nil, "a snapshot is put in a batch")
    precondition(position.sequence.rawValue > 0, "a snapshot covers an entry")
    try deleteSnapshot(position.sequence)
    let record = SnapshotRecord(
      machine: machine, position: position, version: version, byteCount: UInt64(bytes.count),
      checksum: CRC32C.checksum(bytes))
    for part in 0..<record.partCount {
      let start = part * SnapshotRecord.partByteCount
      let piece = bytes[start..<min(bytes.count, start + SnapshotRecord.partByteCount)]
      let key = SnapshotKey(sequence: position.sequence.rawValue, part: UInt32(part + 1))
      try batch!.put(UnsafeRawBufferPointer(rebasing: piece), at: key, in: store.snapshots)
    }
    pendingSnapshot = record
  }

  /// The latest snapshot that passes its checksum, with the machine's bytes; `nil` if there is none.
  public func latestSnapshot() throws(JournalError) -> JournalSnapshot? { try store.latestGoodSnapshot().snapshot }

  /// Writes the head of the snapshot that the batch holds, and deletes all but it and the one before.
  func writePendingSnapshot() throws(JournalError) {
    guard var record = pendingSnapshot else { return }
    record.position = position
    var writer = ByteWriter()
    record.write(to: &writer)
    try batch!.put(writer.bytes, at: SnapshotKey(sequence: position.sequence.rawValue, part: 0), in: store.snapshots)
    let sequences = try store.snapshotSequences(batch!)
    for sequence in sequences.dropLast(2) { try deleteSnapshot(sequence) }
  }

  private func deleteSnapshot(_ sequence: SequenceNumber) throws(JournalError) {
    try batch!.withCursor(over: store.snapshots) { cursor throws(JournalError) in
      var record = try cursor.seek(SnapshotKey(sequence: sequence.rawValue, part: 0))
      while let found = record, found.key.sequence == sequence.rawValue {
        try cursor.delete()
        record = try cursor.next()
      }
    }
  }
}

extension JournalStore {
  /// The snapshots there are, oldest first.
  func snapshotSequences(
    _ transaction: borrowing some LMDBTransaction & ~Copyable
  ) throws(JournalError) -> [SequenceNumber] {
    try transaction.withCursor(over: snapshots) { cursor throws(JournalError) in
      var sequences: [SequenceNumber] = []
      var record = try cursor.first()
      while let found = record {
        sequences.append(SequenceNumber(found.key.sequence))
        record = try cursor.seek(SnapshotKey(sequence: found.key.sequence, part: .max))
      }
      return sequences
    }
  }

  /// The latest snapshot that passes its checksums, and the later ones that do not.
  func latestGoodSnapshot() throws(JournalError) -> (snapshot: JournalSnapshot?, damaged: [SequenceNumber]) {
    let transaction = try environment.beginReading()
    var damaged: [SequenceNumber] = []
    for sequence in try snapshotSequences(transaction).reversed() {
      if let snapshot = try snapshot(at: sequence, transaction) { return (snapshot, damaged) }
      damaged.append(sequence)
    }
    return (nil, damaged)
  }

  /// `nil` when the snapshot is damaged.
  func snapshot(
    at sequence: SequenceNumber, _ transaction: borrowing LMDBReadTransaction
  ) throws(JournalError) -> JournalSnapshot? {
    let head = try transaction.value(at: SnapshotKey(sequence: sequence.rawValue, part: 0), in: snapshots)
    guard let head, let record = try SnapshotRecord.read(head, path: path), record.position.sequence == sequence,
      try record.machine == machine()
    else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(record.byteCount))
    for part in 0..<record.partCount {
      let key = SnapshotKey(sequence: sequence.rawValue, part: UInt32(part + 1))
      guard let piece = try transaction.value(at: key, in: snapshots) else { return nil }
      bytes.append(contentsOf: piece)
    }
    let checksum = bytes.withUnsafeBytes { CRC32C.checksum($0) }
    guard UInt64(bytes.count) == record.byteCount, checksum == record.checksum else { return nil }
    return JournalSnapshot(position: record.position, version: record.version, bytes: bytes)
  }
}
