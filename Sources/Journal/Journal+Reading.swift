import Bytes
import Machine
import Market

extension Journal {
  /// A reader of what is durable here, for another thread of this process: a scrub, a shadow of the machine, a
  /// standby's catching up. It may outlive the journal.
  public func reader() -> JournalReader { JournalReader(store, machine: machine) }

  /// Calls `body` with each durable entry from `first` on, in order, until it returns `false`. The payload is valid
  /// during the call. A damaged entry is refused with its sequence.
  public func forEachEntry(
    from first: SequenceNumber, _ body: (InputHeader, UnsafeRawBufferPointer) throws -> Bool
  ) throws {
    _ = try store.forEachEntry(from: first, atMost: .max, body)
  }

  /// What was kept under `key` with `putMeta`, as of the last commit.
  public func getMeta(_ key: String) throws(JournalError) -> [UInt8]? {
    let transaction = try store.environment.beginReading()
    return try transaction.value(at: "note:\(key)", in: store.meta).map { [UInt8]($0) }
  }

  /// Keeps a few bytes of the owner's under `key` (at most 200 bytes of UTF-8), with the open batch.
  public func putMeta(_ key: String, _ value: UnsafeRawBufferPointer) throws(JournalError) {
    precondition(batch != nil, "a note is put in a batch")
    try batch!.put(value, at: "note:\(key)", in: store.meta)
  }

  /// When the journal was made, by its owner's clock.
  public func creation() throws(JournalError) -> Timestamp {
    let transaction = try store.environment.beginReading()
    var reader = ByteReader(
      try transaction.value(at: "created", in: store.meta) ?? UnsafeRawBufferPointer(start: nil, count: 0))
    return Timestamp(from: &reader)
  }
}

extension JournalStore {
  /// The link of the batch that ended with `sequence`, or `nil` if none did.
  func link(endingAt sequence: SequenceNumber) throws(JournalError) -> Digest? {
    try link(endingAt: sequence, environment.beginReading())
  }

  func link(
    endingAt sequence: SequenceNumber, _ transaction: borrowing LMDBReadTransaction
  ) throws(JournalError) -> Digest? {
    if let value = try transaction.value(at: sequence.rawValue, in: batches) {
      return try link((sequence.rawValue, value))
    }
    let base = try base(transaction)
    return sequence == base.sequence && !base.isBeginning ? base.chainHead : nil
  }

  /// Calls `body` with up to `bound` entries from `first` on, in one view of the journal. Returns the number of the
  /// next entry, or `nil` if the end was reached or `body` returned `false`.
  func forEachEntry(
    from first: SequenceNumber, atMost bound: Int, _ body: (InputHeader, UnsafeRawBufferPointer) throws -> Bool
  ) throws -> SequenceNumber? {
    let transaction = try environment.beginReading()
    return try transaction.withCursor(over: entries) { cursor in
      var record = try cursor.seek(first.rawValue)
      var expected = first
      var seen = 0
      while let found = record {
        guard seen < bound else { return expected }
        guard found.key == expected.rawValue else {
          let base = try base(transaction).sequence
          if expected <= base { throw JournalError.truncated(path: path, asked: expected, first: base.next) }
          throw JournalError.damaged(path: path, sequence: expected, reason: "the entry is missing")
        }
        let (header, payload) = try entry(found)
        guard try body(header, payload) else { return nil }
        expected = expected.next
        seen += 1
        record = try cursor.next()
      }
      return nil
    }
  }
}
