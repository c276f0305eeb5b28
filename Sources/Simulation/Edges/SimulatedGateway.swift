import Bytes
import Machine
import Market
import Wire

/// The gateway: it hands signed actions on, brings answers back, and tells the shards that it lives.
final class SimulatedGateway: SimulatedEdge {
  private static let interval: Int64 = 20_000_000
  private static let heartbeatInterval: Int64 = 1_000_000_000
  private let simulation: Simulation
  private var heartbeatAt = Int64.min
  private var endedSessions: [SessionEnd] = []

  init(on simulation: Simulation, host: Int, incarnation: UInt32) {
    self.simulation = simulation
    super.init(
      MachineID(.gateway), on: simulation.cluster, host: host, incarnation: incarnation,
      peers: simulation.cluster.hosted)
  }

  /// Every generation of its sessions is at or above it.
  var generation: UInt64 { UInt64(incarnation) << 32 }

  /// Hands an action on; the client asks again by its nonce when no answer comes.
  func submit(_ action: [UInt8], to machine: MachineID, place: UInt16) {
    Frame.begin(.submit, in: &frame)
    action.withUnsafeBytes { frame.blob($0) }
    let session = frame.count - action.count + SignedActionHeader.sessionOffset
    frame.patch(SessionName(gateway: 0, place: place).rawValue, at: session)
    frame.patch(generation + simulation.clients.generation(of: place), at: session + 8)
    send(to: machine)
  }

  func ask(_ query: Query) {
    Frame.write(.query, query, in: &frame)
    send(to: query.machine)
  }

  /// A client is gone: told until each shard says that it is durable, or the gateway itself is gone.
  func end(place: UInt16) {
    endedSessions.append(
      SessionEnd(
        session: SessionName(gateway: 0, place: place).rawValue,
        generation: generation + simulation.clients.generation(of: place)))
  }

  override func received(_ kind: FrameKind, _ body: inout ByteReader, from machine: MachineID) {
    switch kind {
    case .replies:
      while body.remaining > 0 {
        let bytes = body.blob()
        guard !body.hasFailed, let reply = try? ActionReply(decoding: bytes) else { return }
        simulation.acknowledged(reply)
      }
    case .answer:
      let answer = Answer(from: &body)
      if body.isExhausted, let proof = simulation.clients.answered(answer) {
        simulation.watch.settled.proved(proof, cluster.layer)
      }
    case .sessionEnd:
      let end = SessionEnd(from: &body)
      if body.isExhausted { endedSessions.removeAll { $0 == end } }
    default: break
    }
  }

  override func work() -> Int64 {
    let shards = cluster.market.shards.map(MachineID.shard)
    if heartbeatAt == .min || cluster.time.now - heartbeatAt >= Self.heartbeatInterval {
      heartbeatAt = cluster.time.now
      for shard in shards {
        Frame.write(.heartbeat, GatewayHeartbeat(gateway: machine, incarnation: generation), in: &frame)
        send(to: shard)
        Frame.write(.feedSubscription, FeedSubscription(wantsReports: true, wantsBooks: true), in: &frame)
        send(to: shard)
        for end in endedSessions {
          Frame.write(.sessionEnd, end, in: &frame)
          send(to: shard)
        }
      }
    }
    simulation.clients.work(through: self)
    return Self.interval
  }
}
