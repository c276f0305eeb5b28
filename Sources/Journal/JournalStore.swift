import Bytes
import Machine
import Market

/// The databases of a journal's environment, and what both its writer and its readers know of them.
struct JournalStore {
  /// Version of the layout of the whole journal: its databases, their keys and values.
  static let formatVersion: UInt16 = 2

  let environment: LMDBEnvironment
  /// Sequence → entry, as `EntryCodec` lays it out.
  let entries: LMDBDatabase<UInt64>
  /// Last sequence of a commit batch → its hash-chain link.
  let batches: LMDBDatabase<UInt64>
  /// Destination and first number → messages, as `OutboxChunk` describes.
  let outbox: LMDBDatabase<OutboxKey>
  /// Sequence and part → head or bytes, as `SnapshotRecord` describes.
  let snapshots: LMDBDatabase<SnapshotKey>
  /// Name → bytes: `format` u16, `machine` u32, `created` i64 (nanoseconds since 1970), `base` (as `writeBase` lays it
  /// out; absent while every entry is there), and `note:…` of the owner.
  let meta: LMDBDatabase<String>

  var path: String { environment.directory }

  /// Opens the databases; refuses another format before it looks at anything else.
  init(_ environment: LMDBEnvironment, isWriter: Bool) throws(JournalError) {
    self.environment = environment
    meta = try environment.database(named: "meta", keys: String.self)
    try Self.checkFormat(environment, meta, mayBeNew: isWriter)
    entries = try environment.database(named: "entries", keys: UInt64.self)
    batches = try environment.database(named: "batches", keys: UInt64.self)
    outbox = try environment.database(named: "outbox", keys: OutboxKey.self)
    snapshots = try environment.database(named: "snapshots", keys: SnapshotKey.self)
  }

  private static func checkFormat(
    _ environment: LMDBEnvironment, _ meta: LMDBDatabase<String>, mayBeNew: Bool
  ) throws(JournalError) {
    let transaction = try environment.beginReading()
    guard let bytes = try transaction.value(at: "format", in: meta) else {
      if mayBeNew { return }
      throw .noJournal(path: environment.directory)
    }
    var reader = ByteReader(bytes)
    let found = reader.u16()
    guard reader.isExhausted, found == formatVersion else {
      throw .unknownVersion(
        path: environment.directory, part: "the journal", found: Int(found), known: Int(formatVersion))
    }
  }

  /// Whose journal it is, or `nil` while it is new.
  func machine() throws(JournalError) -> MachineID? {
    let transaction = try environment.beginReading()
    guard let bytes = try transaction.value(at: "machine", in: meta) else { return nil }
    var reader = ByteReader(bytes)
    let machine = MachineID(from: &reader)
    guard reader.isExhausted else {
      throw .damagedRecord(path: path, record: "the machine's id", reason: "\(bytes.count) bytes are not 4")
    }
    return machine
  }

  /// Refuses a journal that is not `expected`'s.
  func check(machine expected: MachineID) throws(JournalError) {
    guard let found = try machine() else { throw .noJournal(path: path) }
    guard found == expected else { throw .wrongMachine(path: path, expected: expected, found: found) }
  }

  /// The position before the first entry that is still here.
  func base(_ transaction: borrowing some LMDBTransaction & ~Copyable) throws(JournalError) -> JournalPosition {
    guard let bytes = try transaction.value(at: "base", in: meta) else { return JournalPosition() }
    var reader = ByteReader(bytes)
    let checksum = reader.u32()
    let base = JournalPosition(from: &reader)
    let isWhole = reader.isExhausted
    guard isWhole, CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[4...])) == checksum else {
      throw .damagedRecord(path: path, record: "the position before the first kept entry", reason: "wrong checksum")
    }
    return base
  }

  /// The same, as of the last commit.
  func base() throws(JournalError) -> JournalPosition { try base(environment.beginReading()) }

  /// Keeps the position before the first entry: CRC-32C u32 of the rest, then the position.
  func writeBase(_ base: JournalPosition, _ transaction: inout LMDBWriteTransaction) throws(JournalError) {
    var writer = ByteWriter()
    base.write(to: &writer)
    let checksum = CRC32C.checksum(writer.bytes)
    writer.clear()
    writer.u32(checksum)
    base.write(to: &writer)
    try transaction.put(writer.bytes, at: "base", in: meta)
  }

  /// Says whose journal it is, at its creation.
  func create(machine: MachineID, at creation: Timestamp) throws(JournalError) {
    var transaction = try environment.beginWriting()
    guard try transaction.count(of: entries) == 0 else {
      throw .damagedRecord(path: path, record: "the journal's format version", reason: "not there")
    }
    let records: [(String, [UInt8])] = [
      ("format", withUnsafeBytes(of: Self.formatVersion.littleEndian) { [UInt8]($0) }),
      ("machine", machine.encoded), ("created", creation.encoded),
    ]
    for (name, bytes) in records {
      var failure: JournalError?
      bytes.withUnsafeBytes { bytes in
        do throws(JournalError) { try transaction.put(bytes, at: name, in: meta) } catch { failure = error }
      }
      if let failure { throw failure }
    }
    try transaction.commit()
  }

  /// The entry in `record`, checked against its key and its checksum.
  func entry(
    _ record: LMDBCursor<UInt64>.Record
  ) throws(JournalError) -> (header: InputHeader, payload: UnsafeRawBufferPointer) {
    let entry: (header: InputHeader, payload: UnsafeRawBufferPointer)
    do throws(EntryCodec.Refusal) {
      entry = try EntryCodec.read(record.value)
    } catch {
      if case .unknownLayout(let version) = error {
        throw .unknownVersion(
          path: path, part: "entry \(record.key)", found: Int(version), known: Int(InputHeader.layoutVersion))
      }
      throw .damaged(path: path, sequence: SequenceNumber(record.key), reason: "\(error)")
    }
    guard entry.header.sequence.rawValue == record.key else {
      throw .damaged(
        path: path, sequence: SequenceNumber(record.key), reason: "the entry says it is \(entry.header.sequence)")
    }
    return entry
  }

  /// The link in `record`.
  func link(_ record: LMDBCursor<UInt64>.Record) throws(JournalError) -> Digest {
    guard record.value.count == 32 else {
      throw .damaged(
        path: path, sequence: SequenceNumber(record.key), reason: "its batch's link has \(record.value.count) bytes")
    }
    return Digest(record.value)
  }
}
