import Bytes
import Market

extension Journal {
  /// Largest piece of a snapshot in one batch, in bytes.
  public static let snapshotPieceByteCount = 4 << 20

  /// Keeps the machine's state after the last entry (the open batch included). Nothing is appended after it in the same
  /// batch. For a machine whose state is small; a large one is written beside the trading, see `beginSnapshot`.
  public func putSnapshot(version: UInt16, bytes: UnsafeRawBufferPointer) throws(JournalError) {
    precondition(batch != nil, "a snapshot is put in a batch")
    precondition(position.sequence.rawValue > 0, "a snapshot covers an entry")
    try deleteSnapshot(position.sequence)
    var record = SnapshotRecord(machine: machine, position: position, version: version)
    try putParts(bytes, &record)
    pendingSnapshot = record
  }

  // MARK: In pieces

  /// Begins a snapshot of the machine's state after an earlier, durable entry that ended a commit batch: one that a
  /// shadow of the machine came to by replaying the journal. It is written in pieces over any number of batches, and
  /// counts from the commit of `finishSnapshot` on. Another one that was begun and not finished is given up.
  public func beginSnapshot(at position: JournalPosition, version: UInt16) throws(JournalError) {
    guard position.sequence <= durableSequence, try store.link(endingAt: position.sequence) == position.chainHead else {
      throw .noPlaceForSnapshot(
        path: store.path, sequence: position.sequence,
        reason: "no durable commit batch ends there with the link that the snapshot was taken at")
    }
    guard try !snapshots().contains(where: { $0.sequence == position.sequence }) else {
      throw .noPlaceForSnapshot(path: store.path, sequence: position.sequence, reason: "there is one already")
    }
    abandonDraft()
    let record = SnapshotRecord(machine: machine, position: position, version: version)
    draft = record
    committedDraft = record
  }

  /// Writes the next piece of the snapshot that was begun, at most `snapshotPieceByteCount`, with the open batch.
  public func putSnapshotPart(_ bytes: UnsafeRawBufferPointer) throws(JournalError) {
    precondition(batch != nil, "a piece of a snapshot is put in a batch")
    precondition(bytes.count <= Self.snapshotPieceByteCount, "a piece of a snapshot is bounded")
    guard draft != nil else { preconditionFailure("a snapshot is begun before its first piece") }
    try putParts(bytes, &draft!)
  }

  /// Makes the snapshot whole, with the open batch.
  public func finishSnapshot() throws(JournalError) {
    precondition(batch != nil, "a snapshot is finished in a batch")
    guard let record = draft else { preconditionFailure("a snapshot is begun before it is finished") }
    draft = nil
    try writeHead(record)
    try retireSnapshots()
  }

  /// Notes, with the open batch, that replaying from the snapshot before the one at `sequence` gave its very bytes.
  public func markSnapshotVerified(_ sequence: SequenceNumber) throws(JournalError) {
    precondition(batch != nil, "a snapshot is marked in a batch")
    let head = try batch!.value(at: SnapshotKey(sequence: sequence.rawValue, part: 0), in: store.snapshots)
    guard let head, var record = try SnapshotRecord.read(head, path: store.path) else {
      throw .noPlaceForSnapshot(path: store.path, sequence: sequence, reason: "there is none to be marked as verified")
    }
    record.isVerified = true
    try writeHead(record)
    try retireSnapshots()
  }

  /// Lets go, with the open batch, of the snapshot at `sequence`: one that was found not to be what the journal gives.
  public func discardSnapshot(_ sequence: SequenceNumber) throws(JournalError) {
    precondition(batch != nil, "a snapshot is discarded in a batch")
    guard try batch!.delete(SnapshotKey(sequence: sequence.rawValue, part: 0), in: store.snapshots) else { return }
    orphans.append(sequence)
  }

  // MARK: Reading

  /// The latest snapshot that passes its checksum, with the machine's bytes; `nil` if there is none.
  public func latestSnapshot() throws(JournalError) -> JournalSnapshot? { try store.latestSnapshot() }

