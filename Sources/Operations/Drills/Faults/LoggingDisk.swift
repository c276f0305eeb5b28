import Bytes
import Cluster
import Foundation
import Synchronization

/// A disk that remembers the order of things: a file system in user space with one file, `disk`, whose every write and
/// flush is logged, under a loop device with ext4. What was written and not flushed is what a power cut may take.
final class LoggingDisk: Sendable {
  /// What came to the disk.
  enum Event: Sendable {
    case write(offset: Int, bytes: [UInt8])
    /// All that came before is on the platter when this has been answered.
    case flush
  }

  struct Record: Sendable {
    /// Nanoseconds of the monotonic clock at which it came.
    var time: Int64
    var event: Event
  }

  private struct State {
    var image = SparseBytes()
    var log: [Record] = []
    var isLogging = true
  }

  let mountPoint: String
  let bytes: Int
  private let fuseDirectory: String
  private let descriptor: Int32
  private let state: Mutex<State>
  /// The loop device, once there is one.
  private let device = Mutex<String?>(nil)

  static let needs: [DrillNeed] =
    LoopDisk.needs + [.file("/dev/fuse", package: ""), .program("umount", package: "mount")]

  /// Makes the disk, a file system on it, and mounts that at `mountPoint`.
  /// - Parameter scratch: a directory that does not exist yet, for the file.
  init(scratch: String, mountPoint: String, mebibytes: Int) throws {
    bytes = mebibytes << 20
    state = Mutex(State())
    self.mountPoint = mountPoint
    fuseDirectory = scratch
    for directory in [scratch, mountPoint] {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
    descriptor = open("/dev/fuse", O_RDWR | O_CLOEXEC)
    let options = "fd=\(descriptor),rootmode=40000,user_id=0,group_id=0,allow_other"
    guard descriptor >= 0, mount("novation-disk", scratch, "fuse", UInt(MS_NOSUID | MS_NODEV), options) == 0 else {
      let reason = String(cString: strerror(errno))
      if descriptor >= 0 { close(descriptor) }
      throw SupervisionError(what: scratch, reason: "a file system in user space cannot be mounted: \(reason)")
    }
    Thread.detachNewThread { self.serve() }
    do {
      let loop = try Shell.run("losetup", "-f", "--show", "\(scratch)/disk")
        .trimmingCharacters(in: .whitespacesAndNewlines)
      device.withLock { $0 = loop }
      try Shell.run(
        "mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", "-N", "128",
        "-J", "size=4", loop)
      try Shell.run("mount", "-o", "nodiscard", loop, mountPoint)
      try Shell.run("sync", "-f", mountPoint)
    } catch {
      try? remove()
      throw error
    }
  }

  /// Everything that came to the disk so far; nothing more is logged.
  func stopLogging() -> [Record] {
    state.withLock { state in
      state.isLogging = false
      defer { state.log = [] }
      return state.log
    }
  }

  /// Unmounts everything.
  func remove() throws {
    // What was just closed may be busy for a moment.
    var failure: (any Error)?
    for attempt in 0..<20 {
      do {
        failure = nil
        if attempt == 0 || isMounted(mountPoint) { try Shell.run("umount", mountPoint) }
        break
      } catch {
        failure = error
        usleep(100_000)
      }
    }
    if let loop = device.withLock({ $0 }) { _ = try? Shell.run("losetup", "-d", loop) }
    for _ in 0..<20 {
      if umount2(fuseDirectory, 0) == 0 { break }
      usleep(100_000)
    }
    if isMounted(fuseDirectory) { umount2(fuseDirectory, Int32(MNT_DETACH)) }
    rmdir(fuseDirectory)
    if let failure { throw failure }
  }

  private func isMounted(_ path: String) -> Bool {
    ((try? String(contentsOfFile: "/proc/mounts", encoding: .utf8)) ?? "").contains(" \(path) ")
  }

  // MARK: The file system

  /// Until it is unmounted.
  private func serve() {
    let room = FuseRequest.mostWritten + (64 << 10)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 4_096)
    defer { buffer.deallocate() }
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR || errno == EAGAIN || errno == ENOENT { continue }
      guard count >= FuseRequest.headerBytes else { break }
      answer(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    close(descriptor)
  }

  private func answer(_ request: UnsafeRawBufferPointer) {
    var reader = ByteReader(request)
    _ = reader.u32()
    let operation = FuseRequest.Operation(rawValue: reader.u32())
    let unique = reader.u64()
    let node = reader.u64()
    _ = reader.bytes(FuseRequest.headerBytes - 24)
    switch operation {
    case .forget, .forgetMany, .interrupt: return
    case .initialise: reply(unique, FuseRequest.capabilities)
    case .lookup:
      let name = String(decoding: reader.bytes(reader.remaining).prefix { $0 != 0 }, as: UTF8.self)
      if node == FuseRequest.root, name == "disk" {
        reply(unique, FuseRequest.entryAnswer(FuseRequest.file, size: bytes))
      } else {
        reply(unique, error: ENOENT)
      }
    case .getAttributes, .setAttributes: reply(unique, FuseRequest.attributesAnswer(node, size: bytes))
    case .open, .openDirectory:
      var body = ByteWriter()
      body.u64(0)
      body.u64(0)
      reply(unique, body)
    case .read: read(&reader, unique)
    case .write: write(&reader, unique)
    case .synchronise:
      log(.flush)
      reply(unique, ByteWriter())
    case .statistics:
      var body = ByteWriter()
      for _ in 0..<10 { body.u64(0) }
      reply(unique, body)
    case .release, .flush, .releaseDirectory, .readDirectory, .destroy: reply(unique, ByteWriter())
    case .allocate: reply(unique, error: EOPNOTSUPP)
    case nil: reply(unique, error: ENOSYS)
    }
  }

  private func read(_ reader: inout ByteReader, _ unique: UInt64) {
    _ = reader.u64()
    let offset = Int(reader.u64())
    let count = Int(reader.u32())
    var body = ByteWriter(capacity: count)
    let end = min(bytes, offset + count)
    if offset < end { body.bytes(state.withLock { $0.image.read(offset..<end) }) }
    reply(unique, body)
  }

  private func write(_ reader: inout ByteReader, _ unique: UInt64) {
    _ = reader.u64()
    let offset = Int(reader.u64())
    let count = Int(reader.u32())
    _ = reader.bytes(20)
    let written = reader.bytes(count)
    guard !reader.hasFailed, offset + count <= bytes else { return reply(unique, error: ENOSPC) }
    let copied = [UInt8](written)
    state.withLock { $0.image.write(copied[...], at: offset) }
    log(.write(offset: offset, bytes: copied))
    var body = ByteWriter()
    body.u32(UInt32(count))
    body.u32(0)
    reply(unique, body)
  }

  private func log(_ event: Event) {
    let time = MachineClock.monotonic()
    state.withLock { state in
      if state.isLogging { state.log.append(Record(time: time, event: event)) }
    }
  }

  private func reply(_ unique: UInt64, _ body: borrowing ByteWriter) { send(unique, 0, body) }
  private func reply(_ unique: UInt64, error: Int32) { send(unique, -error, ByteWriter()) }

  private func send(_ unique: UInt64, _ error: Int32, _ body: borrowing ByteWriter) {
    var answer = ByteWriter(capacity: 16 + body.count)
    answer.u32(UInt32(16 + body.count))
    answer.u32(UInt32(bitPattern: error))
    answer.u64(unique)
    answer.bytes(body.bytes)
    let bytes = answer.bytes
    _ = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
  }
}
