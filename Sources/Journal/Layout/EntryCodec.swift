import Bytes
import Machine
import Market

/// The one codec of a journal entry: the 48 bytes of `InputHeader`, as described there, and the payload.
///
/// The CRC-32C covers the header's first 44 bytes and the payload.
public enum EntryCodec {
  /// Why bytes are no entry.
  public enum Refusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// Fewer bytes than a header has.
    case truncated(count: Int)
    /// A header layout that this program does not know.
    case unknownLayout(version: UInt8)
    /// The header announces another payload length than there is.
    case wrongLength(announced: UInt32, found: Int)
    /// The checksum does not fit the bytes.
    case wrongChecksum
    /// A kind of input that this program does not know.
    case unknownKind(UInt8)

    public var description: String {
      switch self {
      case .truncated(let count): "\(count) bytes are fewer than a header"
      case .unknownLayout(let version):
        "layout version \(version); this program knows version \(InputHeader.layoutVersion) only"
      case .wrongLength(let announced, let found): "payload of \(found) bytes where the header says \(announced)"
      case .wrongChecksum: "the checksum does not fit"
      case .unknownKind(let kind): "unknown kind of input \(kind)"
      }
    }
  }

  private static let checksumOffset = 44

  /// Bytes of an entry with a payload of `payloadCount` bytes.
  public static func byteCount(payloadCount: Int) -> Int { InputHeader.byteCount + payloadCount }

  /// Writes the entry over `bytes`, which has exactly `byteCount(payloadCount:)` of them.
  public static func write(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, over bytes: UnsafeMutableRawBufferPointer
  ) {
    precondition(bytes.count == byteCount(payloadCount: payload.count), "an entry fills its bytes exactly")
    func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
      bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }
    store(header.sequence.rawValue, at: 0)
    store(header.stamp.nanoseconds, at: 8)
    store(header.firstNumber, at: 16)
    store(header.term.rawValue, at: 24)
    store(header.epoch.rawValue, at: 28)
    store(header.source.rawValue, at: 32)
    store(UInt32(payload.count), at: 36)
    store(header.count, at: 40)
    store(header.kind.rawValue, at: 42)
    store(InputHeader.layoutVersion, at: 43)
    UnsafeMutableRawBufferPointer(rebasing: bytes[InputHeader.byteCount...]).copyMemory(from: payload)
    store(checksum(UnsafeRawBufferPointer(bytes)), at: checksumOffset)
  }

  /// Reads an entry; the payload stays part of `bytes`.
  public static func read(
    _ bytes: UnsafeRawBufferPointer
  ) throws(Refusal) -> (header: InputHeader, payload: UnsafeRawBufferPointer) {
    guard bytes.count >= InputHeader.byteCount else { throw .truncated(count: bytes.count) }
    var reader = ByteReader(bytes)
    let sequence = SequenceNumber(from: &reader)
    let stamp = Timestamp(from: &reader)
    let firstNumber = reader.u64()
    let term = Term(from: &reader)
    let epoch = Epoch(from: &reader)
    let source = MachineID(from: &reader)
    let length = reader.u32()
    let count = reader.u16()
    let rawKind = reader.u8()
    let version = reader.u8()
    let storedChecksum = reader.u32()
    // First of all: another layout may have its checksum elsewhere.
    guard version == InputHeader.layoutVersion else { throw .unknownLayout(version: version) }
    guard Int(length) == bytes.count - InputHeader.byteCount else {
      throw .wrongLength(announced: length, found: bytes.count - InputHeader.byteCount)
    }
    guard checksum(bytes) == storedChecksum else { throw .wrongChecksum }
    guard let kind = InputKind(rawValue: rawKind) else { throw .unknownKind(rawKind) }
    let header = InputHeader(
      sequence: sequence, stamp: stamp, term: term, kind: kind, source: source, epoch: epoch, firstNumber: firstNumber,
      count: count)
    return (header, UnsafeRawBufferPointer(rebasing: bytes[InputHeader.byteCount...]))
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    CRC32C.checksum(
      UnsafeRawBufferPointer(rebasing: bytes[InputHeader.byteCount...]),
      continuing: CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<checksumOffset])))
  }
}
