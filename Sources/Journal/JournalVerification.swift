import Bytes
import Cryptography
import Machine
import Market

extension JournalStore {
  /// Walks the journal from `start`, where an earlier walk ended, checking every entry's checksum and number and every
  /// batch's link, and returns the position reached. Anything damaged is refused with its sequence. The walk ends after
  /// `batches` batches, or with the batch that brings it to `entries` entries, so that a reader of a live journal need
  /// not stay long. `each` is called with every entry, after its own checks and before its batch's, and with the
  /// position before it.
  func verify(
    from start: JournalPosition, batches bound: Int = .max, entries entryBound: Int = .max,
    _ each: (InputHeader, UnsafeRawBufferPointer, _ before: JournalPosition) -> Void = { _, _, _ in }
  ) throws(JournalError) -> JournalPosition {
    let transaction = try environment.beginReading()
    let base = try base(transaction)
    return try transaction.withCursor(over: batches) { batches throws(JournalError) in
      try transaction.withCursor(over: entries) { entries throws(JournalError) in
        var walk = ChainWalk(store: self, position: start)
        try walk.checkStart(&batches, base)
        var nextEntry = try entries.seek(start.sequence.rawValue + 1)
        var walked = 0
        let lastEntry = start.sequence.rawValue + UInt64(min(entryBound, Int(Int32.max)))
        while walked < bound, walk.position.sequence.rawValue < lastEntry {
          guard let batch = try batches.next() else {
            guard let nextEntry else { break }
            throw .damaged(
              path: path, sequence: SequenceNumber(nextEntry.key), reason: "it belongs to no commit batch")
          }
          while walk.position.sequence.rawValue < batch.key {
            try walk.take(nextEntry, each)
            nextEntry = try entries.next()
          }
          try walk.close(batch)
          walked += 1
        }
        return walk.position
      }
    }
  }

  /// Refuses a journal that does not hold every entry from the one after `base` to `last`.
  func checkCompleteness(after base: SequenceNumber, through last: SequenceNumber) throws(JournalError) {
    let transaction = try environment.beginReading()
    let count = try transaction.count(of: entries)
    let expected = last.rawValue - base.rawValue
    guard UInt64(count) == expected else {
      throw .damaged(
        path: path, sequence: try firstGap(after: base, transaction),
        reason: "\(count) entries where there should be \(expected)")
    }
  }

  private func firstGap(
    after base: SequenceNumber, _ transaction: borrowing LMDBReadTransaction
  ) throws(JournalError) -> SequenceNumber {
    try transaction.withCursor(over: entries) { entries throws(JournalError) in
      var missing = base.next
      while let found = try entries.next()?.key, found == missing.rawValue { missing = missing.next }
      return missing
    }
  }
}

/// Recomputes a chain entry by entry.
struct ChainWalk: ~Copyable {
  let store: JournalStore
  private(set) var position: JournalPosition
  private var link: BatchLink

  init(store: JournalStore, position: JournalPosition) {
    self.store = store
    self.position = position
    link = BatchLink(after: position.chainHead)
  }

  /// Puts the cursor onto the batch that ends where the walk starts, and compares its link.
  func checkStart(_ batches: inout LMDBCursor<UInt64>, _ base: JournalPosition) throws(JournalError) {
    let start = position.sequence
    guard start >= base.sequence else {
      throw .truncated(path: store.path, asked: start.next, first: base.sequence.next)
    }
    guard start > SequenceNumber(0) else { return }
    var stored = base.chainHead
    if start > base.sequence {
      guard let record = try batches.seek(start.rawValue), record.key == start.rawValue else {
        throw .damaged(
          path: store.path, sequence: start, reason: "no commit batch ends here, yet a snapshot was taken here")
      }
      stored = try store.link(record)
    }
    guard stored == position.chainHead else {
      throw .damaged(
        path: store.path, sequence: start, reason: "its batch's link is not the one the snapshot was taken at")
    }
  }

  mutating func take(
    _ record: LMDBCursor<UInt64>.Record?,
    _ each: (InputHeader, UnsafeRawBufferPointer, _ before: JournalPosition) -> Void
  ) throws(JournalError) {
    let expected = position.sequence.next
    guard let record, record.key == expected.rawValue else {
      throw .damaged(path: store.path, sequence: expected, reason: "the entry is missing")
    }
    let (header, payload) = try store.entry(record)
    each(header, payload, position)
    let leaf = RFC6962SHA256.leaf(record.value)
    link.append(leaf)
    position.advance(header, leaf: leaf)
  }

  mutating func close(_ batch: LMDBCursor<UInt64>.Record) throws(JournalError) {
    guard try store.link(batch) == link.digest else {
      throw .damaged(
        path: store.path, sequence: SequenceNumber(batch.key),
        reason: "the link of the \(link.count) entries up to here is not what they hash to")
    }
    closeUnlinked()
  }

  /// Ends a batch that has no link yet, and returns the one it is to have.
  @discardableResult
  mutating func closeUnlinked() -> Digest {
    position.chainHead = link.digest
    link.restart(after: position.chainHead)
    return position.chainHead
  }
}
