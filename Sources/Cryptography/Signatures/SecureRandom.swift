import Bytes
import CSodium

/// Unpredictable bytes from the operating system, for keys. Machines never use it.
public enum SecureRandom {
  /// libsodium wants to be initialised once before random bytes are drawn on several threads.
  private static let isReady: Bool = sodium_init() >= 0

  /// 32 random bytes.
  public static func digest() -> Digest {
    precondition(isReady, "libsodium does not initialise")
    return withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { bytes in
      randombytes_buf(bytes.baseAddress!, 32)
      return Digest(UnsafeRawBufferPointer(bytes))
    }
  }
}
