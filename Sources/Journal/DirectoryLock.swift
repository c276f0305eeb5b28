import Glibc

/// The exclusive right to write a directory, held by `flock` on its file `owner.lock`, which names the holder's
/// process. The kernel gives it back when the holder dies, however it dies.
final class DirectoryLock {
  private let descriptor: Int32

  init(directory: String) throws(JournalError) {
    let path = "\(directory)/owner.lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .failed(operation: "open", path: path, code: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      let holder = Self.holder(descriptor)
      close(descriptor)
      if code == EWOULDBLOCK { throw .alreadyOwned(path: directory, processID: holder) }
      throw .failed(operation: "flock", path: path, code: code)
    }
    var text = "\(getpid())\n"
    let written = text.withUTF8 { ftruncate(descriptor, 0) == 0 && pwrite(descriptor, $0.baseAddress, $0.count, 0) > 0 }
    guard written else {
      let code = errno
      close(descriptor)
      throw .failed(operation: "write", path: path, code: code)
    }
  }

  deinit {
    // Unlocked by name: a child between its fork and its exec still holds the descriptor.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  private static func holder(_ descriptor: Int32) -> Int32 {
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { bytes in
      let count = pread(descriptor, bytes.baseAddress, bytes.count, 0)
      let digits = bytes.prefix(max(0, count)).prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
      return Int32(String(decoding: digits, as: UTF8.self)) ?? 0
    }
  }
}
