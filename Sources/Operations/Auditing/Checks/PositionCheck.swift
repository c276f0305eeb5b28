import Clearing
import Cluster
import Market
import Matching

/// `positions`: summed from the fills that the aggregator's journal holds, positions are what the aggregator has, what
/// shards commit to epoch by epoch, and what the leaves of the last final epoch state; summed from the fills that a
/// shard sends they are what the shard has; and each account's reservation in a shard is the sum of its open orders'
/// charges.
///
/// What a running machine had in its memory is known by the state hash it committed to: that is compared too.
package final class PositionCheck {
  package let findings = Findings(.positions)
  private struct Holding: Hashable {
    var account: AccountID
    var instrument: InstrumentID
  }

  private let risk: Replica<RiskMachine>
  private let shards: [Replica<ShardMachine>]
  private let lastFinalEpoch: Epoch
  /// Σ fills by the aggregator's journal: all, up to the last final epoch, and by open epoch.
  private var consumed: [Holding: Int64] = [:]
  private var final: [Holding: Int64] = [:]
  private var byEpoch: [MachineID: [Epoch: [Holding: Int64]]] = [:]
  /// Σ fills as shards send them.
  private var sent: [Holding: Int64] = [:]
  private var fillNumbers: [MachineID: UInt64] = [:]
  private var committed: [MachineID: [Epoch: [Commitment.PositionDelta]]] = [:]
  private var stateHashes: [MachineID: [Epoch: UInt64]] = [:]

  init(risk: Replica<RiskMachine>, shards: [Replica<ShardMachine>], lastFinalEpoch: Epoch) {
    self.risk = risk
    self.shards = shards
    self.lastFinalEpoch = lastFinalEpoch
  }

  /// The re-executed shard sends a fill.
  func sent(_ fill: Fill) {
    if fill.lots != .zero {
      sent[Holding(account: fill.account, instrument: fill.instrument), default: 0] &+= fill.lots.count
    }
  }

  /// The aggregator's journal holds a fill that its shard produced in `epoch`.
  func heard(_ fill: Fill, from shard: MachineID, epoch: Epoch) {
    let before = fillNumbers.updateValue(fill.number, forKey: shard) ?? 0
    findings.check(fill.number == before + 1, "\(shard): fill \(fill.number) follows fill \(before)")
    guard fill.lots != .zero else { return }
    let holding = Holding(account: fill.account, instrument: fill.instrument)
    consumed[holding, default: 0] &+= fill.lots.count
    if epoch <= lastFinalEpoch { final[holding, default: 0] &+= fill.lots.count }
    byEpoch[shard, default: [:]][epoch, default: [:]][holding, default: 0] &+= fill.lots.count
  }

  /// The coordinator's journal holds a shard's commitment.
  func journalled(_ commitment: Commitment) {
    let hash = stateHashes[commitment.machine]?.removeValue(forKey: commitment.seal.epoch)
    findings.check(
      hash == commitment.stateHash,
      "\(commitment.machine): after epoch \(commitment.seal.epoch) it was not in the state that its journal gives")
    guard commitment.machine != .risk else { return }
    committed[commitment.machine, default: [:]][commitment.seal.epoch] = commitment.positions
  }

  /// The re-executed machine commits.
  func committed(_ commitment: Commitment) {
    stateHashes[commitment.machine, default: [:]][commitment.seal.epoch] = commitment.stateHash
  }

  /// Fills of `epoch` and before are complete at the aggregator once it heard of a later epoch.
  func epochComplete(of shard: MachineID, before epoch: Epoch) {
    guard let open = committed[shard] else { return }
    for complete in open.keys.sorted() where complete < epoch {
      let deltas = committed[shard]!.removeValue(forKey: complete) ?? []
      let fills = byEpoch[shard]?.removeValue(forKey: complete) ?? [:]
      var stated: [Holding: Int64] = [:]
      for delta in deltas { stated[Holding(account: delta.account, instrument: delta.instrument)] = delta.lots.count }
      findings.check(
        stated == fills.filter { $0.value != 0 },
        "\(shard): the position movements it committed to in epoch \(complete) are not those of its fills")
    }
  }

  /// Every account's reservation in every shard.
  package func checkReservations() {
    for shard in shards {
      shard.read { machine in
        for account in machine.accountIDs() {
          guard let standing = machine.standing(account) else { continue }
          let charges = machine.openOrders(account).reduce(Int128(0)) { $0 + Int128($1.reserved.units) }
          findings.check(
            Int128(standing.reserved.units) == charges,
            "\(shard.id), account \(account): \(standing.reserved) are reserved, open orders hold \(charges) units")
        }
      }
    }
  }

  /// A leaf of the last final epoch.
  func leaf(_ account: AccountID, _ positions: [(instrument: InstrumentID, lots: Lots)]) {
    for position in positions {
      let holding = Holding(account: account, instrument: position.instrument)
      findings.check(
        final.removeValue(forKey: holding) ?? 0 == position.lots.count,
        "account \(account), instrument \(position.instrument): the leaf says \(position.lots) lots, which its fills "
          + "do not add up to")
    }
  }

  func finish() {
    checkReservations()
    for (holding, lots) in final where lots != 0 && lastFinalEpoch.rawValue > 0 {
      findings.breach(
        "account \(holding.account), instrument \(holding.instrument): \(lots) lots of fills stand in no leaf")
    }
    for view in risk.read({ $0.allViews() }) {
      for position in view.positions {
        let holding = Holding(account: view.account, instrument: position.instrument)
        findings.check(
          consumed.removeValue(forKey: holding) ?? 0 == position.lots.count,
          "account \(view.account), instrument \(position.instrument): the aggregator has \(position.lots) lots, "
            + "which the fills it consumed do not add up to")
      }
    }
    for (holding, lots) in consumed where lots != 0 {
      findings.breach(
        "account \(holding.account), instrument \(holding.instrument): the aggregator has nothing, fills say \(lots)")
    }
    finishShards()
  }

  private func finishShards() {
    for shard in shards {
      shard.read { machine in
        for (holding, lots) in sent {
          let (known, isHosted) = (
            machine.position(holding.account, holding.instrument),
            machine.bookSnapshot(holding.instrument, depth: 0) != nil
          )
          guard isHosted else { continue }
          findings.check(
            known.count == lots,
            "\(shard.id), account \(holding.account), instrument \(holding.instrument): it has \(known) lots, its "
              + "fills say \(lots)")
        }
      }
    }
  }
}
