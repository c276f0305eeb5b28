import Bytes
import Machine
import Market

/// From complete commitments to a post, as far as what is there allows.
extension SettlementMachine {
  /// Applies every epoch that is complete, in order, then asks for the post that is due.
  mutating func advance(into output: inout OutputBuffer) {
    while stopReason == nil, let place = openEpochs.firstIndex(where: { $0.computed == nil }) {
      let commitments = openEpochs[place].commitments.compactMap(\.self)
      guard commitments.count == machines.count, let market else { break }
      do throws(StopReason) {
        let change = try EpochChange(
          epoch: openEpochs[place].epoch, commitments: commitments, market: market, coordinator: self)
        apply(change, commitments, at: place, into: &output)
      } catch {
        stop(error)
      }
    }
    requestPost(into: &output)
  }

  /// Takes over a change that was found right: from here nothing can fail.
  private mutating func apply(
    _ change: EpochChange, _ commitments: [Commitment], at place: Int, into output: inout OutputBuffer
  ) {
    var previousRoot = book.root
    #if NOVATION_PLANT
      if faults.contains(.wrongPreviousRoot) { previousRoot = .zero }
    #endif
    guard book.replace(change.changed) else {
      return stop(StopReason(.unknownAccount, epoch: change.epoch))
    }
    marks = change.marks
    indices = change.indices
    pendingDeposits.removeFirst(change.consumedDeposits)
    depositCursor = change.depositCursor
    progress = change.progress
    let header = EpochHeader(
      epoch: change.epoch, previousRoot: previousRoot, root: book.root, fillsRoot: EpochRoots.fills(commitments),
      marksRoot: EpochRoots.marks(marks, indices: indices), inputRoot: EpochRoots.inputs(commitments),
      withdrawalsRoot: EpochRoots.withdrawals(change.withdrawals), parameterVersion: Self.parameterVersion,
      depositCursor: depositCursor, totalPositiveEquity: change.totalPositiveEquity)
    lastHeader = header
    let computed = OpenEpoch.Computed(header: header, headerHash: header.headerHash, changed: change.changed)
    openEpochs[place].computed = computed
    openEpochs[place].commitments = []
    for attestation in openEpochs[place].attestations where attestation.headerHash != computed.headerHash {
      stop(StopReason(.disputed, epoch: change.epoch, detail: UInt64(attestation.verifier)))
    }
    requestAttestations(computed, into: &output)
  }

  private borrowing func requestAttestations(_ computed: OpenEpoch.Computed, into output: inout OutputBuffer) {
    output.effect(
      SettlementEffect.attest.rawValue,
      AttestationRequest(epoch: computed.header.epoch, headerHash: computed.headerHash))
  }

  /// Asks for the first epoch that is not posted, once a quorum stands behind it: one post at a time, so that each is
  /// made on top of one that the layer holds.
  private mutating func requestPost(into output: inout OutputBuffer) {
    guard stopReason == nil, let market,
      let place = openEpochs.firstIndex(where: { $0.computed?.isPosted != true }),
      openEpochs[place].computed?.isRequested == false,
      openEpochs[place].hasQuorum(Int(market.parameters.attestationQuorum))
    else { return }
    openEpochs[place].computed?.isRequested = true
    emitPost(openEpochs[place], into: &output)
    #if NOVATION_PLANT
      if faults.contains(.postTwice) { emitPost(openEpochs[place], into: &output) }
    #endif
  }

  private borrowing func emitPost(_ open: OpenEpoch, into output: inout OutputBuffer) {
    guard let computed = open.computed else { return }
    let agreeing = open.attestations.filter { $0.agrees && $0.headerHash == computed.headerHash }
    output.effect(
      SettlementEffect.post.rawValue,
      EpochPost(header: computed.header, changed: computed.changed, attestations: agreeing))
  }

  /// Says again what is owed: for each epoch that is applied and not posted, its post if that was asked for, else the
  /// request for attestations if there is no quorum yet. A stopped coordinator owes nothing.
  public mutating func resume(into output: inout OutputBuffer) {
    guard stopReason == nil, let market else { return }
    for open in openEpochs {
      guard let computed = open.computed, !computed.isPosted else { continue }
      if computed.isRequested {
        emitPost(open, into: &output)
      } else if !open.hasQuorum(Int(market.parameters.attestationQuorum)) {
        requestAttestations(computed, into: &output)
      }
    }
  }
}
