import Foundation

/// Ties a process to the one that started it: standard input is a pipe whose other end the parent holds.
public enum Lifeline {
  /// Asks this process to end (SIGTERM) when the supervisor that started it is gone: a cluster without its supervisor
  /// is not left behind, nor is what drives it. Does nothing in a process that was not started so.
  public static func follow() {
    guard ProcessInfo.processInfo.environment[ChildProcess.lifelineVariable] != nil else { return }
    Thread.detachNewThread {
      var byte: UInt8 = 0
      while read(0, &byte, 1) > 0 {}
      kill(getpid(), SIGTERM)
    }
  }
}
