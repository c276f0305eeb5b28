import Bytes
import Cluster
import Foundation
import Market
import Messaging
import Wire

/// Signed orders, captured and sent again.
struct ReplayedOrders: Drill {
  let name = "replayed-orders"
  let what =
    "signed actions are captured and sent again, to their shard and by a gateway's key to another, and other orders "
    + "under their nonces: the same answer, and never applied twice"

  private static let actions = 40
  private static let resends = 3

  func run(in stage: DrillStage) throws {
    let client = try DrillClient(stage)
    let shards = stage.cluster.map.shardCount
    var captured: [(action: DrillClient.Action, reply: ActionReply)] = []
    for number in 0..<Self.actions {
      let action = try client.orders(2, shard: number % shards)
      guard case .reply(let reply) = try client.ask(action) else {
        throw ClientError(reason: "action \(action.nonce) was not answered")
      }
      captured.append((action, reply))
    }
    var same: Int64 = 0
    var refused: Int64 = 0
    var elsewhere: Int64 = 0
    var fault = try stage.begin("captured actions again") {
      for (action, first) in captured {
        for _ in 0..<Self.resends {
          guard case .reply(var again) = try client.ask(action) else { continue }
          stage.expect(again.isRepeated, "action \(action.nonce) was taken for a new one")
          again.isRepeated = first.isRepeated
          stage.expect(again == first, "action \(action.nonce): another answer the second time: \(again), not \(first)")
          if again == first { same += 1 }
        }
        try stage.pause(0)
      }
      for (action, first) in captured {
        if case .reply(let reply) = try client.ask(client.forgery(of: action)) {
          if reply.results.allSatisfy({ $0.outcome == .nonceReused }) {
            refused += 1
          } else {
            stage.expect(
              false, "other orders under nonce \(action.nonce) were answered \(reply.results.map(\.outcome))")
          }
          stage.expect(!reply.results.isEmpty && first.nonce == reply.nonce, "the answer names another nonce")
        }
        try stage.pause(0)
      }
      elsewhere = try replayElsewhere(stage, captured.map(\.action))
    }
    try stage.end(&fault) {}
    stage.prove(
      fault,
      [
        "captured": Int64(captured.count), "answered_the_same": same, "reused_nonces_refused": refused,
        "refused_elsewhere": elsewhere,
      ])
    stage.expect(
      stage.options.isDisarmed || same == Int64(Self.actions * Self.resends),
      "\(same) of \(Self.actions * Self.resends) resends had the first answer")
    try stage.recover(fault)
  }

  /// To the next shard, by whoever holds a gateway's key: past the gateway, which would refuse them.
  private func replayElsewhere(_ stage: DrillStage, _ actions: [DrillClient.Action]) throws -> Int64 {
    let map = stage.cluster.map
    let keys = try CurveKeyring(directory: map.keyDirectory(of: "gateway-0")).own
    let transport = try Transport(map: map, clientKeys: keys)
    var refused: Int64 = 0
    for place in 0..<map.shardCount {
      let target = ShardID(UInt16((place + 1) % map.shardCount))
      let insider = GatewayClient(try transport.dealer(connectingTo: .shard(target)))
      let own = actions.filter { $0.shard == place }
      for action in own {
        try stage.wait("the transport takes no action", seconds: 5) { insider.submit(action.bytes) }
      }
      var heard = 0
      try stage.wait("shard \(target) does not answer replayed actions", seconds: 10) {
        insider.poll(waitMicroseconds: 10_000) { event in
          guard case .reply(let reply) = event else { return }
          heard += 1
          let isRefused = reply.results.allSatisfy { !$0.outcome.isAccepted }
          stage.expect(isRefused, "shard \(target) took an action of shard \(place): nonce \(reply.nonce)")
          if isRefused { refused += 1 }
        }
        return heard >= own.count
      }
    }
    return refused
  }
}
