import Bytes
import CSecp256k1

/// A secp256k1 signing key. Its text is its address: the secret is only given out when asked for by name.
public struct PrivateKey: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The 32 secret bytes, big-endian, for the file that keeps them.
  public let secret: Digest
  /// The account on the settlement layer that the key signs for.
  public let address: Address

  /// The key of these 32 bytes; `nil` when they are zero or not below the group's order.
  public init?(_ secret: Digest) {
    var key = secp256k1_pubkey()
    let isValid = secret.withBytes {
      secp256k1_ec_pubkey_create(Secp256k1.context, &key, $0.bindMemory(to: UInt8.self).baseAddress!)
    }
    guard isValid == 1 else { return nil }
    self.secret = secret
    address = Secp256k1.address(of: &key)
  }

  /// The key of 32 bytes; `nil` for another length or an invalid key.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.init(Digest(bytes))
  }

  /// The key of 64 hexadecimal digits, with or without `0x`; `nil` for anything else.
  public init?(hexadecimal text: String) {
    guard let secret = Digest(hexadecimal: text) else { return nil }
    self.init(secret)
  }

  /// A new key from the operating system's randomness.
  public static func generate() -> PrivateKey {
    while true {
      if let key = PrivateKey(SecureRandom.digest()) { return key }
    }
  }

  /// The signature of `digest` with the nonce of RFC 6979, in the canonical form: the same key and digest always give
  /// the
  /// same signature.
  public func sign(_ digest: Digest) -> RecoverableSignature {
    var signature = secp256k1_ecdsa_recoverable_signature()
    let isSigned = digest.withBytes { digest in
      secret.withBytes { secret in
        secp256k1_ecdsa_sign_recoverable(
          Secp256k1.context, &signature, digest.bindMemory(to: UInt8.self).baseAddress!,
          secret.bindMemory(to: UInt8.self).baseAddress!, nil, nil)
      }
    }
    precondition(isSigned == 1, "a validated key signs every digest")
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { compact in
      var recoveryID: Int32 = 0
      secp256k1_ecdsa_recoverable_signature_serialize_compact(
        Secp256k1.context, compact.baseAddress!, &recoveryID, &signature)
      // Ids 2 and 3 stand for an r of at least the group's order before reduction: one digest in 2^127.
      precondition(recoveryID <= 1, "a signature's r is below the group's order")
      let bytes = UnsafeRawBufferPointer(compact)
      return RecoverableSignature(
        r: Digest(UnsafeRawBufferPointer(rebasing: bytes[..<32])),
        s: Digest(UnsafeRawBufferPointer(rebasing: bytes[32...])), recoveryID: UInt8(recoveryID))
    }
  }

  public var description: String { "key of \(address)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: ["address": address]) }
}
