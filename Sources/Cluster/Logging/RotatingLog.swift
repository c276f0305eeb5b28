import Foundation
import Logging
import Market
import Synchronization

/// A log file that is renamed away when it is full: `name.log`, then `name.log.1` … up to `keep`. Several handlers
/// share
/// one.
public final class RotatingLog: Sendable {
  private struct State {
    var descriptor: Int32
    var bytes: Int
  }
  private let path: String
  private let limit: Int
  private let keep: Int
  private let state: Mutex<State>

  /// - Parameters:
  ///   - path: the file to append to; its directory must exist.
  ///   - limit: bytes after which it is rotated.
  ///   - keep: rotated files kept.
  public init(path: String, limit: Int = 16 << 20, keep: Int = 4) throws {
    self.path = path
    self.limit = limit
    self.keep = keep
    state = Mutex(try Self.open(path))
  }

  deinit { state.withLock { _ = close($0.descriptor) } }

  private static func open(_ path: String) throws -> State {
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
    return State(descriptor: descriptor, bytes: Int(lseek(descriptor, 0, SEEK_END)))
  }

  /// Appends one line in one write. A full disk loses log lines, never the process.
  func write(_ line: String) {
    state.withLock { state in
      if state.bytes > limit { rotate(&state) }
      var line = line
      let written = line.withUTF8 { Glibc.write(state.descriptor, $0.baseAddress, $0.count) }
      if written > 0 { state.bytes += written }
    }
  }

  private func rotate(_ state: inout State) {
    for index in stride(from: keep - 1, through: 1, by: -1) { rename("\(path).\(index)", "\(path).\(index + 1)") }
    rename(path, "\(path).1")
    guard let fresh = try? Self.open(path) else { return }
    _ = close(state.descriptor)
    state = fresh
  }
}

/// Writes log entries as one JSON object a line: time, level, node, message, and the metadata as further keys.
public struct StructuredLogHandler: LogHandler {
  public var metadata: Logger.Metadata = [:]
  public var logLevel: Logger.Level
  private let node: String
  private let log: RotatingLog

  public init(node: String, level: Logger.Level, log: RotatingLog) {
    self.node = node
    logLevel = level
    self.log = log
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    let now = MachineClock.wall()
    var time = time_t(now.seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 32)
    strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let seconds = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let fraction = String(now.nanoseconds % 1_000_000_000 / 1_000 + 1_000_000).dropFirst()
    var line = "{\"time\":\"\(seconds).\(fraction)Z\",\"level\":\"\(event.level)\",\"node\":\(Self.quote(node))"
    line += ",\"message\":\(Self.quote("\(event.message)"))"
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) {
      line += ",\(Self.quote(key)):\(Self.quote("\(value)"))"
    }
    log.write(line + "}\n")
  }

  private static func quote(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\u{0}"..<" ": quoted += String(format: "\\u%04x", scalar.value)
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
