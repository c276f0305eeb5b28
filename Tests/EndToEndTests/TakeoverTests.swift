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

  /// First entries of the copies of a shard's journal, by the copy's name.
  private func firstEntries(of shard: Int, _ cluster: TestCluster) throws -> [String: Int] {
    let journals = try cluster.novation("journal", "ls").json["journals"] as? [[String: Any]] ?? []
    var first: [String: Int] = [:]
    for journal in journals {
      guard let name = journal["machine"] as? String, name.hasPrefix("shard-\(shard)") else { continue }
      first[name] = journal["first_sequence"] as? Int
    }
    return first
  }

  @Test func aStandbyThatLostItsDiskCatchesUpWithATruncatedJournalAndTakesOverAndNothingIsLost() throws {
    let cluster = try TestCluster(
      nodes: 2, standbys: 1, ordersPerSecond: 2_000,
      journal: "snapshot_every = 1000\nretain_entries = 0\nretain_hours = 0")
    try waitUntil("the journal is truncated", seconds: 120) {
      try firstEntries(of: 0, cluster)["shard-0"] ?? 1 > 1
    }
    let before = try #require(try owner(of: 0, cluster))
    try #require(before.node == "matcher-0")
    try cluster.stop()
    let lost = "shard-0@matcher-1"
    try FileManager.default.removeItem(atPath: "\(cluster.data)/journal/\(lost)")
    try cluster.startAgain()
    try waitUntil("the new copy begins after a snapshot", seconds: 60) {
      try firstEntries(of: 0, cluster)[lost] ?? 1 > 1
    }
    // What it has taken up it may still be catching up with.
    usleep(3_000_000)
    let again = try #require(try owner(of: 0, cluster))
    #expect(kill(again.pid, SIGKILL) == 0)
    try waitUntil("another node owns the shard", seconds: 30) {
      let now = try owner(of: 0, cluster)
      return now != nil && now?.node != again.node
    }
    let taken = try orders(of: 0, cluster)
    try waitUntil("it trades on", seconds: 30) { try orders(of: 0, cluster) > taken }
    try cluster.stop()
    let verified = try cluster.novation("journal", "verify")
    #expect(verified.code == 0, "\(verified.output)")
    // What can be audited of truncated journals holds, what clients were told among it; the rest is not passed over.
    let audit = try cluster.novation("audit")
    #expect(audit.code == 1)
    let from = try #require(audit.json["from_sequence"] as? [String: Int], "\(audit.errors)")
    #expect(from["shard-0"] ?? 1 > 1)
    for invariant in audit.json["invariants"] as? [[String: Any]] ?? [] {
      #expect(invariant["breaches"] as? Int == 0, "\(invariant)")
      let isPartial = ["acknowledged_once", "streams", "one_owner", "root_chain", "exit", "liveness"].contains(
        invariant["name"] as? String)
      if isPartial { #expect(invariant["checks"] as? Int ?? 0 > 0, "\(invariant)") }
    }
  }
}
