import Bytes
import CSodium

/// The public half of a node's CURVE25519 key: what peers list, and the node's identity.
public struct CurvePublicKey: Hashable, Sendable, CustomStringConvertible {
  public var bytes: Digest
  public init(_ bytes: Digest) { self.bytes = bytes }

  /// From 64 hexadecimal digits; `nil` for anything else.
  public init?(hexadecimal: String) {
    guard let bytes = Hexadecimal.decode(hexadecimal), bytes.count == 32 else { return nil }
    self.bytes = Digest(bytes)
  }
  /// 64 hexadecimal digits.
  public var description: String { Hexadecimal.encode(bytes.array) }
}

/// A node's CURVE25519 key. It describes itself by its public half only.
public struct CurveKeyPair: Sendable, CustomStringConvertible {
  public let publicKey: CurvePublicKey
  let secretKey: Digest

  /// The key with this secret half.
  public init(secretKey: Digest) {
    var derived = [UInt8](repeating: 0, count: 32)
    crypto_scalarmult_base(&derived, secretKey.array)
    self.secretKey = secretKey
    publicKey = CurvePublicKey(Digest(derived))
  }

  /// A new key from the system's randomness.
  public static func generate() -> CurveKeyPair {
    precondition(sodium_init() >= 0, "the system has randomness")
    var secret = [UInt8](repeating: 0, count: 32)
    randombytes_buf(&secret, secret.count)
    return CurveKeyPair(secretKey: Digest(secret))
  }

  public var description: String { "CurveKeyPair(\(publicKey))" }
}
