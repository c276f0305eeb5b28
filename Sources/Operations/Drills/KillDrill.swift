import Cluster
import Foundation
import Market

/// `drill kill`: kills processes of one role with -9 under load, and reports every kill.
public struct KillDrill {
  public struct Options: Sendable {
    public var role = ClusterMap.Role.matcher
    public var times = 1
    public var drill = DrillOptions()
    public init() {}
  }

  /// One kill.
  public struct Kill: Codable, Sendable {
    public var node: String
    public var pid: Int32
    /// Seconds after the start of the drill's load.
    public var at_seconds: Double
    /// From the kill until the same node, as another process, answers.
    public var recovery_ms: Double
    /// Orders that clients had accepted in the second before the kill, and in one after the recovery.
    public var orders_before: Int
    public var orders_after: Int
  }

  public struct Report: Codable, Sendable {
    public var drill = "kill"
    public var role: String
    public var passed: Bool
    public var kills: [Kill]
    public var recovery_ms_median: Double
    public var problems: [String]
    public var load: LoadReport?
    public var state_root: String
    public var epochs: Int
    public var invariants: [AuditReport.Invariant]
  }

  private let options: Options
  private let executable: String

  public init(_ options: Options, executable: String) {
    self.options = options
    self.executable = executable
  }

  public func run() -> Report {
    let drill = KillNode(role: options.role, times: options.times)
    let found = DrillRunner(drill, options.drill, executable: executable).run()
    let kills = found.injections.map { injection in
      Kill(
        node: injection.what.split(separator: " ").last.map(String.init) ?? "",
        pid: Int32(clamping: injection.proof["killed_pid"] ?? 0), at_seconds: injection.at_seconds,
        recovery_ms: injection.recovery_ms ?? 0, orders_before: injection.traffic_before,
        orders_after: injection.traffic_after)
    }
    var problems = found.problems
    if kills.count < options.times { problems.append("\(kills.count) of \(options.times) kills happened") }
    return Report(
      role: options.role.rawValue, passed: found.passed && problems.isEmpty, kills: kills,
      recovery_ms_median: found.recovery_ms_median, problems: problems, load: found.load,
      state_root: found.state_root, epochs: found.epochs, invariants: found.invariants)
  }
}
