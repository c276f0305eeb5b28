import Bytes
import Cluster
import Machine
import Market
import Matching
import Clearing
import Operations
import Settlement
import VerifierNode
import Wire

/// Re-executes every journal as it grows, and shows each checker what it holds and what follows from it.
final class Watch: ReexecutionObserver {
  private let cluster: SimulatedCluster
  let machines: ClusterReexecution.Machines
  /// The auditor's own checks, made as the journals grow.
  let walk: ClusterWalk
  /// Header hashes that re-execution has come to.
  private(set) var headers: [Epoch: Digest] = [:]
  /// Checks that only a simulation can make.
  let acknowledgedOnce: AcknowledgedOnceChecker
  let deterministic: DeterministicChecker
  let oneOwner: OneOwnerChecker
  let stamps: StampChecker
  let settled: SettledChecker
  let liveness: LivenessChecker
  private(set) var inputs = 0
  private(set) var fills = 0
  private var growths = 0
  /// The newest epoch that risk has heard of from each machine.
  private var heard: [MachineID: Epoch] = [:]
  /// Sequence of the seal that ended each epoch.
  private var seals: [MachineID: [Epoch: SequenceNumber]] = [:]

  init(_ cluster: SimulatedCluster) {
    self.cluster = cluster
    machines = Self.machines(of: cluster)
    walk = ClusterWalk(
      machines, market: cluster.market, clients: ClientEvidence(), lastFinalEpoch: Epoch(.max), isRunning: true)
    acknowledgedOnce = AcknowledgedOnceChecker()
    deterministic = DeterministicChecker()
    oneOwner = OneOwnerChecker()
    stamps = StampChecker()
    settled = SettledChecker(walk, currencies: cluster.market.currencies.count)
    liveness = LivenessChecker()
    for shard in machines.shards { shard.observer = self }
    machines.risk.observer = self
    machines.settlement.observer = self
  }

  /// Every machine, to be re-executed from the beginning.
  static func machines(of cluster: SimulatedCluster) -> ClusterReexecution.Machines {
    let signing = ActionSigning(market: cluster.market)
    func replica<M: Machine & ~Copyable>(_ machine: MachineID) -> Replica<M> {
      Replica(machine, journal: cluster.archive(of: machine)!, market: cluster.market, signing: signing)
    }
    return ClusterReexecution.Machines(
      shards: cluster.market.shards.map { replica(.shard($0)) }, risk: replica(.risk), settlement: replica(.settlement))
  }

  /// All that was found so far, the auditor's checks first.
  var findings: [Findings] {
    walk.findings + [
      acknowledgedOnce.findings, deterministic.findings, oneOwner.findings, stamps.findings, settled.exit.findings,
      liveness.findings,
    ]
  }

  /// A machine's journal has grown.
  func grown(_ machine: MachineID) {
    walk.follow(replica(of: machine))
    // What the coordinator posts follows from what it has let out before.
    if machine == .settlement { settled.follow(cluster.layer) }
    growths += 1
    if growths.isMultiple(of: 64) { walk.positions.checkReservations() }
  }

  func replica(of machine: MachineID) -> any Reexecutable {
    if let shard = machine.shard { return machines.shards[Int(shard.rawValue)] }
    return machine == .risk ? machines.risk : machines.settlement
  }

  /// What is acknowledged and not settled; `nil` when all is.
  func unsettled(_ clients: SimulatedClients) -> String? {
    if let stopped = machines.settlement.read({ $0.stopReason }) { return "the coordinator has stopped: \(stopped)" }
    if clients.waiting > 0 { return "\(clients.waiting) actions have no answer" }
    let (final, cursor, deposits) = cluster.layer.read {
      ($0.finalHeader?.epoch ?? Epoch(0), $0.depositCursor, $0.depositCount)
    }
    if cursor < deposits { return "\(deposits - cursor) deposits are in no final epoch, the last is \(final)" }
    for shard in cluster.market.shards where (heard[.shard(shard)] ?? Epoch(0)) <= final {
      return "risk has not heard everything that shard \(shard) did in epoch \(final)"
    }
    for (machine, last) in acknowledgedOnce.lastAcknowledged.sorted(by: { $0.key < $1.key }) {
      let seal = seals[machine]?[final] ?? SequenceNumber(0)
      if last >= seal {
        return "\(machine): acknowledged entry \(last) is in no final epoch: the last, \(final), ends at \(seal)"
      }
    }
    return nil
  }

  // MARK: Re-execution

  func observe(_ machine: MachineID, _ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    inputs += 1
    acknowledgedOnce.entry(machine, header)
    stamps.entry(machine, header, at: cluster.time.wall)
    if machine == .risk, header.kind == .stream { heard[header.source] = header.epoch }
    if header.kind == .seal, let seal = try? Seal(decoding: payload) {
      seals[machine, default: [:]][seal.epoch] = header.sequence
    }
    walk.observe(machine, header, payload)
  }

  func observe(_ machine: MachineID, _ header: InputHeader, _ record: OutputBuffer.Record) {
    switch record.kind {
    case .reply:
      if let reply = try? ActionReply(decoding: record.payload) { acknowledgedOnce.reply(machine, header, reply) }
    case .effect:
      if machine == .settlement, record.destination == SettlementEffect.attest.rawValue,
        let request = try? AttestationRequest(decoding: record.payload)
      {
        headers[request.epoch] = request.headerHash
      }
    case .stream:
      if record.payload.first == MessageKind.fill.rawValue { fills += 1 }
    case .report, .book, .status: break
    }
    walk.observe(machine, header, record)
  }
}
