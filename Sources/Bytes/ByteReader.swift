/// Reads little-endian values from bytes that may be hostile.
///
/// A read past the end returns zero and marks the reader as failed, so a decoder reads all its fields and asks once,
/// at the end, whether they were there. Nothing is read outside the given bytes.
public struct ByteReader {
  @usableFromInline let base: UnsafeRawPointer?
  /// Bytes in all.
  public let count: Int
  /// Bytes read so far.
  public private(set) var offset = 0
  /// Whether some read went past the end, or a decoder refused a value with `fail()`.
  public private(set) var hasFailed = false

  /// The bytes must outlive the reader.
  @inlinable public init(_ bytes: UnsafeRawBufferPointer) {
    base = bytes.baseAddress
    count = bytes.count
  }

  /// Bytes not read yet.
  public var remaining: Int { count - offset }
  /// True when every read succeeded and nothing is left over.
  public var isExhausted: Bool { !hasFailed && offset == count }

  /// Marks the input as malformed: a field was there, but its value is not allowed.
  public mutating func fail() { hasFailed = true }

  /// The next integer, or zero when too few bytes are left.
  public mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> T {
    let size = MemoryLayout<T>.size
    guard let base, !hasFailed, size <= count - offset else {
      hasFailed = true
      return 0
    }
    defer { offset += size }
    return T(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  public mutating func u8() -> UInt8 { integer(UInt8.self) }
  public mutating func u16() -> UInt16 { integer(UInt16.self) }
  public mutating func u32() -> UInt32 { integer(UInt32.self) }
  public mutating func u64() -> UInt64 { integer(UInt64.self) }
  public mutating func i64() -> Int64 { integer(Int64.self) }
  /// One byte that must be 0 or 1.
  public mutating func bool() -> Bool {
    let byte = u8()
    if byte > 1 { fail() }
    return byte == 1
  }

  /// A value of an enumeration by its raw integer; an unknown one fails and gives `otherwise`.
  public mutating func enumeration<E: RawRepresentable>(_ type: E.Type, otherwise: E) -> E
  where E.RawValue: FixedWidthInteger & BitwiseCopyable {
    if let value = E(rawValue: integer(E.RawValue.self)) { return value }
    fail()
    return otherwise
  }

  /// The next `count` bytes, still owned by the input; empty when they are not there.
  public mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer {
    guard let base, !hasFailed, count >= 0, count <= self.count - offset else {
      if count != 0 { hasFailed = true }
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    defer { offset += count }
    return UnsafeRawBufferPointer(start: base + offset, count: count)
  }

  /// A `u32` length followed by that many bytes.
  public mutating func blob() -> UnsafeRawBufferPointer { bytes(Int(u32())) }

  /// A `u16` length followed by UTF-8 text; text that is not UTF-8 fails.
  public mutating func text() -> String {
    let bytes = bytes(Int(u16()))
    guard let text = String(validating: bytes, as: UTF8.self) else {
      fail()
      return ""
    }
    return text
  }

  /// A count that precedes `count` items of at least `minimumSize` bytes; a count that cannot fit fails, so that a
  /// forged length never reserves memory.
  public mutating func itemCount(minimumSize: Int) -> Int {
    let items = Int(u32())
    guard items <= remaining / max(1, minimumSize) else {
      fail()
      return 0
    }
    return items
  }
}
