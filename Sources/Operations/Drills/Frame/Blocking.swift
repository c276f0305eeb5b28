import Foundation

extension Task where Success == Void, Failure == Never {
  /// Waits, on a thread that is not the pool's, for something that runs on an actor.
  static func blocking(_ body: @escaping @Sendable () async -> Void) {
    let done = DispatchSemaphore(value: 0)
    Task.detached {
      await body()
      done.signal()
    }
    done.wait()
  }
}
