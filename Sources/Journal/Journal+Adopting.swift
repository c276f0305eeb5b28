import Bytes
import Market

extension Journal {
  /// Makes an empty journal begin after `snapshot`, which another copy of the machine has taken: for a standby that
  /// joins when the first entries are gone, or are not worth the way. Its entries then go on from the snapshot's
  /// position. Of the outbox it holds nothing: what consumers have not acknowledged by then is to be enqueued.
  /// - Parameter isVerified: Whether the other copy had verified it.
  public func adopt(_ snapshot: JournalSnapshot, isVerified: Bool) throws(JournalError) {
    precondition(batch == nil, "a snapshot is adopted between batches")
    guard lastSequence.rawValue == 0, !snapshot.position.isBeginning else {
      throw .noPlaceForSnapshot(
        path: store.path, sequence: snapshot.position.sequence,
        reason: "only an empty journal can begin after a snapshot; this one ends with entry \(lastSequence)")
    }
    draft = SnapshotRecord(machine: machine, position: snapshot.position, version: snapshot.version)
    draft!.isVerified = isVerified
    committedDraft = draft
    var start = 0
    while start < snapshot.bytes.count {
      let end = min(snapshot.bytes.count, start + Self.snapshotPieceByteCount)
      try begin()
      var failure: JournalError?
      snapshot.bytes[start..<end].withUnsafeBytes { piece in
        do throws(JournalError) { try putSnapshotPart(piece) } catch { failure = error }
      }
      if let failure {
        abort()
        throw failure
      }
      try commit()
      start = end
    }
    try begin()
    do throws(JournalError) {
      try store.writeBase(snapshot.position, &batch!)
      try finishSnapshot()
    } catch {
      abort()
      throw error
    }
    try commit()
    try reopen()
  }
}
