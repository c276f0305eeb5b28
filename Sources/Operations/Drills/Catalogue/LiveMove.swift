import Cluster
import Foundation
import Market

/// A shard goes to another node and back, while it trades.
struct LiveMove: Drill {
  let name = "move-shard"
  let what =
    "a shard moves to another node under load, and back: its new owner answers in a higher term, and no acknowledged "
    + "order is lost or doubled"
  let attaches = true

  private static let moves = 2

  func run(in stage: DrillStage) throws {
    for _ in 0..<Self.moves {
      let (owner, target) = try stage.placesToMove()
      let fault = try stage.begin("\(DrillStage.moved) moves from \(owner.node) to \(target)") {
        let move = try stage.finish(stage.command("shard", "move", "\(DrillStage.moved)", "--to", target))
        stage.note(try move.result(MoveResult.self))
      }
      let after = try stage.ownerAfterMove()
      stage.prove(
        fault,
        ["terms_raised": Int64(after.term) - Int64(owner.term), "moved": after.node == target ? 1 : 0])
      try stage.recover(fault)
    }
  }
}

/// A shard moves, and one of the two nodes dies meanwhile.
struct MoveWithDeath: Drill {
  enum Victim: String { case giver, taker }
  let victim: Victim

  var name: String { "kill-\(victim.rawValue)-mid-move" }
  var what: String {
    "kill -9 of the \(victim.rawValue) while a shard moves under load: it has one owner whenever it has one, the move "
      + "succeeds when it is asked for again, and nothing acknowledged is lost or doubled"
  }

  private static let deaths = 3
  private static let attempts = 12

  func run(in stage: DrillStage) throws {
    var deaths = 0
    var attempts = 0
    while deaths < Self.deaths, attempts < Self.attempts {
      attempts += 1
      let (owner, target) = try stage.placesToMove()
      let node = victim == .giver ? owner.node : target
      var killed: Int64 = 0
      var wasMoving = false
      let fault = try stage.begin("kill -9 of \(node) while \(DrillStage.moved) moves to \(target)") {
        let move = try stage.command("shard", "move", "\(DrillStage.moved)", "--to", target)
        // Anywhere between the new copy's first entry and the last word of the old owner.
        try stage.wait("\(target) gets no copy", seconds: 20) {
          try stage.cluster.followMap()
          let isCopy = stage.cluster.map.nodes(holding: DrillStage.moved).contains { $0.name == target }
          return isCopy || move.poll() != nil
        }
        try stage.pause(Double(stage.random.below(200)) / 1_000)
        wasMoving = move.poll() == nil
        if wasMoving, let process = stage.cluster.process(of: node) {
          killed = Int64(process)
          Glibc.kill(process, SIGKILL)
        }
        _ = try stage.finish(move)
      }
      if stage.options.isDisarmed {
        stage.prove(fault, ["killed_pid": 0])
        return
      }
      // One that was over too soon shows nothing, and is no fault.
      guard wasMoving else {
        stage.withdraw(fault)
        continue
      }
      deaths += 1
      let after = try stage.ownerAfterMove()
      stage.prove(fault, ["killed_pid": killed, "restarts": Int64(stage.cluster.restarts(of: node))])
      if after.node != target {
        _ = try stage.finish(stage.command("shard", "move", "\(DrillStage.moved)", "--to", target))
        let last = try stage.ownerAfterMove()
        stage.expect(last.node == target, "\(DrillStage.moved) is with \(last.node), and not with \(target)")
      }
      try stage.recover(fault)
    }
    stage.expect(deaths > 0, "every move was over before the \(victim.rawValue) could be killed")
    stage.report.figures["moves"] = Double(attempts)
  }
}

/// Everything leaves a node, and the node goes.
struct DrainNode: Drill {
  let name = "drain-node"
  let what =
    "a node is drained under load, and removed: each of its shards goes on elsewhere in a higher term, its process "
    + "ends, and nothing acknowledged is lost or doubled"

  private static let node = "matcher-1"

