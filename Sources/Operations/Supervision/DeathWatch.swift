import Foundation
import Synchronization

/// Notices the end of processes at once, each on a thread that waits for it; the process stays to be reaped by its
/// parent. Locks and files of one that is told of are free already.
final class DeathWatch: Sendable {
  private let onEnd: @Sendable (_ name: String) -> Void

  init(_ onEnd: @escaping @Sendable (_ name: String) -> Void) { self.onEnd = onEnd }

  /// Waits for the end of a child of this process.
  func watch(_ name: String, _ identifier: pid_t) {
    Thread.detachNewThread { [onEnd] in
      var information = siginfo_t()
      while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0 {
        guard errno == EINTR else { return }
      }
      onEnd(name)
    }
  }
}
