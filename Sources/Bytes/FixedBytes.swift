/// 32 bytes: a hash, a Merkle root, a signature's scalar. Words are in memory order, so bytes read as written.
@frozen public struct Digest: Hashable, Sendable, BitwiseCopyable, ByteCodable {
  public var words: (UInt64, UInt64, UInt64, UInt64)

  @inlinable public init() { words = (0, 0, 0, 0) }
  /// All 32 bytes; `bytes` must hold exactly that many.
  @inlinable public init(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == 32, "a digest has 32 bytes")
    words = bytes.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self)
  }
  @inlinable public init(_ bytes: [UInt8]) { self = bytes.withUnsafeBytes { Digest($0) } }
  @inlinable public init(from reader: inout ByteReader) {
    let bytes = reader.bytes(32)
    self = bytes.count == 32 ? Digest(bytes) : Digest()
  }
  public static let zero = Digest()

  @inlinable public func write(to writer: inout ByteWriter) { withBytes { writer.bytes($0) } }
  @inlinable public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeBytes(of: words, body)
  }
  @inlinable public var array: [UInt8] { withBytes { [UInt8]($0) } }
  @inlinable public static func == (a: Digest, b: Digest) -> Bool {
    a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2 && a.words.3 == b.words.3
  }
  @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// 20 bytes: an account's owner on the settlement layer.
@frozen public struct Address: Hashable, Sendable, BitwiseCopyable, ByteCodable {
  public var words: (UInt64, UInt64, UInt32)

  @inlinable public init() { words = (0, 0, 0) }
  @inlinable public init(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == 20, "an address has 20 bytes")
    words = (
      bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
      bytes.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
    )
  }
  @inlinable public init(_ bytes: [UInt8]) { self = bytes.withUnsafeBytes { Address($0) } }
  @inlinable public init(from reader: inout ByteReader) {
    let bytes = reader.bytes(20)
    self = bytes.count == 20 ? Address(bytes) : Address()
  }
  public static let zero = Address()

  @inlinable public func write(to writer: inout ByteWriter) {
    writer.u64(UInt64(littleEndian: words.0))
    writer.u64(UInt64(littleEndian: words.1))
    writer.u32(UInt32(littleEndian: words.2))
  }
  @inlinable public var array: [UInt8] { encoded }
  @inlinable public static func == (a: Address, b: Address) -> Bool {
    a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2
  }
  @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// An ECDSA signature over secp256k1 in its one accepted form: low `s`, recovery id 0 or 1.
public struct RecoverableSignature: Hashable, Sendable, BitwiseCopyable {
  public var r: Digest
  public var s: Digest
  /// 0 or 1 (Ethereum's `v` less 27).
  public var recoveryID: UInt8
  @inlinable public init(r: Digest, s: Digest, recoveryID: UInt8) {
    self.r = r
    self.s = s
    self.recoveryID = recoveryID
  }
}
