import Cluster

/// Every drill, in the order in which `drill all` runs them.
public enum DrillTable {
  public static let drills: [any Drill] = kills + links + disks + clients

  private static let kills: [any Drill] = [
    KillNode(role: .matcher), KillNode(role: .risk), KillNode(role: .settlement), KillNode(role: .marks),
    KillNode(role: .gateway), KillNode(role: .verifier), KillStorm(), StopContinue(), SettlementSteps(),
    SupervisorKilled(),
  ]

  private static let links: [any Drill] = [
    NetworkCut(fault: .bothWays), NetworkCut(fault: .oneWay), NetworkCut(fault: .lossy), BadLink(fault: .slow),
    BadLink(fault: .duplicating), BadLink(fault: .reordering),
  ]

  private static let disks: [any Drill] = [
    DiskFull(), SlowDisk(), SyncFailure(call: .fdatasync), SyncFailure(call: .pwrite), DamagedRecord(), ClockJump(),
  ]

  private static let clients: [any Drill] = [
    HotShard(), ClientFlood(), SilentReader(), Garbage(), ForgedKeys(), ReplayedOrders(),
  ]

  /// The drill of a name.
  public static func drill(named name: String) -> (any Drill)? { drills.first { $0.name == name } }
}
