import Bytes
import Machine
import Market

/// What comes from machines, verifiers and the settlement layer: recorded here, acted upon by `advance`.
extension SettlementMachine {
  // MARK: Machines

  mutating func receive(_ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    guard let place = machines.firstIndex(of: header.source),
      streams.consume(from: header.source, first: header.firstNumber, count: header.count)
    else { return }
    var messages = StreamMessages(header, payload)
    let malformed = StopReason(.malformedMessage, detail: UInt64(header.source.rawValue))
    while var message = messages.next() {
      switch message.kind {
      case .commitment:
        let commitment = Commitment(from: &message.body)
        if message.body.isExhausted { receive(commitment, from: place) } else { stop(malformed) }
      case .listing where header.source == .risk:
        let listing = InstrumentListing(from: &message.body)
        if message.body.isExhausted { list(listing.instrument) } else { stop(malformed) }
      default: continue
      }
    }
    if !messages.isExhausted { stop(malformed) }
  }

  /// Takes note of an input that is kept from it: its stream goes on, and nothing else is done.
  mutating func passOver(_ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    guard let input = QuarantinedInput(payload), input.quarantine.kind == .stream, machines.contains(header.source)
    else { return }
    _ = streams.consume(from: header.source, first: header.firstNumber, count: header.count)
  }

  /// Takes up an instrument that risk has listed; one whose number is not the next, or that refers to what is not
  /// there, changes nothing.
  private mutating func list(_ instrument: Instrument) {
    guard let market, Int(instrument.id.rawValue) == market.instruments.count,
      Int(instrument.underlying.rawValue) < market.underlyings.count,
      Int(instrument.settlementCurrency.rawValue) < market.currencies.count,
      instrument.shard.rawValue < market.shardCount
    else { return }
    self.market?.instruments.append(instrument)
    marks.append(nil)
  }

  /// Each machine commits to each sealed epoch once, in order.
  private mutating func receive(_ commitment: Commitment, from place: Int) {
    let next = openEpochs.firstIndex { $0.computed == nil && $0.commitments[place] == nil }
    guard let next, openEpochs[next].epoch == commitment.seal.epoch, isAllowed(commitment, from: machines[place]) else {
      stop(
        StopReason(.badCommitment, epoch: commitment.seal.epoch, detail: UInt64(machines[place].rawValue)))
      return
    }
    openEpochs[next].commitments[place] = commitment
  }

  /// Whether the machine may say this: its own name, known currencies; positions only from the shard that owns the
  /// instrument; deposits, withdrawals, marks and indices only from risk. A shard may have heard of a new instrument
  /// before this coordinator does; once risk has committed to the epoch, it must be known, see `EpochChange`.
  func isAllowed(_ commitment: Commitment, from machine: MachineID) -> Bool {
    guard let market, commitment.machine == machine else { return false }
    let currencies = market.currencies.count
    guard commitment.ledger.allSatisfy({ Int($0.currency.rawValue) < currencies }) else { return false }
    if machine == .risk {
      return commitment.positions.isEmpty && commitment.indices.count <= indices.count
        && commitment.indices.allSatisfy { $0.units >= 0 }
        && commitment.marks.allSatisfy { market[$0.instrument] != nil }
        && commitment.withdrawals.allSatisfy { Int($0.currency.rawValue) < currencies && $0.amount.units > 0 }
    }
    return commitment.withdrawals.isEmpty && commitment.marks.isEmpty && commitment.indices.isEmpty
      && commitment.depositCursor == 0
      && commitment.positions.allSatisfy { market[$0.instrument].map { $0.shard == machine.shard } ?? true }
  }

  // MARK: Verifiers

  /// Records a verifier's signed word. One that is not signed by its verifier, that is here already, or that is for an
  /// epoch not sealed yet changes nothing; a signed word against an epoch disputes it, at any time.
  mutating func receive(_ attestation: Attestation) {
    guard let parameters = market?.parameters, attestation.epoch < epoch,
      AttestationDigest(parameters).isSigned(attestation, by: parameters.verifiers)
    else { return }
    let dispute = StopReason(.disputed, epoch: attestation.epoch, detail: UInt64(attestation.verifier))
    if !attestation.agrees { stop(dispute) }
    guard let open = openEpochs.firstIndex(where: { $0.epoch == attestation.epoch }) else { return }
    let known = openEpochs[open].attestations
    let place = known.firstIndex { $0.verifier >= attestation.verifier } ?? known.endIndex
    if place < known.endIndex, known[place].verifier == attestation.verifier {
      if known[place].headerHash != attestation.headerHash { stop(dispute) }
      return
    }
    openEpochs[open].attestations.insert(attestation, at: place)
    if let computed = openEpochs[open].computed, computed.headerHash != attestation.headerHash { stop(dispute) }
  }

  // MARK: The settlement layer

  mutating func receive(_ event: SettlementEvent, into output: inout OutputBuffer) {
    switch event {
    case .deposit(let deposit): receive(deposit, into: &output)
    case .posted(let epoch, let headerHash): recordPosted(epoch, headerHash)
    case .final(let epoch, let root): recordFinal(epoch, root, into: &output)
    }
  }

  /// Forwards each deposit to risk once, in order: a repeated one or one after a gap changes nothing.
  private mutating func receive(_ deposit: Deposit, into output: inout OutputBuffer) {
    guard let market, deposit.number == nextDeposit, deposit.number < .max,
      pendingDeposits.count < Self.maximumPendingDeposits
    else { return }
    let account = Int(deposit.account.rawValue)
    let isKnown = account < owners.count && owners[account] == deposit.owner
    let isNew = account == owners.count && deposit.owner != .zero && account < 1 << AccountTree.depth
    guard isKnown || isNew, deposit.amount.units > 0, Int(deposit.currency.rawValue) < market.currencies.count else {
      stop(StopReason(.invalidDeposit, epoch: epoch, detail: deposit.number))
      return
    }
    if isNew { owners.append(deposit.owner) }
    depositsForwarded += 1
    pendingDeposits.append(deposit)
    output.send(deposit, to: .risk, &streams)
  }

  /// An epoch is on the layer, and with it all before it.
  private mutating func recordPosted(_ posted: Epoch, _ headerHash: Digest) {
    guard posted > lastFinalEpoch else { return }
    guard let place = openEpochs.firstIndex(where: { $0.epoch == posted }), let computed = openEpochs[place].computed,
      computed.headerHash == headerHash
    else { return stop(StopReason(.foreignHeader, epoch: posted)) }
    for earlier in 0...place {
      openEpochs[earlier].computed?.isPosted = true
      openEpochs[earlier].computed?.changed = []
    }
  }

  /// An epoch is final, and with it all before it; risk is told of each once.
  private mutating func recordFinal(_ final: Epoch, _ root: Digest, into output: inout OutputBuffer) {
    guard final > lastFinalEpoch else { return }
    guard let place = openEpochs.firstIndex(where: { $0.epoch == final }),
      openEpochs[place].computed?.header.root == root
    else { return stop(StopReason(.foreignRoot, epoch: final)) }
    for open in openEpochs[...place] {
      guard let computed = open.computed else { continue }
      output.send(EpochFinal(epoch: open.epoch, root: computed.header.root), to: .risk, &streams)
    }
    openEpochs.removeSubrange(...place)
    lastFinalEpoch = final
    lastFinalRoot = root
  }
}
