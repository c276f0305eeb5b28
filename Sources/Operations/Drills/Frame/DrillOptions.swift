import Foundation

/// How drills are run.
public struct DrillOptions: Sendable {
  /// Fixes the choices of a drill: victims, times, cut points.
  public var seed: UInt64 = 1
  /// Length of the load, at least; a drill that is not done yet goes on.
  public var seconds = 8.0
  /// Absent: a fresh directory of its own, removed if all went well. One in which a cluster runs: that cluster is
  /// drilled, if the drill can.
  public var dataDirectory: String?
  public var instrumentsPath = "cluster/config/instruments.toml"
  /// Orders a second, orders under one signature, and accounts that trade.
  public var rate = 1_000
  public var batch = 8
  public var accounts = 16
  /// Where the picture of the timeline goes.
  public var svgPath: String?
  /// Leaves every fault out: the drill must fail then.
  public var isDisarmed = false
  /// Bugs of a test build.
  public var plants: [String] = []
  /// Told what happens, line by line.
  public var say: @Sendable (String) -> Void = { _ in }
  public init() {}
}

/// What a drill may change before its cluster starts.
public struct DrillPlan {
  public var configuration = ClusterConfiguration()
  /// How nodes are started that are not started plainly, by name.
  public var launches: [String: NodeLaunch] = [:]
  /// Nodes that are hosts of their own, by name.
  public var addresses: [String: String] = [:]
  /// Machines with someone between them and their peers, by name.
  public var detours: [String: String] = [:]
  /// Bugs of a test build that the drill itself wants.
  public var plants: [String] = []
  /// Orders a second.
  public var rate: Int
  /// The one shard that is driven.
  public var onlyShard: Int?
  /// Milliseconds of a slice of the timeline.
  public var slice = 100
  /// Whether the frame starts the cluster and the load; a drill that does not want it does so itself.
  public var startsCluster = true

  /// Names of the nodes of a cluster of this configuration.
  var nodeNames: [String] {
    ["settlement", "risk", "marks", "gateway-0"]
      + (0..<configuration.standbys).flatMap { ["settlement-standby-\($0)", "risk-standby-\($0)"] }
      + (0..<configuration.matcherNodes).map { "matcher-\($0)" }
      + (0..<configuration.verifiers).map { "verifier-\($0)" }
  }
}

/// The drill was interrupted.
struct DrillInterrupted: Error, CustomStringConvertible {
  var description: String { "interrupted" }
}
