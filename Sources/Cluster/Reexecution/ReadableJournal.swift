import Journal
import Machine
import Market

/// A journal that can be walked, wherever it is kept.
public protocol ReadableJournal: AnyObject {
  /// Walks at most `batches` commit batches from `position`, as `JournalReader.walk` does.
  func walk(
    from position: JournalPosition, batches: Int,
    _ each: (InputHeader, UnsafeRawBufferPointer, _ before: JournalPosition) -> Void
  ) throws(JournalError) -> JournalPosition
  /// Calls `body` with each entry from `first` on, in order, until it returns `false` or the end is reached.
  func forEachEntry(
    from first: SequenceNumber, _ body: (InputHeader, UnsafeRawBufferPointer) throws -> Bool
  ) throws
}

extension JournalReader: ReadableJournal {
  public func walk(
    from position: JournalPosition, batches: Int,
    _ each: (InputHeader, UnsafeRawBufferPointer, _ before: JournalPosition) -> Void
  ) throws(JournalError) -> JournalPosition {
    try walk(from: position, batches: batches, entries: .max, each)
  }
}
