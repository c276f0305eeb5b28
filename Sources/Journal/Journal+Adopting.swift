import Bytes
import Market

extension Journal {
  /// Makes the journal begin after `snapshot`, which another copy of the machine has taken: for a standby that joins
  /// when the first entries are gone, or are not worth the way. Its entries then go on from the snapshot's position.
  /// What it held before, all of it earlier, is gone with the one transaction that makes the snapshot count: whatever
  /// happens on the way, the journal is the old one or the new one.
  /// - Parameters:
  ///   - outbox: What the machine had sent by then and its consumers have not acknowledged.
  ///   - isVerified: Whether the other copy had verified it.
  /// - Throws: `noPlaceForSnapshot` if the journal goes as far as the snapshot itself.
  public func adopt(
    _ snapshot: JournalSnapshot, outbox: [OwedChunk] = [], isVerified: Bool
  ) throws(JournalError) {
    precondition(batch == nil, "a snapshot is adopted between batches")
    guard snapshot.position.sequence > lastSequence else {
      throw .noPlaceForSnapshot(
        path: store.path, sequence: snapshot.position.sequence,
        reason: "only a journal that ends before it can begin after a snapshot; this one ends with entry "
          + "\(lastSequence)")
    }
    abandonDraft()
    draft = SnapshotRecord(machine: machine, position: snapshot.position, version: snapshot.version)
    draft!.isVerified = isVerified
    committedDraft = draft
    var start = 0
    while start < snapshot.bytes.count {
      let end = min(snapshot.bytes.count, start + Self.snapshotPieceByteCount)
      try inOneBatch { () throws(JournalError) in
        var failure: JournalError?
        snapshot.bytes[start..<end].withUnsafeBytes { piece in
          do throws(JournalError) { try putSnapshotPart(piece) } catch { failure = error }
        }
        if let failure { throw failure }
      }
      start = end
    }
    try inOneBatch { () throws(JournalError) in
      try clear()
      try store.writeBase(snapshot.position, &batch!)
      for chunk in outbox { try enqueue(chunk) }
      try finishSnapshot()
    }
    try reopen()
  }

  /// The snapshot that was begun and is not finished yet, by the entry after which it was taken.
  public var draftSequence: SequenceNumber? { draft?.position.sequence }

  /// Removes, with the open batch, all but the snapshot that is being written.
  private func clear() throws(JournalError) {
    try batch!.clear(store.entries)
    try batch!.clear(store.batches)
    try batch!.clear(store.outbox)
    for sequence in try store.snapshotSequences(batch!).whole { try discardSnapshot(sequence) }
  }

  private func enqueue(_ chunk: OwedChunk) throws(JournalError) {
    var failure: JournalError?
    chunk.messages.withUnsafeBytes { messages in
      do throws(JournalError) {
        try enqueue(
          destination: chunk.destination, firstNumber: chunk.firstNumber, count: chunk.count, epoch: chunk.epoch,
          messages: messages)
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private func inOneBatch(_ body: () throws(JournalError) -> Void) throws(JournalError) {
    try begin()
    do throws(JournalError) { try body() } catch {
      abort()
      throw error
    }
    try commit()
  }
}
