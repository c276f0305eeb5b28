import Bytes
import Cluster
import Cryptography
import Foundation
import Logging
import Market
import Settlement
import Synchronization

/// Keeps a verifier's state now and then, beside its work: it is put together where the machines are, and written by a
/// thread of its own.
final class VerifierSaving: Sendable {
  private let directory: String
  /// Entries re-executed between two savings.
  private let interval: UInt64
  private let log: Logger
  private let isWriting = Atomic<Bool>(false)
  /// Entries at the last saving.
  private let savedEntries = Atomic<UInt64>(0)
  /// Monotonic time before which nothing is saved: at most a twentieth of the time goes into putting it together.
  private let restUntil = Atomic<Int64>(0)

  init(directory: String, interval: UInt64, log: Logger) {
    self.directory = directory
    self.interval = interval
    self.log = log
  }

  /// The state that was saved last, taken up by `machines`; `nil` if there is none.
  func restore(_ machines: ClusterReexecution.Machines) throws -> VerifierState? {
    let state = try VerifierState.restore(machines.together.all, from: directory)
    savedEntries.store(Self.entries(machines), ordering: .relaxed)
    return state
  }

  private static func entries(_ machines: ClusterReexecution.Machines) -> UInt64 {
    machines.together.all.reduce(0) { $0 + $1.entries }
  }

  /// Saves if enough was re-executed since the last time.
  func saveIfDue(_ machines: ClusterReexecution.Machines, epoch: Epoch, headers: [Epoch: Digest]) {
    let now = MachineClock.monotonic()
    let entries = Self.entries(machines)
    guard entries - savedEntries.load(ordering: .relaxed) >= interval, now >= restUntil.load(ordering: .relaxed),
      !isWriting.load(ordering: .acquiring)
    else { return }
    isWriting.store(true, ordering: .relaxed)
    savedEntries.store(entries, ordering: .relaxed)
    let body = VerifierState(epoch: epoch, headers: headers).body(with: machines.together.all)
    let progress = VerifierProgress(
      epoch: epoch.rawValue, finalEpoch: machines.settlement.read { $0.lastFinalEpoch.rawValue },
      sequences: Dictionary(
        uniqueKeysWithValues: machines.together.all.map { ($0.id.description, $0.lastSequence.rawValue) }))
    let end = MachineClock.monotonic()
    restUntil.store(end + (end - now) * 20, ordering: .relaxed)
    Thread.detachNewThread { [self] in
      do {
        try VerifierState.save(body, in: directory)
        try progress.save(directory: directory)
      } catch {
        log.error("cannot keep the verifier's state", metadata: ["reason": "\(error)"])
      }
      isWriting.store(false, ordering: .releasing)
    }
  }
}
