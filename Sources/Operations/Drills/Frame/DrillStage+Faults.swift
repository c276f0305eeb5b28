import Cluster
import Foundation
import Market

/// Faults, with the proof that they bit and with the traffic around them.
extension DrillStage {
  /// A fault that was begun.
  struct Fault {
    fileprivate var place: Int
    /// Milliseconds of the monotonic clock at which it began, and at which it ended.
    fileprivate(set) var start: Int64
    fileprivate(set) var end: Int64
  }

  private static let recoverySeconds = 45.0

  /// Begins a fault. A disarmed drill leaves `body` out, and must fail for it.
  func begin(_ what: String, _ body: () throws -> Void) throws -> Fault {
    timeline.refresh()
    let now = TimelineReader.now()
    let before = timeline.accepted(after: now - 1_200, through: now - 200 + Int64(plan.slice))
    report.injections.append(
      DrillReport.Injection(
        at_seconds: Double(now - loadStart) / 1_000, what: what, proof: [:], traffic_before: before, traffic_after: 0))
    let fault = Fault(place: report.injections.count - 1, start: now, end: now)
    say(options.isDisarmed ? "left out: \(what)" : what)
    if !options.isDisarmed { try body() }
    return fault
  }

  /// Takes a lasting fault away.
  func end(_ fault: inout Fault, _ body: () throws -> Void) throws {
    if !options.isDisarmed { try body() }
    fault.end = TimelineReader.now()
    report.injections[fault.place].healed_seconds = Double(fault.end - loadStart) / 1_000
  }

  /// Takes a fault back that was begun last and came too late to be one.
  func withdraw(_ fault: Fault) {
    guard fault.place == report.injections.count - 1 else { return }
    report.injections.removeLast()
  }

  /// Adds to what shows that the fault bit: counters, none of which may be zero.
  func prove(_ fault: Fault, _ counters: [String: Int64]) {
    report.injections[fault.place].proof.merge(counters) { $1 }
  }

  /// Waits until shards take orders again after the end of the fault, and counts a second of them.
  /// - Parameters:
  ///   - shards: places of those that must; all that are driven without it.
  ///   - milliseconds: how long the recovery took, where that was measured more closely.
  func recover(_ fault: Fault, shards: [Int]? = nil, milliseconds: Double? = nil) throws {
    let wanted = plan.onlyShard.map { [$0] } ?? shards ?? Array(0..<cluster.map.shardCount)
    var reached = fault.end
    for shard in wanted {
      try wait(
        "shard \(shard) takes no orders after '\(report.injections[fault.place].what)'",
        seconds: Self.recoverySeconds
      ) {
        // What was under way when the fault ended proves nothing: a whole slice after it does.
        guard
          let slice = timeline.slices.first(where: {
            $0.at_ms - Int64(plan.slice) >= fault.end && $0.accepted[shard] > 0
          })
        else { return false }
        reached = max(reached, slice.at_ms)
        return true
      }
    }
    let recovery = milliseconds ?? Double(reached - fault.end)
    report.injections[fault.place].recovery_ms = recovery
    let from = TimelineReader.now()
    try pause(1.2)
    report.injections[fault.place].traffic_after = timeline.accepted(
      after: from, through: from + 1_000 + Int64(plan.slice))
    say("back after \(Int(recovery)) ms")
  }

  /// Orders that shards accepted between the beginning and the end of the fault.
  func accepted(during fault: Fault, shards: [Int]) -> Int {
    timeline.accepted(after: fault.start + Int64(plan.slice), through: fault.end, shards: shards)
  }

  /// Kills a node's process with -9 and waits until another answers in its place.
  @discardableResult
  func kill(_ node: String) throws -> Fault {
    guard let victim = cluster.process(of: node), let host = cluster.machine(of: node) else {
      throw SupervisionError(what: node, reason: "it is not running, so it cannot be killed")
    }
    let restarts = cluster.restarts(of: node)
    let start = MachineClock.monotonic()
    let fault = try begin("kill -9 of \(node)") {
      guard Glibc.kill(victim, SIGKILL) == 0 else {
        throw SupervisionError(what: node, reason: "kill: \(String(cString: strerror(errno)))")
      }
    }
    guard !options.isDisarmed else {
      prove(fault, ["killed_pid": 0])
      try recover(fault)
      return fault
    }
    var successor: pid_t = 0
    try wait("\(node) does not come back", seconds: 30) {
      guard let status = cluster.status(of: host, seconds: 0.1), status.processIdentifier != victim else {
        return false
      }
      successor = status.processIdentifier
      return true
    }
    let recovery = Double(MachineClock.monotonic() - start) / 1e6
    var proof = ["killed_pid": Int64(victim), "successor_pid": Int64(successor)]
    if cluster.own != nil { proof["restarts"] = Int64(cluster.restarts(of: node) - restarts) }
    prove(fault, proof)
    try recover(fault, shards: cluster.shards(of: node), milliseconds: recovery)
    return fault
  }
}
