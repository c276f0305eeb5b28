import Bytes
import Cryptography
import Market

/// A machine's state after an entry, as kept in its journal.
public struct JournalSnapshot: Sendable {
  /// The journal when the snapshot was taken; `position.sequence` is the last entry it covers.
  public var position: JournalPosition
  /// Version of the machine's own layout.
  public var version: UInt16
  public var bytes: [UInt8]

  public init(position: JournalPosition, version: UInt16, bytes: [UInt8]) {
    self.position = position
    self.version = version
    self.bytes = bytes
  }
}

/// Head of a snapshot, kept at part 0; the machine's bytes follow in parts 1, 2, … of at most `partByteCount`. Parts
/// without a head are of a snapshot that was never finished, or of one that is on its way out.
///
/// ```
///  0 record version u16 │ 2 machine's snapshot version u16 │ 4 machine u32 │ 8 byte count u64
/// 16 parts u32 │ 20 CRC-32C u32 of the bytes │ 24 verified u8 │ 25 position, as `JournalPosition` writes itself
///  … CRC-32C u32 of all before
/// ```
struct SnapshotRecord: Equatable {
  static let recordVersion: UInt16 = 2
  /// With LMDB's page header it fills 16 pages.
  static let partByteCount = 16 * 4096 - 16

  var machine: MachineID
  /// The journal where the snapshot was taken.
  var position: JournalPosition
  var version: UInt16
  var byteCount: UInt64 = 0
  var partCount: UInt32 = 0
  /// Of the bytes.
  var checksum: UInt32 = 0
  /// Replaying from the snapshot before it gave these very bytes.
  var isVerified = false

  func write(to writer: inout ByteWriter) {
    writer.u16(Self.recordVersion)
    writer.u16(version)
    machine.write(to: &writer)
    writer.u64(byteCount)
    writer.u32(partCount)
    writer.u32(checksum)
    writer.bool(isVerified)
    position.write(to: &writer)
    writer.u32(CRC32C.checksum(writer.bytes))
  }

  /// `nil` when the bytes are damaged; another record version is refused.
  static func read(_ bytes: UnsafeRawBufferPointer, path: String) throws(JournalError) -> SnapshotRecord? {
    guard bytes.count > 4 else { return nil }
    var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4)))
    let stored = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self))
    guard CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes.dropLast(4))) == stored else { return nil }
    let recordVersion = reader.u16()
    guard recordVersion == Self.recordVersion else {
      throw .unknownVersion(path: path, part: "a snapshot", found: Int(recordVersion), known: Int(Self.recordVersion))
    }
    let version = reader.u16()
    let machine = MachineID(from: &reader)
    let byteCount = reader.u64()
    let partCount = reader.u32()
    let checksum = reader.u32()
    let isVerified = reader.u8() == 1
    let position = JournalPosition(from: &reader)
    guard reader.isExhausted, byteCount <= UInt64(Int32.max) else { return nil }
    return SnapshotRecord(
      machine: machine, position: position, version: version, byteCount: byteCount, partCount: partCount,
      checksum: checksum, isVerified: isVerified)
  }
}

/// Key of a part of a snapshot: sequence u64, part u32, both big-endian.
struct SnapshotKey: LMDBKey, Equatable {
  var sequence: UInt64
  var part: UInt32

  static var comparesAsInteger: Bool { false }

  init(sequence: UInt64, part: UInt32) {
    self.sequence = sequence
    self.part = part
  }

  init?(keyBytes: UnsafeRawBufferPointer) {
    guard keyBytes.count == 12 else { return nil }
    sequence = UInt64(bigEndian: keyBytes.loadUnaligned(as: UInt64.self))
    part = UInt32(bigEndian: keyBytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
  }

  func withKeyBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    withUnsafeTemporaryAllocation(byteCount: 12, alignment: 8) { bytes in
      bytes.storeBytes(of: sequence.bigEndian, toByteOffset: 0, as: UInt64.self)
      bytes.storeBytes(of: part.bigEndian, toByteOffset: 8, as: UInt32.self)
      return body(UnsafeRawBufferPointer(bytes))
    }
  }
}
