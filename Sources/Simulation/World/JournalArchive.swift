import Cluster
import Journal
import Machine
import Market

/// What a machine's owners have said was durable, whichever of them: the journal that outlives them all, as verifiers
/// keep it.
final class JournalArchive: ReadableJournal {
  private let journal: SimulatedJournal

  init(_ machine: MachineID) { journal = SimulatedJournal(machine) }

  var position: JournalPosition { journal.position }

  /// Takes what an owner has let out: its journal up to an entry that ends a batch.
  /// - Returns: what of it contradicts what was let out before, or `nil`.
  func extend(from owner: SimulatedJournal, through last: SequenceNumber) -> String? {
    guard last > journal.position.sequence else {
      // One that was paused may let out late what its successor has let out already.
      if last.rawValue == 0 || owner.link(endingAt: last) == journal.link(endingAt: last) { return nil }
      return "an owner lets out another entry \(last) than was let out before"
    }
    let end = journal.position.sequence
    guard end.rawValue == 0 || owner.link(endingAt: end) == journal.position.chainHead else {
      return "an owner's journal holds another entry \(end) than was let out before"
    }
    journal.take(from: owner, through: last)
    return nil
  }

  func walk(
    from position: JournalPosition, batches: Int,
    _ each: (InputHeader, UnsafeRawBufferPointer, _ before: JournalPosition) -> Void
  ) throws(JournalError) -> JournalPosition {
    try journal.walk(from: position, batches: batches, each)
  }

  func forEachEntry(
    from first: SequenceNumber, _ body: (InputHeader, UnsafeRawBufferPointer) throws -> Bool
  ) throws {
    try journal.forEachEntry(from: first, body)
  }
}
