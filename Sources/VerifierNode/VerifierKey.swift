import Bytes
import Cryptography
import Foundation

/// The key with which a verifier attests, in a file of 64 hexadecimal digits that only its owner can read.
public enum VerifierKey {
  private static func path(in directory: String) -> String { "\(directory)/attestation.secret" }

  public static func openOrCreate(directory: String) throws -> PrivateKey {
    let path = path(in: directory)
    if !FileManager.default.fileExists(atPath: path) {
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw VerifierKeyError(path: path, reason: String(cString: strerror(errno))) }
      defer { close(descriptor) }
      let text = [UInt8](Hexadecimal.encode(PrivateKey.generate().secret.array).utf8)
      guard write(descriptor, text, text.count) == text.count, fsync(descriptor) == 0 else {
        throw VerifierKeyError(path: path, reason: "cannot be written")
      }
    }
    return try load(directory: directory)
  }

  /// Refuses a file that others can read.
  public static func load(directory: String) throws -> PrivateKey {
    let path = path(in: directory)
    var status = stat()
    guard stat(path, &status) == 0 else { throw VerifierKeyError(path: path, reason: String(cString: strerror(errno))) }
    guard status.st_mode & 0o077 == 0 else {
      throw VerifierKeyError(path: path, reason: "others can read this key; chmod 600 it")
    }
    guard let data = FileManager.default.contents(atPath: path),
      let key = PrivateKey(hexadecimal: String(decoding: data, as: UTF8.self))
    else { throw VerifierKeyError(path: path, reason: "not a key of 64 hexadecimal digits") }
    return key
  }
}

/// A verifier's key that cannot be used.
public struct VerifierKeyError: Error, CustomStringConvertible {
  public var path: String
  public var reason: String
  public var description: String { "\(path): \(reason)" }
}
