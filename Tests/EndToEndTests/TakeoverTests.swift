import Foundation
import Testing

/// Machines that change their owner while they trade: by a death, or by an operator's word.
@Suite(.serialized) struct TakeoverTests {
  /// The node that owns a shard, as the cluster tells, and its process.
  private func owner(of shard: Int, _ cluster: TestCluster) throws -> (node: String, pid: Int32)? {
    let status = try cluster.novation("status").json
    let shards = status["shards"] as? [[String: Any]] ?? []
    let processes = status["processes"] as? [[String: Any]] ?? []
    guard let node = shards.first(where: { $0["shard"] as? Int == shard })?["node"] as? String,
      let pid = processes.first(where: { $0["name"] as? String == node })?["pid"] as? Int
    else { return nil }
    return (node, Int32(pid))
  }

  private func orders(of shard: Int, _ cluster: TestCluster) throws -> Int {
    let shards = try cluster.novation("status").json["shards"] as? [[String: Any]] ?? []
    return shards.first { $0["shard"] as? Int == shard }?["orders"] as? Int ?? 0
  }

  @Test func aStandbyTakesOverFromAKilledOwnerAndNothingIsLost() throws {
    let cluster = try TestCluster(nodes: 2, standbys: 1)
    let before = try #require(try owner(of: 0, cluster))
    // A copy that is not in sync yet would not be promoted.
    usleep(2_000_000)
    #expect(kill(before.pid, SIGKILL) == 0)
    try waitUntil("another node owns the shard", seconds: 20) {
      let now = try owner(of: 0, cluster)
      return now != nil && now?.node != before.node
    }
    let taken = try orders(of: 0, cluster)
    try waitUntil("it trades on", seconds: 20) { try orders(of: 0, cluster) > taken }
    try cluster.expectCleanEnd()
  }

  @Test func shardsMoveAndNodesComeAndGoAndAllAreRestartedWhileItTrades() throws {
    let cluster = try TestCluster()
    let added = try cluster.novation("node", "add")
    #expect(added.code == 0, "\(added.errors)")
    let node = try #require(added.json["node"] as? String)
    let moved = try cluster.novation("shard", "move", "0", "--to", node)
    #expect(moved.code == 0, "\(moved.errors)")
    #expect(moved.json["to"] as? String == node)
    #expect((moved.json["pause_ms"] as? Double ?? 0) > 0)
    #expect(try owner(of: 0, cluster)?.node == node)
    let early = try cluster.novation("node", "remove", node)
    #expect(early.code != 0 && early.errors.contains("it holds shard-0"), "\(early.errors)")
    let wrong = try cluster.novation("shard", "move", "0", "--to", "risk")
    #expect(wrong.code == 2 && wrong.errors.contains("needs a matcher node"), "\(wrong.errors)")
    let drained = try cluster.novation("node", "drain", node)
    #expect(drained.code == 0, "\(drained.errors)")
    #expect((drained.json["moves"] as? [Any])?.count == 1)
    let removed = try cluster.novation("node", "remove", node)
    #expect(removed.code == 0, "\(removed.errors)")
    let restarted = try cluster.novation("restart", "--rolling")
    #expect(restarted.code == 0, "\(restarted.errors)")
    let taken = try orders(of: 1, cluster)
    try waitUntil("it trades on", seconds: 20) { try orders(of: 1, cluster) > taken }
    try cluster.expectCleanEnd()
  }
}
