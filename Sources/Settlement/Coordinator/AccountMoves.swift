import Bytes
import Market

/// All movements of an epoch in order of account, walked once from the first account to the last.
struct AccountMoves {
  private let ledger: [Commitment.LedgerDelta]
  private let positions: [Commitment.PositionDelta]
  private let withdrawals: [Commitment.GrantedWithdrawal]
  private var nextLedger = 0
  private var nextPosition = 0
  private var nextWithdrawal = 0

  init(_ commitments: [Commitment], _ withdrawals: [Commitment.GrantedWithdrawal]) {
    ledger = commitments.flatMap(\.ledger).sorted { $0.account < $1.account }
    positions = commitments.flatMap(\.positions).sorted {
      ($0.account, $0.instrument) < ($1.account, $1.instrument)
    }
    self.withdrawals = withdrawals.sorted { $0.account < $1.account }
  }

  /// Every account that moves, with repetitions, in no order.
  var accounts: [AccountID] { ledger.map(\.account) + positions.map(\.account) + withdrawals.map(\.account) }

  /// The account after its movements, valued anew. Accounts must come in order; `nil` when something does not fit.
  mutating func applyNext(to old: PublishedLeaf, _ valuation: Valuation, _ epoch: Epoch) -> PublishedLeaf? {
    let account = old.leaf.account
    var new = old
    while nextLedger < ledger.count, ledger[nextLedger].account == account {
      let delta = ledger[nextLedger]
      guard add(delta.amount, to: &new.leaf.ledger[Int(delta.currency.rawValue)]) else { return nil }
      nextLedger += 1
    }
    while nextWithdrawal < withdrawals.count, withdrawals[nextWithdrawal].account == account {
      let granted = withdrawals[nextWithdrawal]
      guard add(granted.amount, to: &new.leaf.withdrawn[Int(granted.currency.rawValue)]) else { return nil }
      nextWithdrawal += 1
    }
    if nextPosition < positions.count, positions[nextPosition].account == account {
      guard let merged = mergePositions(of: account, into: old.positions) else { return nil }
      new.positions = merged
      new.leaf.positionsRoot = PositionEntry.root(merged)
    }
    guard let equity = valuation.equity(ledger: new.leaf.ledger, positions: new.positions) else { return nil }
    new.leaf.equity = equity
    new.leaf.marksEpoch = epoch
    return new
  }

  private func add(_ amount: Money, to sum: inout Money) -> Bool {
    let (units, overflow) = sum.units.addingReportingOverflow(amount.units)
    sum = Money(units: units)
    return !overflow
  }

  /// Merges two lists in order of instrument; what is closed drops out.
  private mutating func mergePositions(of account: AccountID, into old: [PositionEntry]) -> [PositionEntry]? {
    var merged: [PositionEntry] = []
    merged.reserveCapacity(old.count)
    var nextOld = 0
    while nextPosition < positions.count, positions[nextPosition].account == account {
      let instrument = positions[nextPosition].instrument
      while nextOld < old.count, old[nextOld].instrument < instrument {
        merged.append(old[nextOld])
        nextOld += 1
      }
      var lots: Int64 = 0
      if nextOld < old.count, old[nextOld].instrument == instrument {
        lots = old[nextOld].lots.count
        nextOld += 1
      }
      while nextPosition < positions.count, positions[nextPosition].account == account,
        positions[nextPosition].instrument == instrument
      {
        let (sum, overflow) = lots.addingReportingOverflow(positions[nextPosition].lots.count)
        if overflow { return nil }
        lots = sum
        nextPosition += 1
      }
      if lots != 0 { merged.append(PositionEntry(instrument: instrument, lots: Lots(lots))) }
    }
    merged.append(contentsOf: old[nextOld...])
    return merged
  }
}
