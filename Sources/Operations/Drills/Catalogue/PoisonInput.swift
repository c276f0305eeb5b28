import Cluster
import Foundation
import Journal
import Machine
import Market

/// An order of which a shard's process dies, every time.
struct PoisonInput: Drill {
  /// Copies that follow each machine.
  let standbys: Int

  var name: String { standbys == 0 ? "poison-input" : "poison-input-standby" }
  var what: String {
    let whom =
      standbys == 0 ? "a shard's process dies" : "a shard's process dies, and that of the standby that takes over,"
    return "an order is sent of which \(whom) again and again: it is put in quarantine, its sender is told so, and the "
      + "others trade on"
  }
  var needs: [DrillNeed] { [.testBuild] }

  private static let machine = MachineID.shard(ShardID(0))
  private static let operations = 2
  private static let answerSeconds = 1.0
  private static let limitSeconds = 60.0
  #if NOVATION_PLANT
    private static let label = PlantedBug.poisonLabel
    private static let plants = [PlantedBug.poisonOrder.rawValue]
  #else
    private static let label: UInt32 = 0
    private static let plants: [String] = []
  #endif

  func prepare(_ stage: DrillStage) {
    stage.plan.plants = Self.plants
    stage.plan.configuration.standbys = standbys
    if standbys > 0 { stage.plan.configuration.matcherNodes = 3 }
  }

  func run(in stage: DrillStage) throws {
    let cluster = stage.cluster
    let client = try DrillClient(stage)
    let homes = cluster.map.nodes(holding: Self.machine).map(\.name)
    let limit = stage.plan.configuration.quarantineAfter
    try stage.pause(1.2)
    let poison = try client.orders(Self.operations, shard: 0, label: Self.label)
    let restartsBefore = homes.map { cluster.restarts(of: $0) }
    var reply: ActionReply?
    var fault = try stage.begin("an order of which \(Self.machine) dies") {
      try stage.wait("the order has no answer", seconds: Self.limitSeconds) {
        // As a client does that hears nothing: the same action again.
        if case .reply(let answer) = try client.ask(poison, seconds: Self.answerSeconds) { reply = answer }
        return reply != nil
      }
    }
    try stage.end(&fault) {}
    let restarts = zip(homes, restartsBefore).map { cluster.restarts(of: $0) - $1 }
    let kept = try QuarantineShelf(dataDirectory: cluster.map.dataDirectory).quarantines(of: Self.machine)
    stage.prove(
      fault,
      [
        "deaths_at_the_order": Int64(
          cluster.logLines(of: "supervisor", with: "died while it applied an input", "\"\(Self.machine)\"")),
        "restarts": Int64(restarts.reduce(0, +)), "quarantines": Int64(kept.count),
        "entries_put_aside": Int64(try entriesPutAside(cluster)),
        "operations_refused_as_quarantined": Int64(reply?.results.count { $0.outcome == .quarantined } ?? 0),
      ])
    guard let reply else { return try stage.recover(fault) }
    stage.expect(
      reply.results.count == Self.operations && reply.results.allSatisfy { $0.outcome == .quarantined },
      "the order was answered \(reply.results.map(\.outcome))")
    stage.expect(
      restarts.reduce(0, +) <= limit + (standbys + 1) * 2,
      "\(restarts.reduce(0, +)) deaths, where \(limit) at the same input are enough")
    let others = (0..<cluster.map.shardCount).filter { shard in
      !cluster.map.nodes(holding: .shard(ShardID(UInt16(shard)))).contains { homes.contains($0.name) }
    }
    for shard in standbys == 0 ? others : [] {
      stage.expect(
        stage.accepted(during: fault, shards: [shard]) > 0, "shard \(shard), on another node, took no orders meanwhile")
    }
    if case .reply(let again) = try client.ask(poison) {
      stage.expect(again.isRepeated && again.results == reply.results, "sent again, it was answered anew")
    } else {
      stage.expect(false, "sent again, the order has no answer")
    }
    try stage.recover(fault)
    stage.expect(
      zip(homes, restartsBefore).map { cluster.restarts(of: $0) - $1 } == restarts,
      "a process died once more after the quarantine")
  }

  /// Entries of the machine's journal that were kept from it.
  private func entriesPutAside(_ cluster: DrillCluster) throws -> Int {
    let copies = JournalCopies(of: Self.machine, in: cluster.map.journalDirectories(of: Self.machine))
    let reader = try JournalReader(directory: copies.latest(), machine: Self.machine)
    var count = 0
    try reader.forEachEntry(from: reader.base().sequence.next) { header, _ in
      if header.kind == .quarantined { count += 1 }
      return true
    }
    return count
  }
}
