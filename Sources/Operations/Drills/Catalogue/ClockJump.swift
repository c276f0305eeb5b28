import Cluster
import Foundation
import Market
import Wire

/// The wall clock of a gateway jumps, by which it judges whether a signature's time is over.
struct ClockJump: Drill {
  let name = "clock-jump"
  let what =
    "the wall clock of a gateway jumps an hour ahead, and then to an hour behind: it refuses what is fresh, and lets "
    + "pass what has expired, but no shard takes that, and nothing is lost"
  var needs: [DrillNeed] { [FakedClock.need] }

  private static let node = "gateway-0"
  private static let actions = 10
  /// How long ago a signature's time was over.
  private static let expiredSeconds: UInt64 = 600

  func prepare(_ stage: DrillStage) throws { try stage.fakeClock(of: Self.node) }

  func run(in stage: DrillStage) throws {
    stage.healLater("setting the clock right") { try FakedClock.set(Self.node, hours: 0) }
    let client = try DrillClient(stage)
    let shards = stage.cluster.map.shardCount
    try stage.pause(1.2)
    var refused: Int64 = 0
    var ahead = try stage.begin("the clock of \(Self.node) jumps an hour ahead") {
      try FakedClock.set(Self.node, hours: 1)
      for number in 0..<Self.actions {
        let answer = try client.ask(client.orders(1, shard: number % shards))
        if case .refusal(let refusal) = answer, refusal.outcome == .expired { refused += 1 }
        try stage.pause(0.1)
      }
    }
    try stage.end(&ahead) { try FakedClock.set(Self.node, hours: 0) }
    stage.prove(ahead, ["fresh_actions_refused_as_expired": refused])
    try stage.recover(ahead)
    var passed: Int64 = 0
    var behind = try stage.begin("the clock of \(Self.node) jumps to an hour behind") {
      try FakedClock.set(Self.node, hours: -1)
      for number in 0..<Self.actions {
        let expiry = UInt64(MachineClock.wall().seconds) - Self.expiredSeconds
        let answer = try client.ask(client.orders(1, shard: number % shards, expiry: expiry))
        if case .reply(let reply) = answer {
          passed += 1
          stage.expect(
            reply.results.allSatisfy { !$0.outcome.isAccepted },
            "\(reply.machine) took an action whose time was over: \(reply.results.map(\.outcome))")
        }
        try stage.pause(0.1)
      }
    }
    try stage.end(&behind) { try FakedClock.set(Self.node, hours: 0) }
    stage.prove(behind, ["expired_actions_let_pass_to_shards": passed])
    try stage.recover(behind)
  }
}
