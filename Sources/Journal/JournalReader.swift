import Bytes
import Machine
import Market

/// A read-only view of a journal that another process, or another thread of this one, may be writing: for verifiers,
/// auditors, and what a machine's own process does in the background.
///
/// Every call looks at the journal anew, and a long walk does so every few hundred entries, since a long-lived view
/// would keep the writer's freed pages from being used again. It keeps no state and may be used from any thread.
public final class JournalReader: Sendable {
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

  /// A reader beside the owner, in the owner's process.
  init(_ store: JournalStore, machine: MachineID) {
    self.store = store
    self.machine = machine
  }

  /// Whether it reads the journal that lies in its directory; if not, another was put in its place since, and must be
  /// opened anew. Let go of this one before.
  public var isCurrent: Bool { store.environment.isCurrent }

  /// The last durable entry and its term; `nil` before the first.
  public func end() throws -> (sequence: SequenceNumber, term: Term)? {
    let transaction = try store.environment.beginReading()
    return try transaction.withCursor(over: store.entries) { cursor in
      guard let record = try cursor.last() else { return nil }
      let header = try store.entry(record).header
      return (header.sequence, header.term)
    }
  }

  /// The position before the first entry that is here: the beginning, until the journal was truncated.
  public func base() throws(JournalError) -> JournalPosition { try store.base() }

  /// The last durable entry; zero before the first.
  public func lastSequence() throws(JournalError) -> SequenceNumber {
    try store.lastEntry(store.environment.beginReading())
  }

  /// The last entry whose stamp is before `time`, or that of the base if there is none: what is older than a retention
  /// time. A few looks, since stamps never fall.
  public func lastSequence(before time: Timestamp) throws(JournalError) -> SequenceNumber {
    let transaction = try store.environment.beginReading()
    var low = try store.base(transaction).sequence.rawValue
    return try transaction.withCursor(over: store.entries) { cursor throws(JournalError) in
      var high = try cursor.last()?.key ?? low
      while low < high {
        let middle = low + (high - low + 1) / 2
        guard let record = try cursor.seek(middle), record.key == middle else {
          throw .damaged(path: store.path, sequence: SequenceNumber(middle), reason: "the entry is missing")
        }
        if try store.entry(record).header.stamp < time { low = middle } else { high = middle - 1 }
      }
      return SequenceNumber(low)
    }
  }

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
    try store.link(endingAt: sequence)
  }

  /// Recomputes the chain and the epochs' entry trees from `position` (by default the first entry there is) to the
  /// journal's end, and returns the position there. Anything that does not agree is refused with its sequence.
  public func verifyChain(from position: JournalPosition? = nil) throws(JournalError) -> JournalPosition {
    let base = try base()
    var position = position ?? base
    while true {
      let reached = try store.verify(from: position, batches: Self.viewBound)
      if reached.sequence == position.sequence { return reached }
      position = reached
    }
  }

  /// Walks at most `batches` commit batches, and no further than the one that brings it to `entries` entries, from
  /// `position`, which is where an earlier walk ended, or the base. Calls `each` with every entry and the position
  /// before it, in order; returns the position after the last batch. What does not agree with the chain is refused with
  /// its sequence, after `each` has seen it.
  public func walk(
    from position: JournalPosition, batches: Int, entries: Int = .max,
    _ each: (InputHeader, UnsafeRawBufferPointer, _ before: JournalPosition) -> Void
  ) throws(JournalError) -> JournalPosition {
    try store.verify(from: position, batches: batches, entries: entries, each)
  }
}

extension JournalReader {
  /// Every consumer that the outbox still holds messages for, with the epoch in which the first of them was sent.
  public func firstOwed() throws(JournalError) -> [(destination: MachineID, epoch: Epoch)] {
    let transaction = try store.environment.beginReading()
    return try transaction.withCursor(over: store.outbox) { cursor throws(JournalError) in
      var owed: [(destination: MachineID, epoch: Epoch)] = []
      var record = try cursor.first()
      while let found = record {
        let chunk = try store.chunk(found)
        owed.append((chunk.destination, chunk.epoch))
        record = try cursor.seek(OutboxKey(destination: chunk.destination, firstNumber: .max))
      }
      return owed
    }
  }

  /// Number of the first message that the outbox still holds for `destination`; `nil` if it holds none.
  public func firstOutboxNumber(for destination: MachineID) throws(JournalError) -> UInt64? {
    let transaction = try store.environment.beginReading()
    return try transaction.withCursor(over: store.outbox) { cursor throws(JournalError) in
      let first = try cursor.seek(OutboxKey(destination: destination, firstNumber: 0))
      return first?.key.destination == destination ? first?.key.firstNumber : nil
    }
  }
}
