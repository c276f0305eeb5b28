import Bytes
import CSodium

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
  /// The hash of `bytes`.
  public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
    withState { absorb(bytes, into: &$0) }
  }
  /// The hash of `bytes`.
  public static func hash(_ bytes: [UInt8]) -> Digest {
    bytes.withUnsafeBytes { hash($0) }
  }
  /// The hash of `a`‖`b`.
  public static func hash(_ a: Digest, _ b: Digest) -> Digest {
    withState { state in
      a.withBytes { absorb($0, into: &state) }
      b.withBytes { absorb($0, into: &state) }
    }
  }

  /// Hashes what `body` absorbs; the state lives on the stack.
  @inline(__always)
  static func withState(_ body: (inout crypto_hash_sha256_state) -> Void) -> Digest {
    var state = crypto_hash_sha256_state()
    crypto_hash_sha256_init(&state)
    body(&state)
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digest in
      crypto_hash_sha256_final(&state, digest.baseAddress!)
      return Digest(UnsafeRawBufferPointer(digest))
    }
  }

  @inline(__always)
  static func absorb(_ bytes: UnsafeRawBufferPointer, into state: inout crypto_hash_sha256_state) {
    crypto_hash_sha256_update(&state, bytes.bindMemory(to: UInt8.self).baseAddress, UInt64(bytes.count))
  }
}
