import Cluster

/// Every drill, in the order in which `drill all` runs them.
public enum DrillTable {
  public static let drills: [any Drill] = kills + standbys + moves + links + disks + clients

  /// Run by its name, and not with the others: of moved clocks of processes with a journal, whose threads the clock's
  /// library loses now and then.
  public static let pending: [any Drill] = [OwnerClockJump()]

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
    DamagedRecord(), OldCopy(), ClockJump(),
  ]

  private static let clients: [any Drill] = [
    HotShard(), ClientFlood(), SilentReader(), Garbage(), ForgedKeys(), ReplayedOrders(),
  ]

  /// The drill of a name.
  public static func drill(named name: String) -> (any Drill)? { (drills + pending).first { $0.name == name } }
}
