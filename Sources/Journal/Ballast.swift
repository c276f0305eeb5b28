import Glibc

/// A file of preallocated disk in a journal's directory, let go when the disk is full, so that the machine can still
/// write what it must.
struct Ballast {
  private let path: String
  private let byteCount: Int
  /// Whether the disk is held.
  private(set) var isHeld: Bool

  /// Finds what an earlier owner of the journal held.
  init(directory: String, byteCount: Int) {
    path = "\(directory)/ballast"
    self.byteCount = byteCount
    var status = stat()
    isHeld = stat(path, &status) == 0 && Int(status.st_blocks) * 512 >= byteCount
  }

  /// Preallocates the disk, as far as there is room and the process's limit on the size of a file allows; else holds
  /// nothing.
  mutating func hold() {
    var limit = rlimit()
    // Beyond the limit the kernel would not refuse but kill.
    guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0, limit.rlim_cur >= rlim_t(byteCount) else {
      return
    }
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    isHeld = posix_fallocate(descriptor, 0, off_t(byteCount)) == 0
    if !isHeld { _ = ftruncate(descriptor, 0) }
  }

  /// Gives the disk back.
  mutating func release() {
    guard isHeld else { return }
    isHeld = false
    unlink(path)
  }
}
