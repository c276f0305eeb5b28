import Foundation
import Operations
import Synchronization

/// Runs seeds one after another, each in a simulation of its own, on as many threads as there are processors.
public struct SimulationRun: Sendable {
  public var options = SimulationOptions()
  public var firstSeed: UInt64
  /// Seeds to run; `nil` for as many as fit into the time.
  public var seeds: Int?
  /// Seconds after which no other seed is begun.
  public var seconds: Double?
  /// No other seed is begun once this invariant was breached.
  public var soughtInvariant: String?
  /// Whether the first failing seed is told and shrunk.
  public var shrinks = true
  public var workers = max(1, ProcessInfo.processInfo.activeProcessorCount)

  public init(firstSeed: UInt64) { self.firstSeed = firstSeed }

  private struct Progress {
    var next: UInt64 = 0
    var outcomes: [SeedOutcome] = []
    var failure: String?
    var isFound = false
  }

  /// Runs the seeds.
  /// - Parameter say: is told a line for each seed.
  /// - Throws: why the simulation cannot be run at all.
  public func run(_ say: @escaping @Sendable (String) -> Void) throws -> SimulationReport {
    #if NOVATION_PLANT
      try SimulatedPlant.plant(options.plants)
      defer { SimulatedPlant.removeAll() }
    #endif
    let begin = Date()
    let progress = Mutex(Progress())
    let group = DispatchGroup()
    for _ in 0..<min(workers, seeds ?? workers) {
      group.enter()
      let thread = Thread {
        work(progress, since: begin, say)
        group.leave()
      }
      thread.stackSize = 16 << 20
      thread.start()
    }
    group.wait()
    let done = progress.withLock { $0 }
    if let failure = done.failure { throw SimulationError(reason: failure) }
    var report = SimulationReport(firstSeed: firstSeed, steps: options.steps)
    for outcome in done.outcomes.sorted(by: { $0.seed < $1.seed }) { report.append(outcome) }
    if let failed = done.outcomes.sorted(by: { $0.seed < $1.seed }).first(where: { !$0.breaches.isEmpty }) {
      try explain(failed, say)
    }
    report.wall_seconds = Date().timeIntervalSince(begin)
    return report
  }

  private func work(_ progress: borrowing Mutex<Progress>, since begin: Date, _ say: (String) -> Void) {
    while true {
      let seed = progress.withLock { progress -> UInt64? in
        let isEnough = seeds.map { progress.next >= UInt64($0) } ?? false
        let isLate = seconds.map { Date().timeIntervalSince(begin) >= $0 && progress.next > 0 } ?? false
        guard !isEnough, !isLate, !progress.isFound, progress.failure == nil else { return nil }
        progress.next += 1
        return firstSeed &+ progress.next - 1
      }
      guard let seed else { return }
      do {
        let outcome = try Simulation(seed: seed, options: options).run(until: soughtInvariant)
        say(outcome.line)
        let isFound = outcome.breaches.contains { $0.invariant == soughtInvariant }
        progress.withLock {
          $0.outcomes.append(outcome)
          if isFound { $0.isFound = true }
        }
      } catch {
        progress.withLock { $0.failure = "seed \(seed): \(error)" }
      }
    }
  }

  /// Tells the first failing seed: its last events, and the smallest run that still fails.
  private func explain(_ failed: SeedOutcome, _ say: (String) -> Void) throws {
    for line in failed.lastEvents { say("  \(line)") }
    guard shrinks else { return }
    say("seed \(failed.seed): shrinking")
    var shrinker = Shrinker(failed, options)
    let shrunk = try shrinker.shrink()
    for breach in shrunk.breaches.prefix(4) { say("  \(breach.invariant) at step \(breach.step): \(breach.what)") }
    say("seed \(failed.seed): shrunk to \(shrinker.text) in \(shrinker.runs) runs; reproduce with")
    say("  \(shrinker.command)")
  }
}

/// Why seeds cannot be run.
public struct SimulationError: Error, CustomStringConvertible {
  public var reason: String
  public var description: String { reason }
}

extension SeedOutcome {
  /// One line for people.
  var line: String {
    let faults = injections.filter { FaultKind(rawValue: $0.key) != nil }.reduce(0) { $0 + $1.value }
    let seconds = (Double(simulatedNanoseconds) / 1e8).rounded() / 10
    let text =
      "seed \(seed): \(steps) steps, \(seconds) s, \(faults) faults, \(inputs) inputs, \(acknowledged) acknowledged, "
      + "\(fills) fills, \(epochs) epochs, trace \(String(trace, radix: 16))"
    let names = Set(breaches.map(\.invariant)).sorted()
    return names.isEmpty ? text : text + ", BREACHED \(names.joined(separator: " "))"
  }
}
