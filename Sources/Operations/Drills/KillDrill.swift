import Cluster
import Foundation
import Market

/// Kills processes of one role with -9 under load, lets the supervisor bring them back, and has the outcome audited.
public final class KillDrill {
  public struct Options: Sendable {
    public var role = ClusterMap.Role.matcher
    public var times = 1
    /// Length of the load; the kills are spread over it.
    public var seconds = 10.0
    /// Absent: a fresh directory of its own, removed if all went well.
    public var dataDirectory: String?
    public var instrumentsPath = "cluster/config/instruments.toml"
    public var configuration = ClusterConfiguration()
    public var rate = 2_000
    public var batch = 16
    public var accounts = 16
    public var plants: [String] = []
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
    /// Orders that the shards took in the second before the kill, and in the one after the recovery.
    public var orders_before: Int64
    public var orders_after: Int64
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

  /// Time for the load to get going before the first kill.
  private static let settlingSeconds = 4.0
  private static let recoverySeconds = 30.0

  private let options: Options
  private let executable: String

  public init(_ options: Options, executable: String) {
    self.options = options
    self.executable = executable
  }

  public func run() throws -> Report {
    Interruption.watch()
    let path = options.dataDirectory ?? "\(NSTemporaryDirectory())/novation-drill-\(getpid())"
    let directory = ClusterDirectory(
      path: path, configuration: options.configuration, instrumentsPath: options.instrumentsPath)
    let cluster = try LocalCluster(
      directory: directory, executable: executable, nodeArguments: options.plants.flatMap { ["--plant", $0] })
    var report = Report(
      role: options.role.rawValue, passed: false, kills: [], recovery_ms_median: 0, problems: [], load: nil,
      state_root: "", epochs: 0, invariants: [])
    do {
      report.load = try drive(cluster, &report)
      try cluster.waitUntilSettled(seconds: 60)
    } catch {
      report.problems.append("\(error)")
    }
    report.problems += cluster.stop()
    let auditor = try CapturedProcess.audit(executable: executable, dataDirectory: cluster.map.dataDirectory)
    _ = auditor.wait()
    let audit = try auditor.result(AuditReport.self)
    report.state_root = audit.state_root
    report.epochs = audit.epochs
    report.invariants = audit.invariants
    judge(&report, audit)
    if options.dataDirectory == nil, report.passed { try directory.removeAll() }
    return report
  }

  /// The load runs from before the first kill until after the last.
  private func drive(_ cluster: LocalCluster, _ report: inout Report) throws -> LoadReport {
    let nodes = cluster.map.nodes.filter { $0.role == options.role }
    guard !nodes.isEmpty else {
      throw SupervisionError(what: "--role", reason: "this cluster has no \(options.role.rawValue)")
    }
    let generator = try CapturedProcess.load(
      executable: executable, dataDirectory: cluster.map.dataDirectory, rate: options.rate, batch: options.batch,
      accounts: options.accounts, seconds: options.seconds + Self.settlingSeconds)
    try waitForTraffic(cluster, generator)
    let start = Date()
    let pause = options.seconds / Double(options.times + 1)
    for number in 0..<options.times {
      let due = start.addingTimeInterval(Self.settlingSeconds + pause * Double(number))
      while Date() < due { try tend(cluster) }
      let node = nodes[number % nodes.count]
      let at = Date().timeIntervalSince(start)
      report.kills.append(try kill(node, cluster, at))
      if Interruption.wasRequested { break }
    }
    let ending = try generator.wait { try cluster.supervisor.tend() }
    guard ending.isClean else {
      throw SupervisionError(what: "load", reason: "\(ending.text); see \(cluster.map.logDirectory)/load.out")
    }
    return try generator.result(LoadReport.self)
  }

  private func waitForTraffic(_ cluster: LocalCluster, _ generator: CapturedProcess) throws {
    let deadline = Date().addingTimeInterval(60)
    while orders(cluster) == 0 {
      try tend(cluster)
      if let ending = generator.poll() { throw SupervisionError(what: "load", reason: ending.text) }
      guard Date() < deadline else { throw SupervisionError(what: "load", reason: "no order was taken within 60 s") }
    }
  }

  private func tend(_ cluster: LocalCluster) throws {
    try cluster.supervisor.tend()
    usleep(5_000)
  }

  /// Orders taken by the shards that answer, in all.
  private func orders(_ cluster: LocalCluster) -> Int64 {
    cluster.map.shards.reduce(0) { sum, shard in
      sum + ((try? cluster.client.status(of: .shard(shard), timeoutSeconds: 0.5))?.figures["orders"] ?? 0)
    }
  }

  private func ordersInASecond(_ cluster: LocalCluster) throws -> Int64 {
    let before = orders(cluster)
    let end = Date().addingTimeInterval(1)
    while Date() < end { try tend(cluster) }
    return orders(cluster) - before
  }

  private func kill(_ node: ClusterMap.Node, _ cluster: LocalCluster, _ at: Double) throws -> Kill {
    let before = try ordersInASecond(cluster)
    guard let victim = cluster.supervisor.identifier(of: node.name),
      let host = node.hosts.first.flatMap({ MachineID(name: $0) })
    else { throw SupervisionError(what: node.name, reason: "it is not running, so it cannot be killed") }
    let start = MachineClock.monotonic()
    guard Glibc.kill(victim, SIGKILL) == 0 else {
      throw SupervisionError(what: node.name, reason: "kill: \(String(cString: strerror(errno)))")
    }
    let deadline = Date().addingTimeInterval(Self.recoverySeconds)
    while true {
      try cluster.supervisor.tend()
      if let status = try? cluster.client.status(of: host, timeoutSeconds: 0.1), status.processIdentifier != victim {
        break
      }
      guard Date() < deadline else {
        throw SupervisionError(what: node.name, reason: "it did not come back within \(Self.recoverySeconds) s")
      }
    }
    let recovery = Double(MachineClock.monotonic() - start) / 1e6
    let after = try ordersInASecond(cluster)
    return Kill(
      node: node.name, pid: victim, at_seconds: at, recovery_ms: recovery, orders_before: before, orders_after: after)
  }

  /// A drill that injected nothing, or had nothing to disturb, has not passed.
  private func judge(_ report: inout Report, _ audit: AuditReport) {
    let sorted = report.kills.map(\.recovery_ms).sorted()
    if !sorted.isEmpty { report.recovery_ms_median = sorted[sorted.count / 2] }
    if report.kills.count < options.times {
      report.problems.append("\(report.kills.count) of \(options.times) kills happened")
    }
    for kill in report.kills {
      if kill.orders_before <= 0 { report.problems.append("no traffic before the kill of process \(kill.pid)") }
      if kill.orders_after <= 0 { report.problems.append("no traffic after the kill of process \(kill.pid)") }
    }
    if let load = report.load, load.unanswered > 0 {
      report.problems.append("\(load.unanswered) actions never had an answer")
    }
    for invariant in audit.invariants where invariant.checks == 0 {
      report.problems.append("\(invariant.name) was not checked")
    }
    report.passed = report.problems.isEmpty && audit.isSound
  }
}
