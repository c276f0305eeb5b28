import Cluster
import Foundation

/// Asks the supervisor of a data directory to end, and waits for it.
public struct ClusterStop: CommandReport {
  /// False when nothing ran there.
  public var wasRunning: Bool
  /// The supervisor's process.
  public var pid: Int32?
  /// False when it did not end in time.
  public var isStopped: Bool
  public var dataDirectory: String

  public var isGood: Bool { isStopped }

  /// - Parameter seconds: how long to wait for the end.
  public init(dataDirectory: String, seconds: Double = 30) throws {
    self.dataDirectory = dataDirectory
    guard FileManager.default.fileExists(atPath: dataDirectory) else {
      throw CommandMistake("--data \(dataDirectory): no such directory; name the one the cluster was started with")
    }
    let path = SupervisorLock.path(in: dataDirectory)
    guard Self.isHeld(path), let supervisor = SupervisorLock.holder(dataDirectory: dataDirectory) else {
      (wasRunning, isStopped) = (false, true)
      return
    }
    pid = supervisor
    wasRunning = true
    guard kill(supervisor, SIGTERM) == 0 || errno == ESRCH else {
      throw CommandRefused("process \(supervisor) cannot be signalled: \(String(cString: strerror(errno)))")
    }
    let deadline = Date().addingTimeInterval(seconds)
    while Self.isHeld(path), Date() < deadline { usleep(20_000) }
    isStopped = !Self.isHeld(path)
  }

  /// Whether a living supervisor holds the lock: its file alone may be left from one that was killed.
  static func isHeld(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0
  }

  public var text: String {
    if !wasRunning { return "nothing runs in \(dataDirectory)" }
    let who = pid.map { "the cluster in \(dataDirectory) (process \($0))" } ?? "the cluster"
    return isStopped ? "\(who) has stopped" : "\(who) did not end in time; see \(dataDirectory)/logs/supervisor.log"
  }
}
