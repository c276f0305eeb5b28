import Bytes
import CSecp256k1

/// ECDSA over secp256k1 with public-key recovery, as the settlement layer checks it.
public enum Secp256k1 {
  /// Made and blinded once; libsecp256k1 only reads it afterwards, so that every thread may use it.
  nonisolated(unsafe) static let context: OpaquePointer = {
    let context = secp256k1_context_create(UInt32(SECP256K1_CONTEXT_NONE))!
    let isBlinded = SecureRandom.digest().withBytes {
      secp256k1_context_randomize(context, $0.bindMemory(to: UInt8.self).baseAddress!)
    }
    precondition(isBlinded == 1, "libsecp256k1 refuses to blind its context")
    return context
  }()

  /// Half of the group's order, rounded down: the largest `s` of a canonical signature. Big-endian words.
  private static let halfOrder: (UInt64, UInt64, UInt64, UInt64) = (
    0x7FFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0x5D57_6E73_57A4_501D, 0xDFE9_2F46_681B_20A0
  )

  /// Whoever signed `digest`. `nil` unless the signature is in its one canonical form: recovery id 0 or 1, `r` and `s`
  /// in range, `s` not above half the order; and then unless it recovers a key.
  public static func recoverAddress(_ digest: Digest, _ signature: RecoverableSignature) -> Address? {
    guard signature.recoveryID <= 1, isLow(signature.s) else { return nil }
    var parsed = secp256k1_ecdsa_recoverable_signature()
    let isParsed = withUnsafeBytes(of: (signature.r.words, signature.s.words)) {
      secp256k1_ecdsa_recoverable_signature_parse_compact(
        context, &parsed, $0.bindMemory(to: UInt8.self).baseAddress!, Int32(signature.recoveryID))
    }
    guard isParsed == 1 else { return nil }
    var key = secp256k1_pubkey()
    let isRecovered = digest.withBytes {
      secp256k1_ecdsa_recover(context, &key, &parsed, $0.bindMemory(to: UInt8.self).baseAddress!)
    }
    return isRecovered == 1 ? address(of: &key) : nil
  }

  /// The last 20 bytes of the Keccak-256 of the uncompressed key without its leading 0x04.
  static func address(of key: inout secp256k1_pubkey) -> Address {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 65) { serialized in
      var length = 65
      secp256k1_ec_pubkey_serialize(
        context, serialized.baseAddress!, &length, &key, UInt32(SECP256K1_EC_UNCOMPRESSED))
      let hash = Keccak256.hash(UnsafeRawBufferPointer(start: serialized.baseAddress! + 1, count: 64))
      return hash.withBytes { Address(UnsafeRawBufferPointer(rebasing: $0[12...])) }
    }
  }

  private static func isLow(_ s: Digest) -> Bool {
    let words = s.words
    return (
      UInt64(bigEndian: words.0), UInt64(bigEndian: words.1), UInt64(bigEndian: words.2), UInt64(bigEndian: words.3)
    ) <= halfOrder
  }
}
