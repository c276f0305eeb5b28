import Bytes
import Cluster
import Foundation
import Market
import Messaging
import Wire

/// Bytes that mean nothing, at the gateway's door and at a machine's.
struct Garbage: Drill {
  let name = "client-garbage"
  let what =
    "random bytes, cut and endless frames at the gateway's door and at a node's socket, and malformed frames through "
    + "the handshake: connections are closed, frames dropped and counted, no process ends"

  private static let rounds = 40
  private static let frames = 2_000
  private static let handshakeSeconds = 15.0

  func prepare(_ stage: DrillStage) { stage.plan.configuration.transport = .tcp }

  func run(in stage: DrillStage) throws {
    let cluster = stage.cluster
    let gateway = MachineID(.gateway, 0)
    let doors = [gateway, .shard(ShardID(0))]
    let before = processes(cluster)
    func droppedFrames() -> Int64 { cluster.status(of: gateway, seconds: 5)?.figures["dropped"] ?? 0 }
    let dropped = droppedFrames()
    var closed: Int64 = 0
    var bytes: Int64 = 0
    var sent: Int64 = 0
    var fault = try stage.begin("garbage at the doors") {
      for round in 0..<Self.rounds {
        for door in doors {
          let connection = try RawConnection(cluster.map.endpoint(of: door) ?? "")
          bytes += Int64(connection.send(raw(round, &stage.random)))
          try stage.pause(0.03)
          if connection.isClosed() { closed += 1 }
        }
      }
      let transport = try Transport(map: cluster.map, clientKeys: CurveKeyPair.generate())
      let socket = try transport.dealer(connectingTo: gateway)
      sent = try sendMalformed(stage, to: socket)
      // A busy machine takes its time to shake hands, and what still waits for it goes with the socket.
      try withExtendedLifetime(socket) {
        try stage.wait("the gateway drops no frame", seconds: Self.handshakeSeconds) { droppedFrames() > dropped }
        try stage.pause(0.5)
      }
    }
    try stage.end(&fault) {}
    let after = droppedFrames()
    stage.prove(
      fault,
      [
        "raw_bytes_sent": bytes, "connections_closed_on_us": closed, "malformed_frames_sent": sent,
        "frames_dropped_by_gateway": after - dropped,
      ])
    stage.expect(processes(cluster) == before, "a process ended over it: \(before) became \(processes(cluster))")
    try stage.recover(fault)
  }

  private func processes(_ cluster: DrillCluster) -> [String: pid_t] {
    var found: [String: pid_t] = [:]
    for node in cluster.map.nodes { found[node.name] = cluster.process(of: node.name) }
    return found
  }

  /// Noise; a greeting that ends in the middle; one of another mechanism; one and then a frame of 16 EiB; half a frame.
  private func raw(_ round: Int, _ random: inout SeededGenerator) -> [UInt8] {
    var noise = [UInt8](repeating: 0, count: 4_096)
    for index in noise.indices { noise[index] = UInt8(truncatingIfNeeded: random.next()) }
    func greeting(_ mechanism: String) -> [UInt8] {
      let name = Array(mechanism.utf8)
      let signature: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0]
      return signature + name + [UInt8](repeating: 0, count: 64 - signature.count - name.count)
    }
    switch round % 5 {
    case 0: return noise
    case 1: return Array(greeting("CURVE").prefix(1 + random.below(60)))
    case 2: return greeting("NULL") + noise
    case 3: return greeting("CURVE") + [2] + [UInt8](repeating: 0xFF, count: 8) + noise
    default: return greeting("CURVE") + [4, 200] + noise.prefix(100)
    }
  }

  /// Frames of a client that has shaken hands, and knows nothing else of what is proper.
  private func sendMalformed(_ stage: DrillStage, to socket: Socket) throws -> Int64 {
    var sent: Int64 = 0
    var turns = 0
    while sent < Self.frames, turns < 10 * Self.frames {
      turns += 1
      var frame = [UInt8](repeating: 0, count: 2 + stage.random.below(600))
      for index in frame.indices { frame[index] = UInt8(truncatingIfNeeded: stage.random.next()) }
      // Half of them begin as frames do.
      if turns % 2 == 0 {
        frame[0] = Frame.version
        frame[1] = UInt8(1 + stage.random.below(FrameKind.allCases.count))
      }
      // And now and then there is a part too many.
      let parts = turns % 7 == 0 ? [frame, frame, frame] : [frame]
      if (try? socket.send(frames: parts)) == .sent { sent += 1 } else { try stage.pause(0.01) }
    }
    return sent
  }
}
