import ArgumentParser
import Cluster
import Foundation
import Operations

/// Kills processes under load.
struct KillDrillCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kill", abstract: "Kill processes of a role with -9 under load, then audit the outcome.",
    discussion: """
      The drill starts a cluster of its own, drives load, kills, waits until the node answers again, winds down and \
      has the journals audited against the clients' logs. It fails if a kill did not happen, if there was no traffic \
      before and after, or if an invariant is breached.
      """)

  @Option(help: "matcher, risk, settlement, gateway, marks or verifier.") var role: String
  @Option(help: "Kills.") var times = 1
  @OptionGroup var arguments: DrillArguments
  @Option(help: "Data directory to use and keep; without it a temporary one.") var data: String?

  func validate() throws {
    guard ClusterMap.Role(rawValue: role) != nil else {
      throw ValidationError(
        "--role \(role): it must be one of \(ClusterMap.Role.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard (1...1_000).contains(times) else { throw ValidationError("--times \(times): it must be 1 to 1000") }
  }

  func run() throws {
    var options = KillDrill.Options()
    options.role = ClusterMap.Role(rawValue: role) ?? .matcher
    options.times = times
    options.drill = try arguments.options()
    options.drill.dataDirectory = data
    let report = KillDrill(options, executable: Executable.path).run()
    if arguments.json {
      print(Output.json(report))
    } else {
      for kill in report.kills {
        print(
          "killed \(kill.node) (\(kill.pid)) at \(String(format: "%.1f", kill.at_seconds)) s: back after "
            + "\(String(format: "%.0f", kill.recovery_ms)) ms, \(kill.orders_before) orders/s before, "
            + "\(kill.orders_after) after")
      }
      for invariant in report.invariants {
        print("  \(invariant.name): \(invariant.checks) checks, \(invariant.breaches) breaches")
      }
      for problem in report.problems { print("problem: \(problem)") }
      print(report.passed ? "passed" : "FAILED")
    }
    if !report.passed { throw ExitCode(1) }
  }
}
