import Authority
import Cluster
import Foundation
import Market

/// An owner that lives and reaches nobody: neither its standby, nor etcd, nor clients.
struct OwnerCutOff: Drill {
  let name = "owner-cut-off"
  let what =
    "the host of a shard's owner is cut off from all others, etcd included: its standby takes over after the lease, "
    + "and the owner, back again, follows it"
  var needs: [DrillNeed] { EtcdLost(fault: .partitioned).needs }

  private static let machine = MachineID.shard(ShardID(0))
  private static let takeoverSeconds = 20.0

  func prepare(_ stage: DrillStage) throws { try stage.makeEtcd(inNetwork: true) }

  func run(in stage: DrillStage) throws {
    guard let network = stage.network else { return }
    let cluster = stage.cluster
    let owner = try stage.waitInSync(Self.machine)
    guard let standby = owner.inSync.first(where: { $0 != owner.node }) else { return }
    stage.healLater("mending the network") { try network.mend() }
    var successor: HostStatus?
    let started = TimelineReader.now()
    var fault = try stage.begin("\(owner.node), owner of \(Self.machine), is cut off") {
      try network.isolate(owner.node)
      try stage.wait("\(standby) does not take over", seconds: Self.takeoverSeconds) {
        successor = cluster.status(of: Self.machine, on: standby).flatMap {
          $0.role == "owner" && $0.term > owner.term ? $0 : nil
        }
        return successor != nil
      }
      stage.report.figures["takeover_ms"] = Double(TimelineReader.now() - started)
      try stage.pause(1)
    }
    let dropped = try network.dropped(at: owner.node)
    try stage.end(&fault) { try network.mend() }
    stage.prove(
      fault, ["packets_dropped": dropped, "terms_raised": Int64(successor?.term ?? 0) - Int64(owner.term)])
    try stage.recover(fault)
    try stage.wait("\(owner.node) does not follow \(standby)", seconds: Self.takeoverSeconds) {
      stage.options.isDisarmed || cluster.status(of: Self.machine, on: owner.node)?.role == "standby"
    }
  }
}

/// Both witnesses of an owner's right are gone.
struct EtcdAndStandbyLost: Drill {
  let name = "etcd-and-standby-lost"
  let what =
    "etcd and the standby of a shard are both killed: past its lease the owner acknowledges nothing, and goes on when "
    + "they are back"
  var needs: [DrillNeed] { EtcdLost(fault: .killed).needs }

  private static let machine = MachineID.shard(ShardID(0))
  /// The lease, and what its end may take to be seen.
  private static let graceSeconds = 3.5
  private static let stoppedSeconds = 2.0

  func prepare(_ stage: DrillStage) throws { try stage.makeEtcd(inNetwork: false) }

  func run(in stage: DrillStage) throws {
    guard let etcd = stage.etcd, let own = stage.cluster.own else { return }
    let cluster = stage.cluster
    let owner = try stage.waitInSync(Self.machine)
    guard let standby = owner.inSync.first(where: { $0 != owner.node }) else { return }
    stage.healLater("etcd") { if etcd.process == nil { try etcd.start() } }
    stage.healLater("letting \(standby) start") { own.supervisor.hold(standby, false) }
    var fault = try stage.begin("etcd and \(standby) are killed") {
      own.supervisor.hold(standby)
      if let process = cluster.process(of: standby) { kill(process, SIGKILL) }
      etcd.kill()
    }
    try stage.pause(Self.graceSeconds)
    let from = TimelineReader.now()
    try stage.pause(Self.stoppedSeconds)
    let accepted = stage.timeline.accepted(
      after: from + Int64(stage.plan.slice), through: TimelineReader.now(), shards: [0])
    let lost: Int64 = (etcd.process == nil ? 1 : 0) + (cluster.process(of: standby) == nil ? 1 : 0)
    try stage.end(&fault) {
      try etcd.start()
      own.supervisor.hold(standby, false)
    }
    stage.prove(fault, ["witnesses_lost": lost == 2 ? 2 : 0])
    stage.expect(
      stage.options.isDisarmed || accepted == 0,
      "\(Self.machine): its owner acknowledged \(accepted) orders with neither etcd nor standby")
    try stage.recover(fault)
  }
}
