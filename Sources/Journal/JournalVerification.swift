import Bytes
import Cryptography
import Machine
import Market

extension JournalStore {
  /// Walks the journal from `base` to its end, checking every entry's checksum and number and every batch's link, and
  /// returns the position at the end. Anything damaged is refused with its sequence. At most `bound` batches are
  /// walked,
  /// so that a reader of a live journal need not stay long. `each` is called with every entry, after its own checks and
  /// before its batch's, and with the position before it.
  func verify(
    from base: JournalPosition, bound: Int = .max,
    _ each: (InputHeader, UnsafeRawBufferPointer, _ before: JournalPosition) -> Void = { _, _, _ in }
  ) throws(JournalError) -> JournalPosition {
    let transaction = try environment.beginReading()
    return try transaction.withCursor(over: batches) { batches throws(JournalError) in
      try transaction.withCursor(over: entries) { entries throws(JournalError) in
        var walk = ChainWalk(store: self, position: base)
        try walk.checkBase(&batches)
        var nextEntry = try entries.seek(base.sequence.rawValue + 1)
        var walked = 0
        while walked < bound, let batch = try batches.next() {
          while walk.position.sequence.rawValue < batch.key {
            try walk.take(nextEntry, each)
            nextEntry = try entries.next()
          }
          try walk.close(batch)
          walked += 1
        }
        if walked < bound, let nextEntry {
          throw .damaged(
            path: path, sequence: SequenceNumber(nextEntry.key), reason: "it belongs to no commit batch")
        }
        return walk.position
      }
    }
  }

  /// Refuses a journal that does not hold every entry from 1 to `last`.
  func checkCompleteness(through last: SequenceNumber) throws(JournalError) {
    let transaction = try environment.beginReading()
    let count = try transaction.count(of: entries)
    guard UInt64(count) == last.rawValue else {
      throw .damaged(
        path: path, sequence: try firstGap(transaction), reason: "\(count) entries where there should be \(last)")
    }
  }

  private func firstGap(_ transaction: borrowing LMDBReadTransaction) throws(JournalError) -> SequenceNumber {
    try transaction.withCursor(over: entries) { entries throws(JournalError) in
      var missing = SequenceNumber(1)
      while let found = try entries.next()?.key, found == missing.rawValue { missing = missing.next }
      return missing
    }
  }
}

/// Recomputes a chain entry by entry.
private struct ChainWalk: ~Copyable {
  let store: JournalStore
  var position: JournalPosition
  var link: BatchLink

  init(store: JournalStore, position: JournalPosition) {
    self.store = store
    self.position = position
    link = BatchLink(after: position.chainHead)
  }

  /// Puts the cursor onto the batch that ends at the base, and compares its link.
  func checkBase(_ batches: inout LMDBCursor<UInt64>) throws(JournalError) {
    let base = position.sequence
    guard base.rawValue > 0 else { return }
    guard let record = try batches.seek(base.rawValue), record.key == base.rawValue else {
      throw .damaged(
        path: store.path, sequence: base, reason: "no commit batch ends here, yet a snapshot was taken here")
    }
    guard try store.link(record) == position.chainHead else {
      throw .damaged(
        path: store.path, sequence: base, reason: "its batch's link is not the one the snapshot was taken at")
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
    position.chainHead = link.digest
    link.restart(after: position.chainHead)
  }
}
