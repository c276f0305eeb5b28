import Market

/// A background check of the part of a journal that opening it does not look at: everything before the latest
/// snapshot. It goes in bounded steps, each with a short view of the journal, so that a live journal's file does not
/// grow for it; and it can go on after a restart from the position where it was.
///
/// Used from one thread, which may be another than the journal's own.
public struct JournalScrub: Sendable {
  public enum Outcome: Sendable, Equatable {
    /// All is as it was written through this entry; there is more.
    case clean(through: SequenceNumber)
    /// All is as it was written, through the end of the journal.
    case finished(through: SequenceNumber)
    /// The first damage found: where, and why.
    case damaged(JournalError)
  }

  private let reader: JournalReader
  /// How far it has come; handed to another scrub it goes on from there.
  public private(set) var position: JournalPosition

  /// - Parameter position: Where an earlier scrub of the same journal ended; without it, the first entry there is.
  public init(_ reader: JournalReader, from position: JournalPosition? = nil) throws(JournalError) {
    let base = try reader.base()
    self.reader = reader
    self.position = position ?? base
  }

  /// Checks about `entries` entries more: whole commit batches, at least one.
  public mutating func step(entries: Int = 4_096) -> Outcome {
    do throws(JournalError) {
      let reached = try reader.walk(from: position, batches: .max, entries: entries) { _, _, _ in }
      let hasEnded = reached.sequence == position.sequence
      position = reached
      return hasEnded ? .finished(through: reached.sequence) : .clean(through: reached.sequence)
    } catch .truncated {
      // Its owner truncated what the scrub was at: there is nothing left of it to check.
      guard let base = try? reader.base(), base.sequence > position.sequence else {
        return .clean(through: position.sequence)
      }
      position = base
      return .clean(through: base.sequence)
    } catch {
      return .damaged(error)
    }
  }
}
