import Cluster

/// kill -9 of the processes of one role.
struct KillNode: Drill {
  let role: ClusterMap.Role
  /// Spread over the load.
  var times = 1

  var name: String { "kill-\(role.rawValue)" }
  var what: String {
    "kill -9 of a \(role.rawValue) process: it is back from its journal, and nothing acknowledged is lost"
  }
  var attaches: Bool { true }

  func run(in stage: DrillStage) throws {
    let nodes = stage.cluster.nodes(role)
    guard !nodes.isEmpty else {
      throw SupervisionError(what: role.rawValue, reason: "this cluster has no such process")
    }
    for number in 0..<times {
      let due = stage.options.seconds * Double(number) / Double(times)
      while stage.elapsed < due { try stage.pause(0.02) }
      try stage.kill(nodes[number % nodes.count].name)
    }
  }
}

/// kill -9 of one process after another, whichever.
struct KillStorm: Drill {
  let name = "kill-storm"
  let what = "kill -9 of random processes, one upon another, for as long as the load lasts: all is settled in the end"
  let attaches = true

  private static let leastKills = 6

  func run(in stage: DrillStage) throws {
    var kills = 0
    while kills < Self.leastKills || stage.elapsed < stage.options.seconds {
      let nodes = stage.cluster.map.nodes
      try stage.kill(nodes[stage.random.below(nodes.count)].name)
      kills += 1
    }
  }
}
