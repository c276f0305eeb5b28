import Authority
import Cluster
import Foundation
import Market

/// The authority of a cluster on several hosts goes for longer than a lease. Owners have standbys in sync.
struct EtcdLost: Drill {
  enum Fault: Sendable { case killed, partitioned, slow }
  let fault: Fault

  var name: String {
    switch fault {
    case .killed: "etcd-killed"
    case .partitioned: "etcd-partitioned"
    case .slow: "etcd-slow"
    }
  }
  var what: String {
    let happens =
      switch fault {
      case .killed: "etcd is killed with -9 and comes back on its data after more than a lease"
      case .partitioned: "no node hears etcd for more than a lease, nor etcd them"
      case .slow: "etcd stands still again and again, for most of a lease each time"
      }
    return happens + ": owners with a standby in sync go on, and nothing has two owners"
  }
  var needs: [DrillNeed] {
    [.program("etcd", package: "etcd-server")]
      + (fault == .partitioned
        ? [.root, .program("ip", package: "iproute2"), .program("iptables", package: "iptables")] : [])
  }

  private static let lostSeconds = 4.0
  private static let stalls = 4
  private static let stallSeconds = 1.2

  func prepare(_ stage: DrillStage) throws { try stage.makeEtcd(inNetwork: fault == .partitioned) }

  func run(in stage: DrillStage) throws {
    guard let etcd = stage.etcd else { return }
    var before: [MachineID: HostStatus] = [:]
    for machine in StandbyTakeover.machines { before[machine] = try stage.waitInSync(machine) }
    switch fault {
    case .killed:
      var fault = try stage.begin("etcd is killed") {
        stage.healLater("etcd") { if etcd.process == nil { try etcd.start() } }
        etcd.kill()
      }
      try stage.pause(Self.lostSeconds)
      let isDown: Int64 = etcd.process == nil ? 1 : 0
      try stage.end(&fault) { try etcd.start() }
      stage.prove(fault, ["etcd_is_down": isDown])
      try conclude(stage, fault, before)
    case .partitioned:
      guard let network = stage.network else { return }
      var fault = try stage.begin("no node reaches etcd") {
        stage.healLater("mending the network") { try network.mend() }
        for host in stage.plan.nodeNames { try network.drop(port: etcd.port, at: host) }
      }
      try stage.pause(Self.lostSeconds)
      let dropped = try stage.plan.nodeNames.reduce(Int64(0)) { try $0 + network.dropped(at: $1) }
      try stage.end(&fault) { try network.mend() }
      stage.prove(fault, ["packets_dropped": dropped])
      try conclude(stage, fault, before)
    case .slow:
      var seenStopped: Int64 = 0
      var fault = try stage.begin("etcd stands still \(Self.stalls) times") {
        stage.healLater("SIGCONT of etcd") { etcd.signal(SIGCONT) }
        for _ in 0..<Self.stalls {
          etcd.signal(SIGSTOP)
          try stage.pause(Self.stallSeconds)
          if etcd.process.flatMap({ ProcessState.letter(of: $0) }) == "T" { seenStopped += 1 }
          etcd.signal(SIGCONT)
          try stage.pause(0.3)
        }
      }
      try stage.end(&fault) {}
      stage.prove(fault, ["seen_in_state_T": seenStopped])
      try conclude(stage, fault, before)
    }
  }

  /// Whoever owned something goes on owning it, in the same term, and took orders throughout.
  private func conclude(
    _ stage: DrillStage, _ fault: DrillStage.Fault, _ before: [MachineID: HostStatus]
  ) throws {
    for shard in 0..<stage.cluster.map.shardCount {
      stage.expect(
        stage.options.isDisarmed || stage.accepted(during: fault, shards: [shard]) > 0,
        "shard \(shard) took no orders without etcd, though its standby was in sync")
    }
    for (machine, owner) in before.sorted(by: { $0.key < $1.key }) {
      let now = stage.cluster.owner(of: machine)
      stage.expect(
        now?.node == owner.node && now?.term == owner.term,
        "\(machine): \(now?.node ?? "nobody") owns it in term \(now?.term ?? 0), not \(owner.node) in \(owner.term)")
    }
    try stage.recover(fault)
    // Leases that ended meanwhile may still make standbys stand; who gives up for it follows before the drill is over.
    let shards = (0..<stage.cluster.map.shardCount).map { MachineID.shard(ShardID(UInt16($0))) }
    for machine in shards + [.risk, .settlement] { _ = try stage.waitInSync(machine) }
  }
}

extension DrillStage {
  private static let leaseMilliseconds = 2_000

  /// Gives the cluster a standby of each machine, and etcd as its authority, before it starts.
  /// - Parameter inNetwork: every node is a host of its own, and etcd is outside of them.
  func makeEtcd(inNetwork: Bool) throws {
    plan.configuration.standbys = 1
    let address = inNetwork ? try makeNetwork().supervisorAddress : "127.0.0.1"
    let etcd = try EtcdServer(directory: "\(directory.path).etcd", address: address)
    cleanUpLater("etcd") { try etcd.remove() }
    self.etcd = etcd
    plan.configuration.authority.kind = .etcd
    plan.configuration.authority.endpoints = [etcd.endpoint]
    plan.configuration.authority.leaseMilliseconds = Self.leaseMilliseconds
  }
}