  func run(in stage: DrillStage) throws {
    let held = stage.cluster.shards(of: Self.node)
    var moves = 0
    let fault = try stage.begin("\(Self.node) is drained") {
      let drain = try stage.finish(stage.command("node", "drain", Self.node))
      let result = try drain.result(DrainResult.self)
      result.moves.forEach(stage.note)
      moves = result.moves.count
    }
    try stage.cluster.followMap()
    stage.prove(fault, ["moves": Int64(moves)])
    stage.expect(
      stage.options.isDisarmed || moves == held.count, "\(moves) machines moved, and \(Self.node) held \(held.count)")
    try stage.recover(fault)
    guard !stage.options.isDisarmed else { return }
    let process = stage.cluster.process(of: Self.node)
    let removal = try stage.begin("\(Self.node) is removed") {
      _ = try stage.finish(stage.command("node", "remove", Self.node))
      try stage.wait("\(Self.node) does not end", seconds: 20) { stage.cluster.process(of: Self.node) == nil }
    }
    stage.prove(removal, ["process_that_ended": Int64(process ?? 0)])
    try stage.recover(removal)
  }
}

/// Every process is started anew.
struct RollingRestartDrill: Drill {
  let name = "rolling-restart"
  let what =
    "every process is started anew, one after another, under load: shards are handed over and back meanwhile, and "
    + "nothing acknowledged is lost or doubled"

  private struct Result: Decodable {
    struct Node: Decodable { var node: String }
    var nodes: [Node]
    var pause_ms: Double
  }

  func run(in stage: DrillStage) throws {
    let names = stage.cluster.map.nodes.map(\.name)
    let before = names.map { stage.cluster.process(of: $0) }
    let fault = try stage.begin("all \(names.count) processes are started anew") {
      let restart = try stage.finish(stage.command("restart", "--rolling"))
      stage.report.figures["longest_pause_ms"] = try restart.result(Result.self).pause_ms
    }
    let anew = zip(names, before).count { name, process in
      stage.cluster.process(of: name).map { $0 != process } ?? false
    }
    stage.prove(fault, ["processes_anew": Int64(anew)])
    stage.expect(
      stage.options.isDisarmed || anew == names.count, "\(anew) of \(names.count) processes were started anew")
    try stage.recover(fault)
  }
}

/// What `novation shard move` prints.
private struct MoveResult: Decodable {
  var machine: String
  var pause_ms: Double
}

/// What `novation node drain` prints.
private struct DrainResult: Decodable { var moves: [MoveResult] }

extension DrillStage {
  /// The shard that drills move.
  fileprivate static let moved = MachineID.shard(ShardID(0))

  /// Its owner, and another node that can hold it.
  fileprivate func placesToMove() throws -> (owner: HostStatus, target: String) {
    let owner = try ownerAfterMove()
    guard let target = cluster.nodes(.matcher).first(where: { $0.name != owner.node }) else {
      throw SupervisionError(what: "\(Self.moved)", reason: "this cluster has no other node that can hold it")
    }
    return (owner, target.name)
  }

  /// Its owner once there is one; there must never be two in one term.
  fileprivate func ownerAfterMove() throws -> HostStatus {
    var found: HostStatus?
    try wait("nobody owns \(Self.moved)", seconds: 30) {
      try cluster.followMap()
      let owners = cluster.client.statuses(ofCopiesOf: Self.moved, timeoutSeconds: 0.5).filter { $0.role == "owner" }
      let terms = Set(owners.map(\.term))
      expect(terms.count == owners.count, "\(Self.moved) has \(owners.count) owners in \(terms.count) terms")
      found = owners.max { $0.term < $1.term }
      return found != nil
    }
    guard let found else { throw SupervisionError(what: "\(Self.moved)", reason: "no owner answers") }
    return found
  }

  /// Starts a command of this program on the cluster: a process of its own, since this one looks after the cluster.
  fileprivate func command(_ words: String...) throws -> CapturedProcess {
    try CapturedProcess(
      words.joined(separator: " "), executable: executable,
      arguments: words + ["--data", cluster.map.dataDirectory, "--json"],
      errorsPath: "\(cluster.map.logDirectory)/commands.out")
  }

  /// Waits for a command's end.
  fileprivate func finish(_ command: CapturedProcess) throws -> CapturedProcess {
    _ = try command.wait { try pause(0) }
    return command
  }

  fileprivate func note(_ move: MoveResult) {
    report.figures["longest_pause_ms"] = max(report.figures["longest_pause_ms"] ?? 0, move.pause_ms)
  }
}
