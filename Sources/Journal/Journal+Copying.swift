import Bytes
import Cryptography
import Machine
import Market

/// What a machine's other copies need of its journal: its batches, places to compare, and a way to give up an end that
/// the owner's journal has not.
extension Journal {
  /// Most batches in one view of the journal: a long one would keep freed pages from being used again.
  private static let viewBound = 64
  private static let cutNote = "cut"

  /// Calls `body` with the durable batches after `sequence`, which ends one, in order, until it returns `false`: their
  /// encoded entries, each after its `u32` length, valid during the call, and the last one's sequence.
  public func forEachBatch(
    after sequence: SequenceNumber, _ body: (_ entries: UnsafeRawBufferPointer, _ last: SequenceNumber) throws -> Bool
  ) throws {
    var writer = ByteWriter(capacity: 1 << 16)
    var position = sequence.rawValue
    var goesOn = true
    while goesOn {
      let transaction = try store.environment.beginReading()
      goesOn = try transaction.withCursor(over: store.batches) { batches in
        try transaction.withCursor(over: store.entries) { entries in
          var batch = try batches.seek(position + 1)
          var entry = try entries.seek(position + 1)
          for _ in 0..<Self.viewBound {
            guard let found = batch else { return false }
            writer.clear()
            while let next = entry, next.key <= found.key {
              guard next.key == position + 1 else { break }
              writer.blob(next.value)
              position = next.key
              entry = try entries.next()
            }
            guard position == found.key else {
              throw JournalError.damaged(
                path: store.path, sequence: SequenceNumber(position + 1), reason: "the entry is missing")
            }
            guard try body(writer.bytes, SequenceNumber(found.key)) else { return false }
            batch = try batches.next()
          }
          return batch != nil
        }
      }
    }
  }

  /// Links of durable batches, latest first: the last ones each, older ones ever wider apart.
  public func recentLinks(limit: Int = 128) throws -> [(sequence: SequenceNumber, link: Digest)] {
    let transaction = try store.environment.beginReading()
    return try transaction.withCursor(over: store.batches) { cursor in
      var links: [(sequence: SequenceNumber, link: Digest)] = []
      var record = try cursor.last()
      var step: UInt64 = 1
      while let found = record {
        links.append((SequenceNumber(found.key), try store.link(found)))
        if links.count < limit {
          record = try cursor.previous()
        } else {
          step *= 2
          guard found.key > step, let earlier = try cursor.seek(found.key - step), earlier.key < found.key else {
            break
          }
          record = earlier
        }
      }
      return links
    }
  }

  /// Removes every entry, batch and snapshot after `sequence`, which ends a batch. The journal must then be opened, and
  /// so verified, anew; `finishCut` follows once its machine has been rebuilt.
  public func cut(after sequence: SequenceNumber) throws(JournalError) {
    precondition(batch == nil, "a journal is cut between batches")
    var transaction = try store.environment.beginWriting()
    try Self.removeAll(after: sequence.rawValue, in: store.entries, &transaction)
    try Self.removeAll(after: sequence.rawValue, in: store.batches, &transaction)
    try transaction.withCursor(over: store.snapshots) { cursor throws(JournalError) in
      var record = try cursor.seek(SnapshotKey(sequence: sequence.rawValue + 1, part: 0))
      while record != nil {
        try cursor.delete()
        record = try cursor.next()
      }
    }
    var mark = sequence.rawValue.littleEndian
    _ = try withTypedBytes(of: &mark) { bytes throws(JournalError) in
      try transaction.put(bytes, at: "note:\(Self.cutNote)", in: store.meta)
    }
    try transaction.commit()
  }

  private static func removeAll(
    after sequence: UInt64, in database: LMDBDatabase<UInt64>, _ transaction: inout LMDBWriteTransaction
  ) throws(JournalError) {
    try transaction.withCursor(over: database) { cursor throws(JournalError) in
      var record = try cursor.seek(sequence + 1)
      while record != nil {
        try cursor.delete()
        record = try cursor.next()
      }
    }
  }

  /// After a cut: removes from the outbox what the rebuilt machine has not sent.
  public func finishCut(_ streams: StreamNumbers) throws {
    guard let mark = try getMeta(Self.cutNote), !mark.isEmpty else { return }
    try begin()
    try batch!.withCursor(over: store.outbox) { cursor throws(JournalError) in
      var record = try cursor.first()
      while let found = record {
        if found.key.firstNumber > streams.lastSent(to: found.key.destination) { try cursor.delete() }
        record = try cursor.next()
      }
    }
    try putMeta(Self.cutNote, UnsafeRawBufferPointer(start: nil, count: 0))
    try commit()
  }
}
