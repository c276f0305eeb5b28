import Bytes
import Glibc

/// A file that holds one key: 64 hexadecimal digits and a line end.
enum KeyFile {
  /// Largest file that is read.
  private static let byteLimit = 200

  /// Reads the key at `path`. A secret one must belong to its owner alone (mode 0600, or stricter).
  static func read(_ path: String, isSecret: Bool) throws(MessagingError) -> Digest {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .failed(operation: "open", subject: path, code: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .failed(operation: "stat", subject: path, code: errno) }
    if isSecret, status.st_mode & 0o077 != 0 { throw .looseMode(path: path, mode: status.st_mode & 0o777) }
    let text = withUnsafeTemporaryAllocation(byteCount: byteLimit, alignment: 1) { bytes in
      let count = Glibc.read(descriptor, bytes.baseAddress, bytes.count)
      return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
    let digits = text.hasSuffix("\n") ? String(text.dropLast()) : text
    guard digits.utf8.count == 64, let bytes = Hexadecimal.decode(digits), bytes.count == 32 else {
      throw .malformedKey(path: path, expected: "64 hexadecimal digits and nothing else")
    }
    return Digest(bytes)
  }

  /// Writes a new file; one that is there already is left alone and reported as `EEXIST`.
  static func write(_ key: Digest, to path: String, isSecret: Bool) throws(MessagingError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, isSecret ? 0o600 : 0o644)
    guard descriptor >= 0 else { throw .failed(operation: "create", subject: path, code: errno) }
    defer { close(descriptor) }
    var text = Hexadecimal.encode(key.array) + "\n"
    let written = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count }
    guard written, fsync(descriptor) == 0 else {
      let code = errno
      unlink(path)
      throw .failed(operation: "write", subject: path, code: code)
    }
  }
}
