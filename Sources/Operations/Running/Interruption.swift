import Foundation
import Synchronization

/// Ctrl-C and SIGTERM as a flag that a command's loop asks.
public enum Interruption {
  private static let count = Atomic<Int>(0)

  /// From now on the signals set the flag instead of ending the process.
  public static func watch() {
    // Whoever started this process may have had them blocked, and a blocked signal would never be heard.
    var watched = sigset_t()
    sigemptyset(&watched)
    for signal in [SIGINT, SIGTERM] { sigaddset(&watched, signal) }
    pthread_sigmask(SIG_UNBLOCK, &watched, nil)
    for signal in [SIGINT, SIGTERM] {
      Glibc.signal(signal) { _ in Interruption.count.add(1, ordering: .relaxed) }
    }
    Glibc.signal(SIGPIPE, SIG_IGN)
  }

  public static var wasRequested: Bool { count.load(ordering: .relaxed) > 0 }
}
