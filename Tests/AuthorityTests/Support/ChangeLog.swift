import Authority
import Synchronization

/// What a watch told, in order.
final class ChangeLog: Sendable {
  private let told = Mutex<[AuthorityChange]>([])

  func append(_ change: AuthorityChange) { told.withLock { $0.append(change) } }
  var all: [AuthorityChange] { told.withLock { $0 } }

  var records: [Ownership] {
    all.compactMap { change in if case .owned(let record) = change { record } else { nil } }
  }

  func contains(_ change: AuthorityChange) -> Bool { all.contains(change) }
  func goneNodes() -> [String] {
    all.compactMap { change in if case .nodeDown(let node, _) = change { node } else { nil } }
  }
}

/// Waits until `condition` holds; `false` if it does not in time.
func eventually(seconds: Double = 5, _ condition: () async throws -> Bool) async rethrows -> Bool {
  let end = ContinuousClock.now + .seconds(seconds)
  repeat {
    if try await condition() { return true }
    try? await Task.sleep(for: .milliseconds(2))
  } while ContinuousClock.now < end
  return false
}
