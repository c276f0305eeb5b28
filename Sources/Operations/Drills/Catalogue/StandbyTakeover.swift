import Cluster
import Foundation
import Market

/// Copies in turn: the owner of every machine is killed, its standby takes over, and then that one is killed.
struct StandbyTakeover: Drill {
  let name = "owner-and-standby-in-turn"
  let what =
    "with a standby each, the owner of a shard, of risk and of settlement is killed with -9, and then the standby that "
    + "took over: the next copy owns each in a higher term, and nothing acknowledged is lost"

  static let machines = [MachineID.shard(ShardID(0)), .risk, .settlement]
  private static let turns = 2

  func prepare(_ stage: DrillStage) { stage.plan.configuration.standbys = 1 }

  func run(in stage: DrillStage) throws {
    for _ in 0..<Self.turns {
      for machine in Self.machines { try stage.killOwner(of: machine) }
    }
    stage.expect(
      stage.options.isDisarmed || stage.report.figures["takeovers_by_standby", default: 0] > 0,
      "no standby ever took over")
  }
}

/// The copy that only follows.
struct KillStandby: Drill {
  let name = "kill-standby"
  let what =
    "kill -9 of the standby of a shard, of risk and of settlement: their owners go on without it, and it is in sync "
    + "again"

  func prepare(_ stage: DrillStage) { stage.plan.configuration.standbys = 1 }

  func run(in stage: DrillStage) throws {
    let cluster = stage.cluster
    for machine in [MachineID.risk, .settlement, .shard(ShardID(0))] {
      let owner = try stage.waitInSync(machine)
      guard let standby = owner.inSync.first, let process = cluster.process(of: standby) else { continue }
      let restarts = cluster.restarts(of: standby)
      var fault = try stage.begin("kill -9 of \(standby), which follows \(machine)") { kill(process, SIGKILL) }
      if !stage.options.isDisarmed {
        try stage.wait("\(standby) does not end", seconds: 10) { cluster.restarts(of: standby) > restarts }
      }
      try stage.end(&fault) {}
      let after = try stage.waitInSync(machine)
      stage.prove(
        fault,
        ["killed_pid": Int64(process), "restarts": Int64(cluster.restarts(of: standby) - restarts)])
      // The shards that the standby's node owned itself went over to their standbys.
      stage.expect(
        after.node == owner.node && after.term == owner.term,
        "\(machine): \(after.node) owns it in term \(after.term) now, though only its standby was killed")
      try stage.recover(fault, milliseconds: Double(TimelineReader.now() - fault.end))
    }
  }
}

/// An owner that stands still for longer than its lease, and wakes up as if nothing had been.
struct ZombieOwner: Drill {
  let name = "zombie-owner"
  let what =
    "SIGSTOP of a shard's owner past its lease, with a standby: that one takes over, and the owner, after SIGCONT, "
    + "answers nobody anything new"

  private static let machine = MachineID.shard(ShardID(0))
  private static let takeoverSeconds = 20.0

  func prepare(_ stage: DrillStage) { stage.plan.configuration.standbys = 1 }

  func run(in stage: DrillStage) throws {
    let cluster = stage.cluster
    let owner = try stage.waitInSync(Self.machine)
    guard let process = cluster.process(of: owner.node), let standby = owner.inSync.first else { return }
    var seenStopped: Int64 = 0
    var successor: HostStatus?
    var fault = try stage.begin("SIGSTOP of \(owner.node), owner of \(Self.machine)") {
      let stopped = TimelineReader.now()
      kill(process, SIGSTOP)
      stage.healLater("SIGCONT of \(owner.node)") { kill(process, SIGCONT) }
      try stage.wait("\(standby) does not take over", seconds: Self.takeoverSeconds) {
        if ProcessState.letter(of: process) == "T" { seenStopped += 1 }
        successor = cluster.status(of: Self.machine, on: standby).flatMap { $0.role == "owner" ? $0 : nil }
        return successor != nil
      }
      stage.report.figures["takeover_ms"] = Double(TimelineReader.now() - stopped)
      try stage.pause(1)
    }
    try stage.end(&fault) { kill(process, SIGCONT) }
    stage.prove(
      fault,
      ["seen_in_state_T": seenStopped, "terms_raised": Int64(successor?.term ?? 0) - Int64(owner.term)])
    try stage.recover(fault)
    try stage.wait("\(owner.node) does not become a standby", seconds: Self.takeoverSeconds) {
      stage.options.isDisarmed || cluster.status(of: Self.machine, on: owner.node)?.role == "standby"
    }
    // For how long it was the owner is settled by the audit: one owner a term, nothing acknowledged twice or lost.
  }
}

extension DrillStage {
  private static let syncSeconds = 45.0

  /// Waits until a machine's owner has a copy in sync, and returns what the owner says of itself.
  func waitInSync(_ machine: MachineID) throws -> HostStatus {
    var found: HostStatus?
    try wait("\(machine) has no copy in sync", seconds: Self.syncSeconds) {
      found = cluster.owner(of: machine).flatMap { $0.inSync.isEmpty ? nil : $0 }
      return found != nil
    }
    guard let found else { throw SupervisionError(what: "\(machine)", reason: "no owner answers") }
    return found
  }

  /// Kills the node that owns a machine, and waits until a copy owns it in a higher term: the standby, or, where the
  /// supervisor was quicker, the same node as a new process.
  func killOwner(of machine: MachineID) throws {
    let owner = try waitInSync(machine)
    guard let process = cluster.process(of: owner.node), let standby = owner.inSync.first else {
      throw SupervisionError(what: "\(machine)", reason: "its owner \(owner.node) is not a process here")
    }
    let start = MachineClock.monotonic()
    var takenAt = start
    var term = owner.term
    let fault = try begin("kill -9 of \(owner.node), owner of \(machine)") {
      Glibc.kill(process, SIGKILL)
      try wait("nobody takes \(machine) over", seconds: 20) {
        for node in [standby, owner.node] {
          guard let status = cluster.status(of: machine, on: node), status.role == "owner", status.term > owner.term
          else { continue }
          takenAt = MachineClock.monotonic()
          term = status.term
          report.figures[node == standby ? "takeovers_by_standby" : "restarts_in_place", default: 0] += 1
          return true
        }
        return false
      }
    }
    prove(
      fault,
      ["killed_pid": options.isDisarmed ? 0 : Int64(process), "terms_raised": Int64(term) - Int64(owner.term)])
    try recover(fault, milliseconds: Double(takenAt - start) / 1e6)
  }
}