  /// The snapshots there are, oldest first, as of the last commit.
  public func snapshots() throws(JournalError) -> [JournalSnapshot.Label] { try store.snapshotLabels() }

  // MARK: Writing

  private func putParts(_ bytes: UnsafeRawBufferPointer, _ record: inout SnapshotRecord) throws(JournalError) {
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + SnapshotRecord.partByteCount)
      record.partCount += 1
      let key = SnapshotKey(sequence: record.position.sequence.rawValue, part: record.partCount)
      try batch!.put(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: key, in: store.snapshots)
      start = end
    }
    record.byteCount += UInt64(bytes.count)
    record.checksum = CRC32C.checksum(bytes, continuing: record.checksum)
  }

  private func writeHead(_ record: SnapshotRecord) throws(JournalError) {
    var writer = ByteWriter()
    record.write(to: &writer)
    let key = SnapshotKey(sequence: record.position.sequence.rawValue, part: 0)
    try batch!.put(writer.bytes, at: key, in: store.snapshots)
  }

  /// Writes the head of the snapshot that the batch holds.
  func writePendingSnapshot() throws(JournalError) {
    guard var record = pendingSnapshot else { return }
    record.position = position
    try writeHead(record)
    try retireSnapshots()
  }

  private func deleteSnapshot(_ sequence: SequenceNumber) throws(JournalError) {
    if draft?.position.sequence == sequence { draft = nil }
    try batch!.withCursor(over: store.snapshots) { cursor throws(JournalError) in
      var record = try cursor.seek(SnapshotKey(sequence: sequence.rawValue, part: 0))
      while let found = record, found.key.sequence == sequence.rawValue {
        try cursor.delete()
        record = try cursor.next()
      }
    }
  }

  // MARK: Letting go

  /// Parts of snapshots that go with one commit, so that none takes long.
  private static let partsSweptPerCommit = 64

  /// Keeps the last two snapshots and the last two verified ones; the one that a truncated journal begins after, from
  /// which all that is left can be executed; and the earliest verified one after that, where it may begin next. What
  /// else there is loses its head now, and its parts with this and the next commits.
  func retireSnapshots() throws(JournalError) {
    let sequences = try store.snapshotSequences(batch!).whole
    let base = try store.base(batch!).sequence
    var verified: [SequenceNumber] = []
    for sequence in sequences {
      let head = try batch!.value(at: SnapshotKey(sequence: sequence.rawValue, part: 0), in: store.snapshots)
      if let head, try SnapshotRecord.read(head, path: store.path)?.isVerified == true { verified.append(sequence) }
    }
    var kept = Set(sequences.suffix(2) + verified.suffix(2) + [base])
    if let next = verified.first(where: { $0 > base }) { kept.insert(next) }
    for sequence in sequences where !kept.contains(sequence) {
      try batch!.delete(SnapshotKey(sequence: sequence.rawValue, part: 0), in: store.snapshots)
      orphans.append(sequence)
    }
  }

  func abandonDraft() {
    guard let draft else { return }
    orphans.append(draft.position.sequence)
    committedOrphans.append(draft.position.sequence)
  }

  /// Deletes some parts that have no head.
  func sweepOrphans() throws(JournalError) {
    var left = Self.partsSweptPerCommit
    while left > 0, let sequence = orphans.first {
      let isGone = try batch!.withCursor(over: store.snapshots) { cursor throws(JournalError) in
        var record = try cursor.seek(SnapshotKey(sequence: sequence.rawValue, part: 0))
        while let found = record, found.key.sequence == sequence.rawValue {
          // One was put in its place since.
          if found.key.part == 0 || draft?.position.sequence == sequence { return true }
          guard left > 0 else { return false }
          try cursor.delete()
          left -= 1
          record = try cursor.next()
        }
        return true
      }
      guard isGone else { return }
      orphans.removeFirst()
    }
  }
}
