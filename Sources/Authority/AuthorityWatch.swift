import Synchronization

/// A running watch; it ends when it is cancelled or nobody holds it any more.
public final class AuthorityWatch: Sendable {
  private let ending: Mutex<(@Sendable () -> Void)?>

  /// - Parameter onCancel: ends it; called once, from whichever thread cancels.
  public init(onCancel: @escaping @Sendable () -> Void) { ending = Mutex(onCancel) }

  deinit { cancel() }

  /// Ends the watch. A change that is being told at this moment may still arrive.
  public func cancel() {
    let end = ending.withLock { ending in
      defer { ending = nil }
      return ending
    }
    end?()
  }
}
