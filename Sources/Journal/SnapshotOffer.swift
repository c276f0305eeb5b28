import Bytes
import Machine
import Market

/// A snapshot by what must be known of it to give it to another copy of the machine, part by part.
public struct SnapshotOffer: ByteCodable, Sendable, Hashable {
  /// Where the journal stood when it was taken.
  public var position: JournalPosition
  /// Version of the machine's own layout.
  public var version: UInt16
  /// Bytes in all, and the parts that hold them, numbered from 1.
  public var byteCount: UInt64
  public var partCount: UInt32
  /// CRC-32C of the bytes, as the snapshot's head has it.
  public var checksum: UInt32

  init(_ record: SnapshotRecord) {
    position = record.position
    version = record.version
    byteCount = record.byteCount
    partCount = record.partCount
    checksum = record.checksum
  }

  /// The offer of a snapshot that is kept elsewhere than in a journal of LMDB, in parts of the same size.
  public init(_ snapshot: JournalSnapshot) {
    position = snapshot.position
    version = snapshot.version
    byteCount = UInt64(snapshot.bytes.count)
    let size = Self.partByteCount
    partCount = UInt32((snapshot.bytes.count + size - 1) / size)
    checksum = snapshot.bytes.withUnsafeBytes { CRC32C.checksum($0) }
  }

  /// Most bytes of a part.
  public static let partByteCount = SnapshotRecord.partByteCount

  public func write(to writer: inout ByteWriter) {
    position.write(to: &writer)
    writer.u16(version)
    writer.u64(byteCount)
    writer.u32(partCount)
    writer.u32(checksum)
  }
  public init(from reader: inout ByteReader) {
    position = JournalPosition(from: &reader)
    version = reader.u16()
    byteCount = reader.u64()
    partCount = reader.u32()
    checksum = reader.u32()
    // Whoever takes it sets this much aside.
    if byteCount > UInt64(Int32.max) || byteCount > UInt64(partCount) * UInt64(Self.partByteCount) { reader.fail() }
  }

  /// The snapshot, if `bytes` are those that are offered; `nil` when they were damaged on the way.
  public func snapshot(of bytes: [UInt8]) -> JournalSnapshot? {
    guard UInt64(bytes.count) == byteCount, bytes.withUnsafeBytes({ CRC32C.checksum($0) }) == checksum else {
      return nil
    }
    return JournalSnapshot(position: position, version: version, bytes: bytes)
  }
}

extension JournalReader {
  /// The newest snapshot that replaying has verified; `nil` before the first.
  public func newestVerifiedSnapshot() throws(JournalError) -> SnapshotOffer? {
    let transaction = try store.environment.beginReading()
    for sequence in try store.snapshotSequences(transaction).whole.reversed() {
      if let record = try store.head(at: sequence, transaction), record.isVerified { return SnapshotOffer(record) }
    }
    return nil
  }

  /// A part of the snapshot after `sequence`; `nil` when that is not kept any more, or has no such part.
  public func snapshotPart(of sequence: SequenceNumber, _ part: UInt32) throws(JournalError) -> [UInt8]? {
    let transaction = try store.environment.beginReading()
    guard part > 0, try store.head(at: sequence, transaction) != nil else { return nil }
    let key = SnapshotKey(sequence: sequence.rawValue, part: part)
    return try transaction.value(at: key, in: store.snapshots).map { [UInt8]($0) }
  }
}
