import Bytes
import Cryptography
import Market

/// Contract ABI arguments of fixed size as they are written: one 32-byte big-endian word after the other, on the stack.
struct ABIWords {
  static let wordBytes = 32
  private let base: UnsafeMutableRawPointer
  private var count = 0

  private init(base: UnsafeMutableRawPointer) { self.base = base }

  /// Calls `read` with the `words` words that `write` appends.
  @inline(__always)
  static func with<R>(
    words: Int, write: (inout ABIWords) -> Void, read: (UnsafeRawBufferPointer) -> R
  ) -> R {
    withUnsafeTemporaryAllocation(byteCount: words * wordBytes, alignment: 8) { buffer in
      var writer = ABIWords(base: buffer.baseAddress!)
      write(&writer)
      precondition(writer.count == words, "every announced word is written")
      return read(UnsafeRawBufferPointer(buffer))
    }
  }

  private mutating func word(_ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64) {
    let place = base + count * Self.wordBytes
    place.storeBytes(of: a.bigEndian, as: UInt64.self)
    place.storeBytes(of: b.bigEndian, toByteOffset: 8, as: UInt64.self)
    place.storeBytes(of: c.bigEndian, toByteOffset: 16, as: UInt64.self)
    place.storeBytes(of: d.bigEndian, toByteOffset: 24, as: UInt64.self)
    count += 1
  }

  /// A `uint256`.
  mutating func unsigned(_ value: UInt64) { word(0, 0, 0, value) }
  /// A `uint256`.
  mutating func unsigned(_ value: UInt128) {
    word(0, 0, UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
  }
  /// An `int256`; for what is not negative, the same as `uint256`.
  mutating func signed(_ value: Int128) {
    let sign: UInt64 = value < 0 ? .max : 0
    word(sign, sign, UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
  }
  /// A decimal in the 1e18 fixed point of the settlement layer, as `int256` or `uint256`.
  mutating func decimal(_ value: some FixedPoint) { signed(Int128(value.units) * ABIDecimal.perUnit) }
  mutating func bool(_ value: Bool) { unsigned(UInt64(value ? 1 : 0)) }
  /// A `bytes32`, or a `uint256` kept as its 32 bytes.
  mutating func digest(_ value: Digest) {
    value.withBytes { (base + count * Self.wordBytes).copyMemory(from: $0.baseAddress!, byteCount: 32) }
    count += 1
  }
  mutating func address(_ value: Address) {
    let place = base + count * Self.wordBytes
    word(0, 0, 0, 0)
    withUnsafeBytes(of: value.words) { (place + 12).copyMemory(from: $0.baseAddress!, byteCount: 20) }
  }
}

/// The settlement layer's decimals: integers in 1e-18.
enum ABIDecimal {
  /// 1e-18 in one of our 1e-8.
  static let perUnit: Int128 = 10_000_000_000
}

/// Contract ABI arguments of fixed size as they are read: every refusal names the argument.
struct ABIArguments {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  /// `bytes` must be exactly `words` words; `name` is what they are called when they are not.
  init(_ bytes: UnsafeRawBufferPointer, words: Int, of name: String) throws(SigningError) {
    guard bytes.count == words * ABIWords.wordBytes else {
      throw .field(name: name, value: "\(bytes.count) bytes", rule: "must be \(words * ABIWords.wordBytes) bytes")
    }
    self.bytes = bytes
  }

  private mutating func word() -> Digest {
    defer { offset += ABIWords.wordBytes }
    return Digest(UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + ABIWords.wordBytes)]))
  }

  /// A word as it stands.
  mutating func digest() -> Digest { word() }

  mutating func address(_ name: String) throws(SigningError) -> Address {
    let word = word()
    guard word.array[..<12].allSatisfy({ $0 == 0 }) else {
      throw .field(name: name, value: "\(word)", rule: "must be an address: 12 zero bytes, then 20")
    }
    return Address(Array(word.array[12...]))
  }

  mutating func unsigned(_ name: String) throws(SigningError) -> UInt128 {
    let word = word()
    guard word.words.0 == 0, word.words.1 == 0 else {
      throw .field(name: name, value: "\(word)", rule: "must be below 2^128")
    }
    return UInt128(UInt64(bigEndian: word.words.2)) << 64 | UInt128(UInt64(bigEndian: word.words.3))
  }

  mutating func signed(_ name: String) throws(SigningError) -> Int128 {
    let word = word()
    let value = Int128(
      truncatingIfNeeded: UInt128(UInt64(bigEndian: word.words.2)) << 64 | UInt128(UInt64(bigEndian: word.words.3)))
    let sign: UInt64 = value < 0 ? .max : 0
    guard word.words.0 == sign, word.words.1 == sign else {
      throw .field(name: name, value: "\(word)", rule: "must lie within ±2^127")
    }
    return value
  }

  mutating func bool(_ name: String) throws(SigningError) -> Bool {
    let value = try unsigned(name)
    guard value <= 1 else { throw .field(name: name, value: "\(value)", rule: "must be 0 or 1") }
    return value == 1
  }

  /// A decimal of the settlement layer that our fixed point can hold.
  mutating func decimal<T: FixedPoint>(_ name: String, as type: T.Type = T.self) throws(SigningError) -> T {
    let value = try signed(name)
    guard value % ABIDecimal.perUnit == 0 else {
      throw .field(name: name, value: "\(value) (in 1e-18)", rule: "must be a multiple of 1e-8")
    }
    guard let units = Int64(exactly: value / ABIDecimal.perUnit) else {
      throw .field(name: name, value: "\(value) (in 1e-18)", rule: "must lie within ±2^63 · 1e-8")
    }
    return T(units: units)
  }
}
