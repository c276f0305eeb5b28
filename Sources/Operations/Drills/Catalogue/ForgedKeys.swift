import Bytes
import Cluster
import Foundation
import Market
import Messaging
import Wire

/// Peers that are not who they say.
struct ForgedKeys: Drill {
  let name = "forged-node-keys"
  let what =
    "a peer with an unknown key, and one with a node's key that speaks for another: neither is answered or believed, "
    + "the rightful one is"

  private static let attempts = 5

  func run(in stage: DrillStage) throws {
    let cluster = stage.cluster
    let shard = MachineID.shard(ShardID(0))
    let node = cluster.map.node(hosting: shard)?.name ?? ""
    let sequences = cluster.map.machines.compactMap { cluster.status(of: $0)?.outgoing.count }
    guard !sequences.isEmpty else { throw ClientError(reason: "nobody answers the operator") }
    var unanswered: Int64 = 0
    var answered: Int64 = 0
    var refused: Int64 = 0
    let refusedBefore = cluster.logLines(of: node, with: "dropped a frame")
    var fault = try stage.begin("forged keys at \(shard)") {
      for _ in 0..<Self.attempts {
        if try ask(cluster, shard, keys: CurveKeyPair.generate()) { answered += 1 } else { unanswered += 1 }
        try stage.pause(0)
      }
      // The mark publisher's key, admitted under its own name, claims to be everybody else.
      let keys = try CurveKeyring(directory: cluster.map.keyDirectory(of: "marks")).own
      let socket = try Transport(map: cluster.map, clientKeys: keys).dealer(connectingTo: shard)
      for frame in claims(stage) {
        try stage.wait("the transport takes no frame", seconds: 5) {
          frame.withUnsafeBytes { socket.offer($0) } == .sent
        }
      }
      try stage.wait("the shard says nothing of forged claims", seconds: 10) {
        refused = Int64(cluster.logLines(of: node, with: "dropped a frame") - refusedBefore)
        return refused >= Int64(claims(stage).count)
      }
    }
    try stage.end(&fault) {}
    var rightful: Int64 = 0
    let own = try CurveKeyring(directory: cluster.map.keyDirectory(of: ClusterDirectory.operatorName)).own
    if try ask(cluster, shard, keys: own) { rightful += 1 }
    stage.prove(
      fault,
      ["unknown_keys_unanswered": unanswered, "false_claims_refused": refused, "rightful_key_answered": rightful])
    stage.expect(answered == 0, "an unknown key was answered \(answered) times")
    try stage.recover(fault)
  }

  /// Whether a machine answers whoever holds these keys.
  private func ask(_ cluster: DrillCluster, _ machine: MachineID, keys: CurveKeyPair) throws -> Bool {
    let client = GatewayClient(try Transport(map: cluster.map, clientKeys: keys).dealer(connectingTo: machine))
    return (try? client.query(.status, machine, timeoutSeconds: 0.7)) != nil
  }

  /// A stream's position in risk's name, far ahead, which would have its outbox trimmed; an action in a gateway's; the
  /// heartbeat of a gateway.
  private func claims(_ stage: DrillStage) -> [[UInt8]] {
    var frame = ByteWriter(capacity: 256)
    var frames: [[UInt8]] = []
    Frame.write(.acknowledge, StreamPosition(machine: .risk, number: 1), in: &frame)
    frames.append(frame.array)
    Frame.write(.subscribe, StreamPosition(machine: .settlement, number: 1), in: &frame)
    frames.append(frame.array)
    Frame.begin(.submit, in: &frame)
    [UInt8](repeating: 7, count: 200).withUnsafeBytes { frame.blob($0) }
    frames.append(frame.array)
    Frame.write(
      .heartbeat, GatewayHeartbeat(gateway: MachineID(.gateway, 0), incarnation: .max), in: &frame)
    frames.append(frame.array)
    return frames
  }
}
