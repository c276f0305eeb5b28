import Bytes
import Glibc
import Machine
import Market

/// Told of every input before a machine applies it, and after.
public protocol InputWitness: AnyObject {
  func willApply(_ stage: NotedInput.Stage, _ header: InputHeader, _ payload: UnsafeRawBufferPointer)
  func hasApplied()
}

/// The input that a machine was applying when its process died.
public struct NotedInput: Sendable, Hashable {
  public enum Stage: UInt32, Sendable {
    /// New, and in no journal yet.
    case taken = 1
    /// Of the owner, which has applied it.
    case followed = 2
    /// Of the own journal, at its opening.
    case replayed = 3
  }
  public var stage: Stage
  public var kind: InputKind
  public var sequence: SequenceNumber
  public var source: MachineID
  public var firstNumber: UInt64
  public var count: UInt16
  /// Absent if it is longer than a note.
  public var payload: [UInt8]?
  /// The supervisor has seen it.
  public var isCounted = false

  /// Whether it is so many messages of one stream that any may be the one.
  public var isSeveralMessages: Bool { kind == .stream && count > 1 }
}

/// A file beside a journal that says which input its machine is applying: pages that the kernel keeps when the process
/// dies, so that a note costs a copy in memory and no call. After a power cut it may say anything, and is not asked.
///
/// ```
///  0 mark u64 │ 8 stage u32 (0: none) │ 12 payload length u32 │ 16 sequence u64 │ 24 first number u64 │ 32 source u32
/// 36 count u16 │ 38 kind u8 │ 40 counted u8 │ 64 payload
/// ```
///
/// Used by the thread that applies.
public final class InputNote: InputWitness {
  private static let mark: UInt64 = 0x3145_544F_4E41_564F
  private static let headerBytes = 64
  private static let countedOffset = 40
  private static let byteCount = 1 << 16
  private static let payloadLimit = byteCount - headerBytes

  private let base: UnsafeMutableRawPointer

  /// Where the note of a journal lies.
  public static func path(in journalDirectory: String) -> String { "\(journalDirectory)/applying" }

  /// Opens the note of a journal that this process owns, and blanks it; `nil` where the file system has no place for
  /// one, which keeps nobody from serving.
  public init?(journalDirectory: String) {
    let descriptor = open(Self.path(in: journalDirectory), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    // Every page has its place on the disk before it is written to: else a full disk would be a signal.
    guard posix_fallocate(descriptor, 0, off_t(Self.byteCount)) == 0,
      let mapped = mmap(nil, Self.byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), mapped != MAP_FAILED
    else { return nil }
    base = mapped
    base.storeBytes(of: 0, toByteOffset: 8, as: UInt32.self)
    base.storeBytes(of: 0, toByteOffset: Self.countedOffset, as: UInt8.self)
    base.storeBytes(of: Self.mark, as: UInt64.self)
  }

  deinit { munmap(base, Self.byteCount) }

  @inline(never)
  public func willApply(_ stage: NotedInput.Stage, _ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    base.storeBytes(of: header.sequence.rawValue, toByteOffset: 16, as: UInt64.self)
    base.storeBytes(of: header.firstNumber, toByteOffset: 24, as: UInt64.self)
    base.storeBytes(of: header.source.rawValue, toByteOffset: 32, as: UInt32.self)
    base.storeBytes(of: header.count, toByteOffset: 36, as: UInt16.self)
    base.storeBytes(of: header.kind.rawValue, toByteOffset: 38, as: UInt8.self)
    base.storeBytes(of: UInt32(clamping: payload.count), toByteOffset: 12, as: UInt32.self)
    // What is in the journal can be read there.
    if stage == .taken, payload.count <= Self.payloadLimit {
      (base + Self.headerBytes).copyMemory(from: payload)
    }
    base.storeBytes(of: stage.rawValue, toByteOffset: 8, as: UInt32.self)
  }

  @inline(never)
  public func hasApplied() { base.storeBytes(of: 0, toByteOffset: 8, as: UInt32.self) }

  /// Takes note that the supervisor has seen it.
  public static func markCounted(journalDirectory: String) {
    let descriptor = open(path(in: journalDirectory), O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var yes: UInt8 = 1
    _ = pwrite(descriptor, &yes, 1, off_t(countedOffset))
  }

  /// What the note of a journal says whose process has ended; `nil` if it was applying nothing.
  public static func read(journalDirectory: String) -> NotedInput? {
    let descriptor = open(path(in: journalDirectory), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: byteCount)
    guard Glibc.read(descriptor, &bytes, byteCount) == byteCount else { return nil }
    return bytes.withUnsafeBytes { bytes in
      guard bytes.load(as: UInt64.self) == mark,
        let stage = NotedInput.Stage(rawValue: bytes.load(fromByteOffset: 8, as: UInt32.self)),
        let kind = InputKind(rawValue: bytes[38])
      else { return nil }
      let count = Int(bytes.load(fromByteOffset: 12, as: UInt32.self))
      let isWhole = stage == .taken && count <= payloadLimit
      return NotedInput(
        stage: stage, kind: kind, sequence: SequenceNumber(bytes.load(fromByteOffset: 16, as: UInt64.self)),
        source: MachineID(rawValue: bytes.load(fromByteOffset: 32, as: UInt32.self)),
        firstNumber: bytes.load(fromByteOffset: 24, as: UInt64.self),
        count: bytes.load(fromByteOffset: 36, as: UInt16.self),
        payload: isWhole ? [UInt8](bytes[headerBytes..<headerBytes + count]) : nil,
        isCounted: bytes[countedOffset] != 0)
    }
  }
}

extension UnsafeMutableRawPointer {
  fileprivate func copyMemory(from bytes: UnsafeRawBufferPointer) {
    if let start = bytes.baseAddress { copyMemory(from: start, byteCount: bytes.count) }
  }
}
