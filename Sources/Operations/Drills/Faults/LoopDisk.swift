import Foundation

/// A small ext4 file system of its own, on a loop device over a file, mounted where a journal will be.
final class LoopDisk {
  let mountPoint: String
  private let image: String
  private var filler: String { "\(mountPoint)/filler" }

  /// - Parameter image: the file that becomes the disk.
  init(image: String, mountPoint: String, mebibytes: Int) throws {
    self.image = image
    self.mountPoint = mountPoint
    try Shell.run("truncate", "-s", "\(mebibytes)M", image)
    do {
      try Shell.run("mkfs.ext4", "-q", "-m", "0", image)
      try FileManager.default.createDirectory(
        atPath: mountPoint, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try Shell.run("mount", "-o", "loop", image, mountPoint)
    } catch {
      unlink(image)
      throw error
    }
  }

  static let needs: [DrillNeed] = [
    .root, .program("losetup", package: "mount"), .program("mkfs.ext4", package: "e2fsprogs"),
    .file("/dev/loop-control", package: ""),
  ]

  /// Takes every free byte, without writing any. - Returns: how many.
  func fill() throws -> Int64 {
    let descriptor = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SupervisionError(what: filler, reason: String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    fstat(descriptor, &status)
    let before = Int64(status.st_size)
    var taken = before
    // In ever smaller steps, so that nothing is left over.
    for size in [64 << 20, 1 << 20, 1 << 16, 1 << 12] as [Int64] {
      while posix_fallocate(descriptor, off_t(taken), off_t(size)) == 0 { taken += size }
    }
    return taken - before
  }

  /// Gives the space back.
  func empty() { unlink(filler) }

  /// Major and minor number of the device, as the kernel's control files want them.
  func deviceNumber() throws -> String {
    let device = try Shell.run("findmnt", "-no", "SOURCE", mountPoint).trimmingCharacters(in: .whitespacesAndNewlines)
    let path = "/sys/block/\(URL(fileURLWithPath: device).lastPathComponent)/dev"
    guard let number = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw SupervisionError(what: device, reason: "\(path) is not there")
    }
    return number.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Unmounts it and removes its file.
  func remove() throws {
    try Shell.run("umount", mountPoint)
    unlink(image)
  }
}
