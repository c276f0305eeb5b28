import Market

/// `liveness`: once a run is wound down, every acknowledged entry lies in an epoch that became final, every deposit was
/// consumed, and no epoch is missing. While the cluster runs, only what lies in final epochs is asked for.
package final class LivenessCheck {
  package let findings = Findings(.liveness)
  private let lastFinalEpoch: Epoch
  private let isRunning: Bool
  /// Sequence of the seal that ended the last final epoch, by machine.
  private var seals: [MachineID: SequenceNumber] = [:]
  private var depositsHeard: UInt64 = 0
  /// Risk's journal is walked from a snapshot on: the first deposit in it may have any number.
  var isPartial = false

  init(lastFinalEpoch: Epoch, isRunning: Bool) {
    self.lastFinalEpoch = lastFinalEpoch
    self.isRunning = isRunning
  }

  func sealed(_ machine: MachineID, _ epoch: Epoch, at sequence: SequenceNumber) {
    if epoch == lastFinalEpoch { seals[machine] = sequence }
  }

  /// The aggregator's journal holds a deposit.
  func heard(_ deposit: Deposit) {
    if isPartial, depositsHeard == 0 { depositsHeard = deposit.number - min(deposit.number, 1) }
    findings.check(
      deposit.number == depositsHeard + 1, "risk: deposit \(deposit.number) follows deposit \(depositsHeard)")
    depositsHeard = deposit.number
  }

  /// The settlement layer holds an epoch after `previous`.
  package func posted(_ epoch: Epoch, after previous: Epoch) {
    findings.check(epoch.rawValue == previous.rawValue + 1, "epoch \(epoch) follows epoch \(previous)")
  }

  func finish(machines: [MachineID], evidence: ClientEvidence, deposits: UInt64, consumedDeposits: UInt64) {
    for machine in machines {
      findings.check(
        seals[machine] != nil, "\(machine): it never sealed epoch \(lastFinalEpoch), which is final")
    }
    guard !isRunning else { return }
    for told in evidence.acknowledgements {
      let seal = seals[told.machine] ?? SequenceNumber(0)
      findings.check(
        told.sequence < seal,
        "\(told.machine): acknowledged entry \(told.sequence) lies after the seal of the last final epoch "
          + "\(lastFinalEpoch)")
    }
    if isPartial, depositsHeard == 0 { depositsHeard = deposits }
    findings.check(
      depositsHeard == deposits && consumedDeposits == deposits,
      "of \(deposits) deposits, \(depositsHeard) reached risk and \(consumedDeposits) a final epoch")
  }
}
