import Cluster

/// Every drill, in the order in which `drill all` runs them.
public enum DrillTable {
  public static let drills: [any Drill] = kills + standbys + moves + links + disks + clients

  /// Those that this build can run: some need a planted bug, which only a test build can carry.
  public static var runnable: [any Drill] {
    drills.filter { !$0.needs.contains(.testBuild) || DrillNeed.testBuild.complaint == nil }
  }

  private static let kills: [any Drill] = [
    KillNode(role: .matcher), KillNode(role: .risk), KillNode(role: .settlement), KillNode(role: .marks),
    KillNode(role: .gateway), KillNode(role: .verifier), KillStorm(), StopContinue(), SettlementSteps(),
    SupervisorKilled(),
  ]

  private static let standbys: [any Drill] = [
    StandbyTakeover(), KillStandby(), ZombieOwner(), EtcdLost(fault: .killed), EtcdLost(fault: .partitioned),
    EtcdLost(fault: .slow), OwnerCutOff(), EtcdAndStandbyLost(),
  ]

  private static let moves: [any Drill] = [
    LiveMove(), MoveWithDeath(victim: .giver), MoveWithDeath(victim: .taker), DrainNode(), RollingRestartDrill(),
  ]

  private static let links: [any Drill] = [
    NetworkCut(fault: .bothWays), NetworkCut(fault: .oneWay), NetworkCut(fault: .lossy), BadLink(fault: .slow),
    BadLink(fault: .duplicating), BadLink(fault: .reordering),
  ]

  private static let disks: [any Drill] = [
    DiskFull(), SlowDisk(), SyncFailure(call: .fdatasync), SyncFailure(call: .pwrite), PowerCut(),
    DamagedRecord(), OldCopy(), ClockJump(), OwnerClockJump(), ClockAheadAtStart(),
  ]

  private static let clients: [any Drill] = [
    HotShard(), ClientFlood(), SilentReader(), Garbage(), ForgedKeys(), ReplayedOrders(), PoisonInput(standbys: 0),
    PoisonInput(standbys: 1),
  ]

  /// The drill of a name.
  public static func drill(named name: String) -> (any Drill)? { drills.first { $0.name == name } }
}
