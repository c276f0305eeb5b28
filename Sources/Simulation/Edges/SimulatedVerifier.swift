import Bytes
import Market
import Operations
import Settlement
import Wire

/// The verifier: it signs what the re-execution of the journals comes to.
final class SimulatedVerifier: SimulatedEdge {
  private static let interval: Int64 = 50_000_000
  private static let silence: Int64 = 700_000_000
  private let simulation: Simulation
  private let digest: AttestationDigest
  private var requests: [AttestationRequest] = []
  private var askedAt = Int64.min

  init(on simulation: Simulation, host: Int, incarnation: UInt32) {
    self.simulation = simulation
    digest = AttestationDigest(simulation.cluster.market.parameters)
    super.init(
      MachineID(.verifier), on: simulation.cluster, host: host, incarnation: incarnation, peers: [.settlement])
  }

  override func received(_ kind: FrameKind, _ body: inout ByteReader, from machine: MachineID) {
    guard kind == .attestationRequest else { return }
    let request = AttestationRequest(from: &body)
    if body.isExhausted, !requests.contains(request) { requests.append(request) }
  }

  override func work() -> Int64 {
    let now = cluster.time.now
    if askedAt == .min || now - askedAt > Self.silence {
      askedAt = now
      Frame.write(.feedSubscription, FeedSubscription(wantsReports: false, wantsBooks: false), in: &frame)
      send(to: .settlement)
    }
    for request in requests {
      guard let own = simulation.watch.headers[request.epoch] else { continue }
      askedAt = now
      simulation.watch.walk.rootChain.findings.check(
        own == request.headerHash,
        "epoch \(request.epoch): the coordinator wants to post another header than its journal gives")
      let attestation = digest.attestation(
        by: 0, key: SimulatedMarket.verifierKey, epoch: request.epoch, headerHash: request.headerHash,
        agrees: own == request.headerHash)
      Frame.write(.attestation, attestation, in: &frame)
      send(to: .settlement)
    }
    requests.removeAll { simulation.watch.headers[$0.epoch] != nil }
    return Self.interval
  }
}
