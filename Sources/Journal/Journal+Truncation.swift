import Bytes
import Cryptography
import Machine
import Market

/// Taking entries off a journal's beginning.
extension Journal {
  /// The position before the first entry that is here; the open batch included.
  public func base() throws(JournalError) -> JournalPosition {
    if batch != nil { return try store.base(batch!) }
    return try store.base()
  }

  /// Deletes, with the open batch, whole commit batches from the journal's beginning: none that reaches past `through`,
  /// and none after about `bound` entries, so that a long way takes several batches of the owner's. What is deleted is
  /// verified first.
  ///
  /// Only what lies behind the older of the last two verified snapshots may go, so that damage to the newer one, or to
  /// the entries between them, has a way out. What else must be waited for, `Retention` says.
  /// - Returns: The last entry that is gone now.
  @discardableResult
  public func truncate(through: SequenceNumber, atMost bound: Int = 4_096) throws(JournalError) -> SequenceNumber {
    precondition(batch != nil, "a journal is truncated in a batch")
    let verified = try snapshots().filter(\.isVerified)
    guard verified.count >= 2, through <= verified[verified.count - 2].sequence else {
      let older =
        verified.count < 2 ? "there are not two" : "the older is after entry \(verified[verified.count - 2].sequence)"
      throw .stillNeeded(
        path: store.path, through: through, reason: "the last two verified snapshots must not need them, and \(older)")
    }
    let start = try store.base(batch!)
    let base = try removeBatches(from: start, through: through, atMost: bound)
    if base.sequence > start.sequence {
      try store.writeBase(base, &batch!)
      try retireSnapshots()
    }
    return base.sequence
  }

  /// Returns the position after the last batch removed.
  private func removeBatches(
    from start: JournalPosition, through: SequenceNumber, atMost bound: Int
  ) throws(JournalError) -> JournalPosition {
    try batch!.withCursor(over: store.batches) { batches throws(JournalError) in
      try batch!.withCursor(over: store.entries) { entries throws(JournalError) in
        var walk = ChainWalk(store: store, position: start)
        var record = try batches.first()
        var entry = try entries.first()
        while let end = record, end.key <= through.rawValue,
          walk.position.sequence.rawValue - start.sequence.rawValue < UInt64(bound)
        {
          while walk.position.sequence.rawValue < end.key {
            try walk.take(entry) { _, _, _ in }
            try entries.delete()
            entry = try entries.next()
          }
          try walk.close(end)
          try batches.delete()
          record = try batches.next()
        }
        return walk.position
      }
    }
  }
}
