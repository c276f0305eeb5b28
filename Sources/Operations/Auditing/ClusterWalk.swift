import Bytes
import Clearing
import Cluster
import Machine
import Market
import Matching
import Settlement
import VerifierNode

/// Re-executes a cluster from its journals, once and in order, and shows each checker what concerns it: what a journal
/// holds (which is what other machines really said), and what the re-executed machine says to it.
///
/// All machines go on epoch by epoch: the shards, then risk, then the coordinator. Received in an epoch means sent in
/// it or before, so whoever receives is walked after whoever sent.
package final class ClusterWalk: ReexecutionObserver {
  package let ownership = OwnershipCheck()
  package let acknowledgements: AcknowledgementCheck
  package let determinism = DeterminismCheck()
  package let credit: CreditCheck
  package let conservation: ConservationCheck
  package let orderTerms: OrderTermsCheck
  package let streams = StreamCheck()
  package let positions: PositionCheck
  package let liveness: LivenessCheck
  package let rootChain: RootChainCheck
  package let solvency: SolvencyCheck

  private let machines: ClusterReexecution.Machines
  /// The newest epoch that the aggregator heard of from each shard.
  private var heardEpochs: [MachineID: Epoch] = [:]
  /// The coordinator's epoch when it was followed last.
  private var followedEpoch = Epoch(0)
  /// Instruments of the market by now.
  private var instrumentCount: Int
  /// Of each journal that was truncated, the first entry that is walked.
  private(set) var beginnings: [MachineID: SequenceNumber] = [:]
  /// Machines that cannot be re-executed any further.
  private var broken: Set<MachineID> = []

  package init(
    _ machines: ClusterReexecution.Machines, market: MarketDefinition, clients: ClientEvidence, lastFinalEpoch: Epoch,
    isRunning: Bool
  ) {
    self.machines = machines
    instrumentCount = market.instruments.count
    acknowledgements = AcknowledgementCheck(clients)
    credit = CreditCheck(risk: machines.risk, shards: machines.shards)
    conservation = ConservationCheck(market)
    orderTerms = OrderTermsCheck(market)
    positions = PositionCheck(risk: machines.risk, shards: machines.shards, lastFinalEpoch: lastFinalEpoch)
    liveness = LivenessCheck(lastFinalEpoch: lastFinalEpoch, isRunning: isRunning)
    rootChain = RootChainCheck(market)
    solvency = SolvencyCheck(market)
    for shard in machines.shards { shard.observer = self }
    machines.risk.observer = self
    machines.settlement.observer = self
  }

  /// What every check has found so far; `exit` is checked when the walk is over.
  package var findings: [Findings] {
    [
      acknowledgements.findings, determinism.findings, credit.findings, conservation.findings, ownership.findings,
      rootChain.findings, solvency.findings, orderTerms.findings, streams.findings, positions.findings,
      liveness.findings,
    ]
  }

  // MARK: The walk

  /// Follows one machine to the end of its journal as it is now, while it grows. Call it whenever the journal has
  /// grown, before anybody can have heard of what is new in it: then whoever receives is followed after whoever sent.
  package func follow(_ machine: any Reexecutable) {
    do {
      _ = try advance(machine, past: nil)
    } catch {
      determinism.findings.breach("\(machine.id): it cannot be re-executed: \(error)")
    }
    endOfInput(of: machine.id)
    streams.reconcile(machine, among: machines.together.all)
    guard machine.id == .settlement, machine.epoch > followedEpoch else { return }
    followedEpoch = machine.epoch
    epochEnded()
  }

  private func epochEnded() {
    credit.epochEnded()
    orderTerms.epochEnded()
    positions.checkReservations()
    for (shard, heard) in heardEpochs { positions.epochComplete(of: shard, before: heard) }
  }

  /// Walks every journal to its end, or until `last` is ended and its header made.
  func run(past last: Epoch?) throws {
    try begin()
    var epoch = Epoch(1)
    while true {
      var isAnyPast = false
      for machine in machines.together.all where try advance(machine, past: epoch) { isAnyPast = true }
      endOfInputs()
      streams.reconcile(machines.together.all)
      epochEnded()
      // The coordinator makes an epoch's header when it is in a later one.
      if !isAnyPast || last.map({ epoch >= $0 && rootChain.hasMade($0) }) ?? false { return }
      epoch = epoch.next
    }
  }

  /// Tells the checks which journals begin after a snapshot.
  private func begin() throws {
    for machine in machines.together.all {
      try machine.open()
      guard machine.firstSequence.rawValue > 1 else { continue }
      beginnings[machine.id] = machine.firstSequence
      let before = SequenceNumber(machine.firstSequence.rawValue - 1)
      ownership.began(machine.id, after: before)
      acknowledgements.began(machine.id, after: before)
      determinism.began(machine.id, in: machine.epoch)
      streams.began(machine, among: machines.together.all)
      if machine.id == .risk { liveness.isPartial = true }
      if machine.id == .settlement { rootChain.isPartial = true }
    }
  }

  private func advance(_ machine: any Reexecutable, past epoch: Epoch?) throws -> Bool {
    guard !broken.contains(machine.id) else { return false }
    do {
      let isPast = try machine.advance(past: epoch)
      machine.effects.removeAll()
      return isPast
    } catch let breach as ReexecutionBreach {
      broken.insert(machine.id)
      switch breach.rule {
      case .signature: orderTerms.unsigned(breach)
      case .order: ownership.findings.breach("\(breach)")
      case .stream: streams.findings.breach("\(breach)")
      case .journal, .genesis, .seal, .quarantine: determinism.broken(breach)
      }
      return false
    }
  }

  private func endOfInputs() {
    for shard in machines.shards { endOfInput(of: shard.id) }
    credit.endOfRiskInput()
  }

  private func endOfInput(of machine: MachineID) {
    if machine == .risk {
      credit.endOfRiskInput()
    } else if machine.shard != nil {
      credit.endOfInput(of: machine)
      orderTerms.endOfInput(of: machine)
    }
  }

  // MARK: What a journal holds

  package func observe(_ machine: MachineID, _ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    endOfInput(of: machine)
    ownership.entry(machine, header)
    acknowledgements.entry(machine, header)
    if machine.shard != nil { orderTerms.entry(machine, header, payload) }
    switch header.kind {
    case .seal:
      if let seal = try? Seal(decoding: payload) { liveness.sealed(machine, seal.epoch, at: header.sequence) }
    case .stream:
      streams.entry(machine, header, epoch: epoch(of: machine))
      if machine == .risk, header.source.shard != nil { heard(of: header.epoch, from: header.source) }
      var messages = StreamMessages(header, payload)
      while var message = messages.next() { journalled(message.kind, &message.body, machine, header) }
    case .quarantined where header.count > 0:
      streams.entry(machine, header, epoch: epoch(of: machine))
      if machine == .risk, header.source.shard != nil { heard(of: header.epoch, from: header.source) }
    case .genesis, .tick, .action, .marks, .sessionEnd, .attestation, .settlementEvent, .continuation, .handOver,
      .quarantined:
      break
    }
  }

  private func epoch(of machine: MachineID) -> Epoch {
    if let shard = machine.shard { return machines.shards[Int(shard.rawValue)].epoch }
    return machine == .risk ? machines.risk.epoch : machines.settlement.epoch
  }

  private func heard(of epoch: Epoch, from shard: MachineID) {
    guard heardEpochs[shard].map({ $0 < epoch }) ?? true else { return }
    heardEpochs[shard] = epoch
    conservation.endEpoch(of: shard, before: epoch)
  }

  private func journalled(
    _ kind: MessageKind?, _ body: inout ByteReader, _ machine: MachineID, _ header: InputHeader
  ) {
    if kind == .listing, header.source == .risk { list(Self.read(InstrumentListing.self, &body)) }
    if machine == .settlement {
      guard kind == .commitment, let commitment = Self.read(Commitment.self, &body) else { return }
      determinism.journalled(commitment, from: header.source)
      conservation.journalled(commitment)
      positions.journalled(commitment)
      if header.source == .risk { solvency.journalled(commitment) }
    } else if machine == .risk {
      heardByRisk(kind, &body, header)
    } else if header.source == .risk {
      switch kind {
      case .credit: if let credit = Self.read(Credit.self, &body) { self.credit.journalled(credit, at: machine) }
      case .grant: if let grant = Self.read(Grant.self, &body) { credit.journalled(grant) }
      case .liquidate: if let step = Self.read(Liquidate.self, &body) { orderTerms.liquidate(machine, step) }
      default: break
      }
    }
  }

  /// Whoever hears of it first teaches the checks; that risk said so to all is for the streams to show.
  private func list(_ listing: InstrumentListing?) {
    guard let listing, Int(listing.instrument.id.rawValue) == instrumentCount else { return }
    instrumentCount += 1
    orderTerms.list(listing.instrument)
    conservation.list(listing.instrument)
    solvency.list(listing.instrument)
  }

  private func heardByRisk(_ kind: MessageKind?, _ body: inout ByteReader, _ header: InputHeader) {
    let source = header.source
    switch kind {
    case .fill:
      guard let fill = Self.read(Fill.self, &body) else { return }
      credit.heard(fill, from: source)
      conservation.heard(fill, from: source, epoch: header.epoch)
      orderTerms.heard(fill, from: source)
      positions.heard(fill, from: source, epoch: header.epoch)
    case .creditTaken: if let taken = Self.read(CreditTaken.self, &body) { credit.heard(taken, from: source) }
    case .freezeTaken: if let taken = Self.read(FreezeTaken.self, &body) { credit.heard(taken, from: source) }
    case .grantClosed: if let closed = Self.read(GrantClosed.self, &body) { credit.heard(closed, from: source) }
    case .deposit: if let deposit = Self.read(Deposit.self, &body) { liveness.heard(deposit) }
    default: break
    }
  }

  private static func read<Message: StreamMessage>(_ type: Message.Type, _ body: inout ByteReader) -> Message? {
    let message = Message(from: &body)
    return body.isExhausted ? message : nil
  }

  // MARK: What the re-executed machine says

  package func observe(_ machine: MachineID, _ header: InputHeader, _ record: OutputBuffer.Record) {
    determinism.said(machine, record)
    switch record.kind {
    case .reply:
      guard let reply = try? ActionReply(decoding: record.payload) else { return }
      acknowledgements.reply(machine, header, reply)
      if machine.shard != nil {
        orderTerms.replied(machine, reply)
        credit.touch(reply.account)
      }
    case .report:
      if let report = try? ExecutionReport(decoding: record.payload) { orderTerms.reported(machine, report) }
    case .stream:
      var body = ByteReader(record.payload)
      sent(MessageKind(rawValue: body.u8()), &body, machine, MachineID(rawValue: record.destination))
    case .effect:
      guard machine == .settlement, record.destination == SettlementEffect.attest.rawValue else { return }
      if let request = try? AttestationRequest(decoding: record.payload) { rootChain.made(request) }
    case .book:
      if let delta = try? BookDelta(decoding: record.payload) { orderTerms.told(machine, delta) }
    case .status:
      if let status = try? InstrumentStatus(decoding: record.payload) { orderTerms.told(machine, status) }
    }
  }

  private func sent(
    _ kind: MessageKind?, _ body: inout ByteReader, _ machine: MachineID, _ destination: MachineID
  ) {
    switch kind {
    case .fill:
      let fill = Fill(from: &body)
      orderTerms.sent(machine, fill)
      positions.sent(fill)
      credit.touch(fill.account)
    case .credit: credit.sent(Credit(from: &body), to: destination)
    case .grant: credit.sent(Grant(from: &body), to: destination)
    case .commitment:
      let commitment = Commitment(from: &body)
      determinism.committed(commitment)
      positions.committed(commitment)
    default: break
    }
  }
}
