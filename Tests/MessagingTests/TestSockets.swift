import Bytes
import Glibc
import Messaging

/// A directory that goes with the test; its path is short enough for ipc endpoints.
final class TemporaryDirectory: Sendable {
  let path: String

  init() {
    var template = [UInt8]("/tmp/msg-XXXXXX\0".utf8)
    path = template.withUnsafeMutableBytes { bytes in
      String(cString: mkdtemp(bytes.baseAddress!.assumingMemoryBound(to: CChar.self)))
    }
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    if let entries = opendir(path) {
      while let entry = readdir(entries) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != "..", unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
      }
      closedir(entries)
    }
    rmdir(path)
  }
}

/// Where a server can listen: over a file, or over TCP on a free port.
enum Transport: CaseIterable {
  case ipc, tcp
  func endpoint(_ directory: TemporaryDirectory) -> String {
    self == .ipc ? "ipc://\(directory.path)/s" : "tcp://127.0.0.1:*"
  }
}

extension MessageBuffer {
  /// Copies of the frames.
  var all: [[UInt8]] {
    var frames: [[UInt8]] = []
    for index in 0..<count { frames.append([UInt8](frame(index))) }
    return frames
  }
}

extension Socket {
  func sendText(_ text: String) throws -> SendResult { try send(frames: [Array(text.utf8)]) }

  /// The frames of the next message, if one comes in time.
  func nextMessage(milliseconds: Int = 3000, frames: Int = 4) throws -> (frames: [[UInt8]], user: String?)? {
    var buffer = MessageBuffer(frames: frames)
    guard try waitForMessage(&buffer, milliseconds: milliseconds) else { return nil }
    return (buffer.all, buffer.userID)
  }

  func nextText(milliseconds: Int = 3000) throws -> String? {
    try nextMessage(milliseconds: milliseconds).map { String(decoding: $0.frames.last!, as: UTF8.self) }
  }

  func waitForMessage(_ buffer: inout MessageBuffer, milliseconds: Int = 3000) throws -> Bool {
    let deadline = MonotonicTime.now().advanced(by: Int64(milliseconds) * 1_000_000)
    repeat {
      if try receive(into: &buffer) { return true }
      usleep(500)
    } while MonotonicTime.now() < deadline
    return false
  }
}

/// Waits until `condition` holds; `false` if it does not in three seconds.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<3000 {
    if try condition() { return true }
    usleep(1000)
  }
  return false
}
