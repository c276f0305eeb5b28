import Bytes
import Cryptography
import Machine
import Market

/// Taking entries off a journal's end.
extension Journal {
  /// Removes every entry after `sequence`, their links, and the snapshots taken after it, so that the journal ends
  /// there: for an owner that comes back and has more than the others, and for a restored copy. It may end in the
  /// middle of a commit batch, whose beginning gets a link of its own.
  ///
  /// The outbox still holds what the removed entries caused: bring the machine to the new end, and call `cutOutbox`
  /// before anything is appended.
  /// - Throws: `truncated` if the journal begins after `sequence`.
  public func cut(after sequence: SequenceNumber) throws(JournalError) {
    precondition(batch == nil, "entries are cut between batches")
    let base = try store.base()
    guard sequence >= base.sequence else {
      throw .truncated(path: store.path, asked: sequence, first: base.sequence.next)
    }
    guard sequence < durableSequence else { return }
    try store.cut(after: sequence)
    try reopen()
  }

  /// Removes from the outbox, with the open batch, every message that the machine has not sent by now.
  public func cutOutbox(to streams: StreamNumbers) throws(JournalError) {
    precondition(batch != nil, "the outbox is cut in a batch")
    var cuts: [(key: OutboxKey, kept: [UInt8]?)] = []
    try batch!.withCursor(over: store.outbox) { cursor throws(JournalError) in
      var record = try cursor.first()
      while let found = record {
        let chunk = try store.chunk(found)
        let last = streams.lastSent(to: chunk.destination)
        if chunk.lastNumber > last { cuts.append((found.key, chunk.beginning(through: last))) }
        record = try cursor.next()
      }
    }
    for (key, kept) in cuts {
      try batch!.delete(key, in: store.outbox)
      guard var kept else { continue }
      var failure: JournalError?
      kept.withUnsafeMutableBytes { bytes in
        do throws(JournalError) {
          try batch!.put(UnsafeRawBufferPointer(bytes), at: key, in: store.outbox)
        } catch { failure = error }
      }
      if let failure { throw failure }
    }
  }
}

extension OutboxChunk {
  /// The value of the chunk with only its messages up to `number`; `nil` if it has none of them.
  fileprivate func beginning(through number: UInt64) -> [UInt8]? {
    guard number >= firstNumber else { return nil }
    let kept = UInt16(number - firstNumber + 1)
    var reader = ByteReader(messages)
    for _ in 0..<kept { _ = reader.blob() }
    guard !reader.hasFailed else { return nil }
    var writer = ByteWriter()
    epoch.write(to: &writer)
    writer.u16(kept)
    writer.bytes(UnsafeRawBufferPointer(rebasing: messages[..<(messages.count - reader.remaining)]))
    return writer.array
  }
}

extension JournalStore {
  /// Most entries that one transaction removes.
  private static let entriesPerCut = 4_096

  /// Removes the entries after `sequence`, from the end backwards, a bounded number in a transaction: a crash on the
  /// way leaves a journal that is whole, and longer than it is to be.
  func cut(after sequence: SequenceNumber) throws(JournalError) {
    while true {
      var transaction = try environment.beginWriting()
      for snapshot in try snapshotSequences(transaction).whole where snapshot > sequence {
        try transaction.delete(SnapshotKey(sequence: snapshot.rawValue, part: 0), in: snapshots)
      }
      let isDone = try removeLastBatches(after: sequence, &transaction)
      try transaction.commit()
      if isDone { return }
    }
  }

  /// True when nothing is left to be removed.
  private func removeLastBatches(
    after sequence: SequenceNumber, _ transaction: inout LMDBWriteTransaction
  ) throws(JournalError) -> Bool {
    var removed = 0
    while removed < Self.entriesPerCut {
      let end = try lastEntry(transaction)
      guard end > sequence else { return true }
      let (link, before) = try lastBatches(transaction)
      // The last batch is removed whole, unless the new end is in its middle.
      let isSplit = before.sequence < sequence
      let start = isSplit ? sequence : before.sequence
      for removing in stride(from: end.rawValue, to: start.rawValue, by: -1) {
        try transaction.delete(removing, in: entries)
        removed += 1
      }
      if let link { try transaction.delete(link.rawValue, in: batches) }
      if isSplit {
        try relink(from: before, through: sequence, &transaction)
        return true
      }
    }
    return false
  }

  func lastEntry(_ transaction: borrowing some LMDBTransaction & ~Copyable) throws(JournalError) -> SequenceNumber {
    let last = try transaction.withCursor(over: entries) { cursor throws(JournalError) in try cursor.last()?.key }
    if let last { return SequenceNumber(last) }
    return try base(transaction).sequence
  }

  /// The last link, if there is one for the last entry, and where the batch before it ends, with its own.
  private func lastBatches(
    _ transaction: borrowing some LMDBTransaction & ~Copyable
  ) throws(JournalError) -> (link: SequenceNumber?, before: (sequence: SequenceNumber, link: Digest)) {
    let base = try base(transaction)
    let end = try lastEntry(transaction)
    return try transaction.withCursor(over: batches) { cursor throws(JournalError) in
      var link: SequenceNumber?
      var record = try cursor.last()
      if let last = record, last.key == end.rawValue {
        link = end
        record = try cursor.previous()
      }
      guard let record else { return (link, (base.sequence, base.chainHead)) }
      return (link, (SequenceNumber(record.key), try self.link(record)))
    }
  }

  /// Writes the link of the entries after `before` through `sequence`, which are a batch from now on.
  private func relink(
    from before: (sequence: SequenceNumber, link: Digest), through sequence: SequenceNumber,
    _ transaction: inout LMDBWriteTransaction
  ) throws(JournalError) {
    var link = BatchLink(after: before.link)
    try transaction.withCursor(over: entries) { cursor throws(JournalError) in
      var record = try cursor.seek(before.sequence.rawValue + 1)
      while let found = record, found.key <= sequence.rawValue {
        _ = try entry(found)
        link.append(RFC6962SHA256.leaf(found.value))
        record = try cursor.next()
      }
    }
    var words = link.digest.words
    try withTypedBytes(of: &words) { bytes throws(JournalError) in
      _ = try transaction.put(bytes, at: sequence.rawValue, in: batches)
    }
  }

  /// Removes what no commit batch holds from the journal's end, and returns it; `nil` if there is nothing. A snapshot
  /// is only taken where a batch ended: where one stands further on, the links are damaged, and nothing is cut.
  func cutTornTail() throws(JournalError) -> ClosedRange<SequenceNumber>? {
    let linked = try linkedEnd()
    let last = try lastEntry(environment.beginReading())
    guard linked < last else { return nil }
    if let snapshot = try snapshotSequences(environment.beginReading()).whole.last, snapshot > linked {
      throw .damaged(
        path: path, sequence: snapshot, reason: "no commit batch ends here, yet a snapshot was taken here")
    }
    try cut(after: linked)
    return linked.next...last
  }

  /// The last entry of the last commit batch.
  func linkedEnd() throws(JournalError) -> SequenceNumber {
    let transaction = try environment.beginReading()
    let linked = try transaction.withCursor(over: batches) { cursor throws(JournalError) in try cursor.last()?.key }
    if let linked { return SequenceNumber(linked) }
    return try base(transaction).sequence
  }
}
