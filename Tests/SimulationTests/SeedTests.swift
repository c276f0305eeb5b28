import Foundation
import Testing

@testable import Simulation

/// Whole clusters from seeds. Bugs are planted for the process: one test after another.
@Suite(.serialized) struct SeedTests {
  static func run(
    _ seed: UInt64, seeds: Int, steps: Int = 4_000, plants: [String] = [], sought: String? = nil
  ) throws -> SimulationReport {
    var run = SimulationRun(firstSeed: seed)
    run.seeds = seeds
    run.options.steps = steps
    run.options.plants = plants
    run.soughtInvariant = sought
    run.shrinks = false
    return try run.run { _ in }
  }

  @Test func everyInvariantHoldsThroughEveryFault() throws {
    let report = try Self.run(1, seeds: 48, steps: 6_000)
    for breach in report.breaches { Issue.record("seed \(breach.seed), \(breach.invariant): \(breach.what)") }
    #expect(report.seeds == 48)
    #expect(report.invariants.count == 12)
    for (name, invariant) in report.invariants { #expect(invariant.checks > 0, "\(name) was never checked") }
    for kind in FaultKind.allCases {
      #expect(report.injections[kind.rawValue] ?? 0 > 0, "no seed made the fault \(kind.rawValue)")
    }
    for kind in [
      "restart", "handed_over", "moved", "old_copy_noticed", "frames_lost", "frames_duplicated", "frames_reordered",
      "frames_delayed",
    ] {
      #expect(report.injections[kind] ?? 0 > 0, "\(kind) never bit")
    }
    #expect(report.acknowledged > 1_000)
    #expect(report.fills > 1_000)
    #expect(report.epochs > 100)
  }

  @Test func aSeedIsTheSameInTwoProcesses() throws {
    func run() throws -> String {
      let process = Process()
      let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      process.executableURL = URL(fileURLWithPath: runner).deletingLastPathComponent()
        .appendingPathComponent("novation")
      process.arguments = ["simulate", "--seed", "17", "--steps", "3000"]
      let pipe = Pipe()
      process.standardOutput = pipe
      try process.run()
      let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "\(output)")
      return output.split(separator: "\n").first.map(String.init) ?? ""
    }
    let first = try run()
    #expect(first.contains("trace "))
    #expect(try run() == first)
    #expect(try Simulation(seed: 17, options: Self.options(steps: 3_000)).run().line == first)
  }

  @Test func withoutFaultsNobodyRestarts() throws {
    var options = Self.options(steps: 2_000)
    options.only = []
    let outcome = try Simulation(seed: 3, options: options).run()
    #expect(outcome.breaches.isEmpty)
    #expect(outcome.injections["restart"] == 0)
    #expect(FaultKind.allCases.allSatisfy { outcome.injections[$0.rawValue] == 0 })
  }

  @Test func aFaultThatIsLeftOutIsNotMade() throws {
    let all = try Simulation(seed: 5, options: Self.options(steps: 3_000)).run()
    var options = Self.options(steps: 3_000)
    options.without = Set(all.made)
    let none = try Simulation(seed: 5, options: options).run()
    let sum = { (outcome: SeedOutcome) in FaultKind.allCases.reduce(0) { $0 + (outcome.injections[$1.rawValue] ?? 0) } }
    #expect(sum(all) > 2)
    #expect(sum(none) < sum(all))
    #expect(all.trace != none.trace)
  }

  static func options(steps: Int) -> SimulationOptions {
    var options = SimulationOptions()
    options.steps = steps
    return options
  }
}
