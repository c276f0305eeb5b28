/// A growing buffer of little-endian values; it keeps its memory when cleared, so a warm writer allocates nothing.
@frozen public struct ByteWriter: ~Copyable {
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var capacity: Int
  @usableFromInline var length = 0
  /// Bytes written.
  @inlinable public var count: Int { length }

  /// A writer with room for `capacity` bytes before its first growth.
  @inlinable public init(capacity: Int = 256) {
    self.capacity = max(64, capacity)
    base = .allocate(byteCount: self.capacity, alignment: 64)
  }

  @inlinable deinit { base.deallocate() }

  /// The bytes written so far; valid until the next write.
  @inlinable public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
  /// A copy of the bytes written so far.
  public var array: [UInt8] { [UInt8](bytes) }

  /// Forgets the contents and keeps the memory.
  @inlinable public mutating func clear() { length = 0 }
  /// Drops what was written after `count` bytes.
  public mutating func truncate(to count: Int) {
    precondition(count <= self.count, "truncate only shortens")
    length = count
  }

  /// Makes room for `bytes` more and returns where they go; the contents are then the caller's to fill.
  @discardableResult @inlinable @inline(__always)
  public mutating func extend(by bytes: Int) -> UnsafeMutableRawPointer {
    let start = length
    // Both are lengths of memory: their sum does not overflow.
    let end = start &+ bytes
    if _slowPath(end > capacity) { grow(to: end) }
    length = end
    return base + start
  }

  @usableFromInline @inline(never) mutating func grow(to needed: Int) {
    capacity = max(capacity * 2, needed)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
    larger.copyMemory(from: base, byteCount: length)
    base.deallocate()
    base = larger
  }

  @inlinable @inline(__always) public mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    extend(by: MemoryLayout<T>.size).storeBytes(of: value.littleEndian, as: T.self)
  }
  @inlinable @inline(__always) public mutating func u8(_ value: UInt8) { integer(value) }
  @inlinable @inline(__always) public mutating func u16(_ value: UInt16) { integer(value) }
  @inlinable @inline(__always) public mutating func u32(_ value: UInt32) { integer(value) }
  @inlinable @inline(__always) public mutating func u64(_ value: UInt64) { integer(value) }
  @inlinable @inline(__always) public mutating func i64(_ value: Int64) { integer(value) }
  @inlinable @inline(__always) public mutating func bool(_ value: Bool) { u8(value ? 1 : 0) }

  @inlinable public mutating func bytes(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
    extend(by: bytes.count).copyMemory(from: source, byteCount: bytes.count)
  }
  public mutating func bytes(_ bytes: [UInt8]) { bytes.withUnsafeBytes { self.bytes($0) } }
  /// A `u32` length followed by the bytes.
  public mutating func blob(_ blob: UnsafeRawBufferPointer) {
    u32(UInt32(blob.count))
    bytes(blob)
  }
  /// A `u16` length followed by UTF-8 text.
  public mutating func text(_ text: String) {
    var text = text
    text.withUTF8 {
      u16(UInt16($0.count))
      bytes(UnsafeRawBufferPointer($0))
    }
  }
  /// Overwrites an integer written earlier, for lengths that are known only afterwards.
  @inlinable public mutating func patch<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
    precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count, "patch lies inside what was written")
    (base + offset).storeBytes(of: value.littleEndian, as: T.self)
  }
}

/// A value with one fixed binary layout, described where the type is declared.
public protocol ByteCodable {
  /// Appends the value's layout.
  func write(to writer: inout ByteWriter)
  /// Reads the value; on malformed input the reader is left failed and the value is meaningless.
  init(from reader: inout ByteReader)
}

/// Bytes that are not a value of the expected layout.
public struct MalformedBytes: Error, Equatable, CustomStringConvertible {
  /// What was being decoded.
  public var expected: String
  public init(expected: String) { self.expected = expected }
  public var description: String { "malformed bytes: expected \(expected)" }
}

extension ByteCodable {
  /// The value's layout as an array.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    write(to: &writer)
    return writer.array
  }

  /// Decodes exactly these bytes.
  public init(decoding bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
    var reader = ByteReader(bytes)
    self.init(from: &reader)
    guard reader.isExhausted else { throw MalformedBytes(expected: "\(Self.self)") }
  }

  /// Decodes exactly these bytes.
  public init(decoding bytes: [UInt8]) throws(MalformedBytes) {
    let decoded = bytes.withUnsafeBytes { buffer -> Self? in
      var reader = ByteReader(buffer)
      let value = Self(from: &reader)
      return reader.isExhausted ? value : nil
    }
    guard let decoded else { throw MalformedBytes(expected: "\(Self.self)") }
    self = decoded
  }
}
