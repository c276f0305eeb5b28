import Foundation

/// Puts a file's earlier bytes back.
enum FileOverwriting {
  private static let step = 1 << 20

  /// In the same file, whose tail stays if it is longer: verifiers have it open, and go on with what they have open.
  static func overwrite(_ path: String, with copy: String) throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: copy))
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    defer { close(descriptor) }
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        pwrite(descriptor, buffer.baseAddress?.advanced(by: offset), min(step, buffer.count - offset), off_t(offset))
      }
      guard count > 0 else { throw SupervisionError(what: path, reason: String(cString: strerror(errno))) }
      offset += count
    }
    fsync(descriptor)
  }
}
