import Bytes
import CNettle

/// SHA-256 (FIPS 180-4), by the processor's own instructions where it has them.
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
  static func withState(_ body: (inout sha256_ctx) -> Void) -> Digest {
    var state = sha256_ctx()
    nettle_sha256_init(&state)
    body(&state)
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digest in
      nettle_sha256_digest(&state, 32, digest.baseAddress!)
      return Digest(UnsafeRawBufferPointer(digest))
    }
  }

  @inline(__always)
  static func absorb(_ bytes: UnsafeRawBufferPointer, into state: inout sha256_ctx) {
    nettle_sha256_update(&state, bytes.count, bytes.bindMemory(to: UInt8.self).baseAddress)
  }
}
