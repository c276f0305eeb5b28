/// Reads little-endian values from bytes that may be hostile.
///
/// A read past the end returns zero and marks the reader as failed, so a decoder reads all its fields and asks once,
/// at the end, whether they were there. Nothing is read outside the given bytes.
public struct ByteReader {
  @usableFromInline let base: UnsafeRawPointer?
  /// Bytes in all.
  public let count: Int
  @usableFromInline var place = 0
  @usableFromInline var isFailed = false
  /// Bytes read so far.
  @inlinable public var offset: Int { place }
  /// Whether some read went past the end, or a decoder refused a value with `fail()`.
  @inlinable public var hasFailed: Bool { isFailed }

  /// The bytes must outlive the reader.
  @inlinable public init(_ bytes: UnsafeRawBufferPointer) {
    base = bytes.baseAddress
    count = bytes.count
  }

  /// Bytes not read yet.
  @inlinable public var remaining: Int { count - place }
  /// True when every read succeeded and nothing is left over.
  @inlinable public var isExhausted: Bool { !isFailed && place == count }

  /// Marks the input as malformed: a field was there, but its value is not allowed.
  @inlinable public mutating func fail() { isFailed = true }

  /// The next integer, or zero when too few bytes are left.
  @inlinable @inline(__always) public mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> T
  {
    let size = MemoryLayout<T>.size
    guard let base, !isFailed, size <= count - place else {
      isFailed = true
      return 0
    }
    defer { place += size }
    return T(littleEndian: base.loadUnaligned(fromByteOffset: place, as: T.self))
  }

  @inlinable public mutating func u8() -> UInt8 { integer(UInt8.self) }
  @inlinable public mutating func u16() -> UInt16 { integer(UInt16.self) }
  @inlinable public mutating func u32() -> UInt32 { integer(UInt32.self) }
  @inlinable public mutating func u64() -> UInt64 { integer(UInt64.self) }
  @inlinable public mutating func i64() -> Int64 { integer(Int64.self) }
  /// One byte that must be 0 or 1.
  @inlinable public mutating func bool() -> Bool {
    let byte = u8()
    if byte > 1 { fail() }
    return byte == 1
  }

  /// A value of an enumeration by its raw integer; an unknown one fails and gives `otherwise`.
  @inlinable public mutating func enumeration<E: RawRepresentable>(_ type: E.Type, otherwise: E) -> E
  where E.RawValue: FixedWidthInteger & BitwiseCopyable {
    if let value = E(rawValue: integer(E.RawValue.self)) { return value }
    fail()
    return otherwise
  }

  /// The next `count` bytes, still owned by the input; empty when they are not there.
  @inlinable public mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer {
    guard let base, !isFailed, count >= 0, count <= self.count - place else {
      if count != 0 { isFailed = true }
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    defer { place += count }
    return UnsafeRawBufferPointer(start: base + place, count: count)
  }

  /// A `u32` length followed by that many bytes.
  @inlinable public mutating func blob() -> UnsafeRawBufferPointer { bytes(Int(u32())) }

  /// A `u16` length followed by UTF-8 text; text that is not UTF-8 fails.
  @inlinable public mutating func text() -> String {
    let bytes = bytes(Int(u16()))
    guard let text = String(validating: bytes, as: UTF8.self) else {
      fail()
      return ""
    }
    return text
  }

  /// A count that precedes `count` items of at least `minimumSize` bytes; a count that cannot fit fails, so that a
  /// forged length never reserves memory.
  @inlinable public mutating func itemCount(minimumSize: Int) -> Int {
    let items = Int(u32())
    guard items <= remaining / max(1, minimumSize) else {
      fail()
      return 0
    }
    return items
  }
}
