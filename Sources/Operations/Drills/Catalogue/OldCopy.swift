import Cluster
import Foundation
import Market

/// Somebody puts an older copy of a journal in the place of the new one.
struct OldCopy: Drill {
  let name = "old-copy"
  let what =
    "a shard's journal of a few seconds ago is put back in place of the new one while its process is down: it is "
    + "noticed, and the shard refuses to serve until the new one is there again"

  private static let machine = MachineID.shard(ShardID(0))
  private static let tradingSeconds = 2.0
  private static let refusalSeconds = 3.0

  func run(in stage: DrillStage) throws {
    let cluster = stage.cluster
    guard let own = cluster.own, let node = cluster.map.node(hosting: Self.machine)?.name else { return }
    let journal = "\(cluster.map.journalDirectory(of: Self.machine))/data.mdb"
    let (old, new) = ("\(stage.directory.path).old-copy", "\(stage.directory.path).new-copy")
    stage.cleanUpLater("the copies") {
      unlink(old)
      unlink(new)
    }
    stage.healLater("letting \(node) start") { own.supervisor.hold(node, false) }
    if !stage.options.isDisarmed {
      try stage.whileDown(node) { try FileManager.default.copyItem(atPath: journal, toPath: old) }
      try stage.wait("\(Self.machine) does not come back", seconds: 30) { cluster.status(of: Self.machine) != nil }
      try stage.pause(Self.tradingSeconds)
    }
    var lost: Int64 = 0
    var refusals = 0
    var fault = try stage.begin("an old copy of \(Self.machine)'s journal is put back") {
      let reached = cluster.status(of: Self.machine, seconds: 5)?.sequence ?? 0
      try stage.whileDown(node) {
        try FileManager.default.copyItem(atPath: journal, toPath: new)
        try FileOverwriting.overwrite(journal, with: old)
      }
      let end = stage.elapsed + Self.refusalSeconds
      var served: UInt64?
      while stage.elapsed < end, served == nil {
        served = cluster.status(of: Self.machine, seconds: 0.1).flatMap { $0.role == "owner" ? $0.sequence : nil }
        try stage.pause(0.05)
      }
      stage.expect(served == nil, "\(Self.machine) served from entry \(served ?? 0) on, and had reached \(reached)")
      refusals = cluster.logLines(of: node, with: "old copy")
      lost = Int64(reached)
      own.supervisor.hold(node)
      if let process = cluster.process(of: node) { kill(process, SIGKILL) }
      try stage.wait("\(node) does not end", seconds: 30) { cluster.process(of: node) == nil }
    }
    try stage.end(&fault) {
      try FileOverwriting.overwrite(journal, with: new)
      own.supervisor.hold(node, false)
    }
    stage.prove(fault, ["sequence_before": lost, "refusals": Int64(refusals)])
    try stage.recover(fault)
  }
}

extension DrillStage {
  /// Kills a node, does something while it is down, and lets it start again.
  func whileDown(_ node: String, _ body: () throws -> Void) throws {
    cluster.own?.supervisor.hold(node)
    if let process = cluster.process(of: node) { Glibc.kill(process, SIGKILL) }
    try wait("\(node) does not end", seconds: 10) { cluster.process(of: node) == nil }
    try body()
    cluster.own?.supervisor.hold(node, false)
  }
}
