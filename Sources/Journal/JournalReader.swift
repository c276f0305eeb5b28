import Bytes
import Machine
import Market

/// A read-only view of a journal that another process may be writing: for verifiers and auditors.
///
/// Every call looks at the journal anew, and a long walk does so every few hundred entries, since a long-lived view
/// would keep the writer's freed pages from being used again. Used from one thread.
public final class JournalReader {
  let store: JournalStore
  /// Whose journal it is.
  public let machine: MachineID

  /// Most entries, and most batches, in one view.
  private static let viewBound = 512

  /// Opens the journal in `directory`, which must be `machine`'s.
  public init(directory: String, machine: MachineID) throws(JournalError) {
    store = try JournalStore(LMDBEnvironment(reading: directory), isWriter: false)
    try store.check(machine: machine)
    self.machine = machine
  }

  /// The last durable entry; zero before the first.
  public func lastSequence() throws(JournalError) -> SequenceNumber {
    let transaction = try store.environment.beginReading()
    return try transaction.withCursor(over: store.entries) { cursor throws(JournalError) in
      SequenceNumber(try cursor.last()?.key ?? 0)
    }
  }

  /// The last durable entry and its term; `nil` before the first.
  public func end() throws -> (sequence: SequenceNumber, term: Term)? {
    let transaction = try store.environment.beginReading()
    return try transaction.withCursor(over: store.entries) { cursor in
      guard let record = try cursor.last() else { return nil }
      let header = try store.entry(record).header
      return (header.sequence, header.term)
    }
  }

  /// The latest snapshot that passes its checksum, with the machine's bytes; `nil` if there is none.
  public func latestSnapshot() throws(JournalError) -> JournalSnapshot? { try store.latestGoodSnapshot().snapshot }

  /// Calls `body` with each entry from `first` on, in order, until it returns `false` or the journal's end is reached.
  /// The payload is valid during the call. A damaged or missing entry is refused with its sequence.
  public func forEachEntry(
    from first: SequenceNumber, _ body: (InputHeader, UnsafeRawBufferPointer) throws -> Bool
  ) throws {
    var next: SequenceNumber? = first
    while let from = next { next = try store.forEachEntry(from: from, atMost: Self.viewBound, body) }
  }

  /// Calls `body` with the last sequence and the link of each commit batch that ends at `first` or later, in order,
  /// until it returns `false`.
  public func forEachBatch(
    from first: SequenceNumber, _ body: (_ last: SequenceNumber, _ link: Digest) throws -> Bool
  ) throws {
    var next: SequenceNumber? = first
    while let from = next {
      let transaction = try store.environment.beginReading()
      next = try transaction.withCursor(over: store.batches) { cursor in
        var record = try cursor.seek(from.rawValue)
        for _ in 0..<Self.viewBound {
          guard let found = record else { return nil }
          guard try body(SequenceNumber(found.key), store.link(found)) else { return nil }
          record = try cursor.next()
        }
        return record.map { SequenceNumber($0.key) }
      }
    }
  }

  /// The link of the batch that ended with `sequence`, or `nil` if none did.
  public func link(endingAt sequence: SequenceNumber) throws(JournalError) -> Digest? {
    let transaction = try store.environment.beginReading()
    guard let value = try transaction.value(at: sequence.rawValue, in: store.batches) else { return nil }
    return try store.link((sequence.rawValue, value))
  }

  /// Recomputes the chain and the epochs' entry trees from `position` (by default the beginning) to the journal's end,
  /// and returns the position there. Anything that does not agree is refused with its sequence.
  public func verifyChain(from position: JournalPosition = JournalPosition()) throws(JournalError) -> JournalPosition {
    var position = position
    while true {
      let reached = try store.verify(from: position, bound: Self.viewBound)
      if reached.sequence == position.sequence { return reached }
      position = reached
    }
  }

  /// Walks at most `batches` commit batches from `position`, which is where an earlier walk ended, or the beginning.
  /// Calls `each` with every entry and the position before it, in order; returns the position after the last batch.
  /// What
  /// does not agree with the chain is refused with its sequence, after `each` has seen it.
  public func walk(
    from position: JournalPosition, batches: Int,
    _ each: (InputHeader, UnsafeRawBufferPointer, _ before: JournalPosition) -> Void
  ) throws(JournalError) -> JournalPosition {
    try store.verify(from: position, bound: batches, each)
  }
}
