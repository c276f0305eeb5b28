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
              let base = try store.base(transaction).sequence
              if position < base.rawValue {
                throw JournalError.truncated(path: store.path, asked: SequenceNumber(position + 1), first: base.next)
              }
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
      let base = try store.base(transaction)
      if !base.isBeginning { links.append((base.sequence, base.chainHead)) }
      return links
    }
  }

  /// Cuts the journal's end off, for its machine to be rebuilt: `finishCut` follows once it is, in this process or the
  /// next.
  public func cutAndMark(after sequence: SequenceNumber) throws(JournalError) {
    try begin()
    var mark = sequence.rawValue.littleEndian
    _ = try withTypedBytes(of: &mark) { bytes throws(JournalError) in try putMeta(Self.cutNote, bytes) }
    try commit()
    try cut(after: sequence)
  }

  /// After a cut: removes from the outbox what the rebuilt machine has not sent.
  public func finishCut(_ streams: StreamNumbers) throws(JournalError) {
    guard let mark = try getMeta(Self.cutNote), !mark.isEmpty else { return }
    try begin()
    try cutOutbox(to: streams)
    try putMeta(Self.cutNote, UnsafeRawBufferPointer(start: nil, count: 0))
    try commit()
  }
}
