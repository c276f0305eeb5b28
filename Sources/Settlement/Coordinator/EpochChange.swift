import Bytes
import Market

/// What one epoch's commitments do to the accounts, found to be right before anything is changed.
struct EpochChange {
  let epoch: Epoch
  let depositCursor: UInt64
  let consumedDeposits: Int
  let withdrawals: [Commitment.GrantedWithdrawal]
  let marks: [Price?]
  let indices: [Price]
  let progress: [SettlementMachine.Progress]
  private(set) var changed: [PublishedLeaf] = []
  private(set) var totalPositiveEquity = Money.zero

  /// `commitments` are one of each machine, in order; risk's is the last.
  init(
    epoch: Epoch, commitments: [Commitment], market: MarketDefinition, coordinator: borrowing SettlementMachine
  ) throws(StopReason) {
    self.epoch = epoch
    try Self.checkInstruments(commitments, market, epoch)
    progress = try Self.advance(coordinator.progress, by: commitments, epoch)
    let risk = commitments[commitments.count - 1]
    depositCursor = risk.depositCursor
    withdrawals = risk.withdrawals
    let (consumed, wentBack) = depositCursor.subtractingReportingOverflow(coordinator.depositCursor)
    guard !wentBack, consumed <= UInt64(coordinator.pendingDeposits.count) else {
      throw StopReason(.depositCursor, epoch: epoch, detail: depositCursor)
    }
    consumedDeposits = Int(consumed)
    let deposits = Array(coordinator.pendingDeposits[..<consumedDeposits])

    var checksConservation = true
    #if NOVATION_PLANT
      checksConservation = !coordinator.faults.contains(.skipConservation)
    #endif
    if checksConservation {
      try Self.checkLedgers(commitments, deposits, currencies: market.currencies.count, epoch)
      try Self.checkPositions(commitments, epoch)
    }

    var marks = coordinator.marks
    for mark in risk.marks { marks[Int(mark.instrument.rawValue)] = mark.price }
    self.marks = marks
    var indices = coordinator.indices
    for (underlying, index) in risk.indices.enumerated() where index.units > 0 { indices[underlying] = index }
    self.indices = indices

    let moves = AccountMoves(commitments, withdrawals)
    let valuation = Valuation(definition: market, marks: marks, indices: indices)
    changed = try Self.rewrite(
      moves, deposits, book: coordinator.book, owners: coordinator.owners, valuation: valuation, epoch)
    #if NOVATION_PLANT
      if coordinator.faults.contains(.mintOnApply), let place = changed.firstIndex(where: { $0.leaf.account != .house })
      {
        let minted = changed[place].leaf.ledger[0].units.addingReportingOverflow(1).partialValue
        changed[place].leaf.ledger[0] = Money(units: minted)
      }
    #endif
    guard let total = coordinator.book.totalPositiveEquity(after: changed) else {
      throw StopReason(.overflow, epoch: epoch, detail: UInt64(AccountID.house.rawValue))
    }
    totalPositiveEquity = total
  }

  // MARK: Rules

  /// Every instrument that a shard names is listed by now, and listed there.
  private static func checkInstruments(
    _ commitments: [Commitment], _ market: MarketDefinition, _ epoch: Epoch
  ) throws(StopReason) {
    for commitment in commitments {
      let isOwn = commitment.positions.allSatisfy { market[$0.instrument]?.shard == commitment.machine.shard }
      if !isOwn { throw StopReason(.badCommitment, epoch: epoch, detail: UInt64(commitment.machine.rawValue)) }
    }
  }

  /// Each journal goes on where its last commitment ended, one seal later, and counts its fills upwards.
  private static func advance(
    _ progress: [SettlementMachine.Progress], by commitments: [Commitment], _ epoch: Epoch
  ) throws(StopReason) -> [SettlementMachine.Progress] {
    var next = progress
    for (place, commitment) in commitments.enumerated() {
      let machine = UInt64(commitment.machine.rawValue)
      let first = commitment.seal.firstSequence.rawValue
      let last = commitment.seal.lastSequence.rawValue
      guard first == progress[place].nextFirstSequence, last >= first &- 1, last <= .max - 2 else {
        throw StopReason(.sequenceGap, epoch: epoch, detail: machine)
      }
      guard commitment.fillNumber >= progress[place].fillNumber else {
        throw StopReason(.fillNumberFell, epoch: epoch, detail: machine)
      }
      next[place] = SettlementMachine.Progress(nextFirstSequence: last + 2, fillNumber: commitment.fillNumber)
    }
    return next
  }

  /// Per currency: Σ ledger deltas = Σ deposits consumed − Σ withdrawals granted.
  private static func checkLedgers(
    _ commitments: [Commitment], _ deposits: [Deposit], currencies: Int, _ epoch: Epoch
  ) throws(StopReason) {
    var surplus = Array(repeating: Int128(0), count: currencies)
    for commitment in commitments {
      for delta in commitment.ledger { surplus[Int(delta.currency.rawValue)] += Int128(delta.amount.units) }
      for granted in commitment.withdrawals { surplus[Int(granted.currency.rawValue)] += Int128(granted.amount.units) }
    }
    for deposit in deposits { surplus[Int(deposit.currency.rawValue)] -= Int128(deposit.amount.units) }
    if let currency = surplus.firstIndex(where: { $0 != 0 }) {
      throw StopReason(.ledgerConservation, epoch: epoch, detail: UInt64(currency))
    }
  }

  /// Per instrument: position deltas cancel.
  private static func checkPositions(_ commitments: [Commitment], _ epoch: Epoch) throws(StopReason) {
    var movements: [(instrument: InstrumentID, lots: Int128)] = []
    for commitment in commitments {
      for delta in commitment.positions { movements.append((delta.instrument, Int128(delta.lots.count))) }
    }
    if let instrument = PositionBalance.unbalanced(movements).first {
      throw StopReason(.positionConservation, epoch: epoch, detail: UInt64(instrument.rawValue))
    }
  }

  // MARK: Leaves

  /// The leaves of every account that moved, that a deposit opened, or whose turn of being refreshed it is.
  private static func rewrite(
    _ moves: AccountMoves, _ deposits: [Deposit], book: AccountBook, owners: [Address], valuation: Valuation,
    _ epoch: Epoch
  ) throws(StopReason) -> [PublishedLeaf] {
    let known = deposits.reduce(max(1, book.accounts.count)) { max($0, Int($1.account.rawValue) + 1) }
    var touched = moves.accounts
    touched += (book.accounts.count..<known).map { AccountID(UInt32($0)) }
    let turn = Int(epoch.rawValue % SettlementMachine.refreshEpochs)
    for account in stride(from: turn, to: book.accounts.count, by: Int(SettlementMachine.refreshEpochs)) {
      touched.append(AccountID(UInt32(account)))
    }
    touched.sort()
    var moves = moves
    var changed: [PublishedLeaf] = []
    for account in touched where changed.last?.leaf.account != account {
      guard Int(account.rawValue) < known else {
        throw StopReason(.unknownAccount, epoch: epoch, detail: UInt64(account.rawValue))
      }
      let old =
        book[account]
        ?? PublishedLeaf(
          leaf: AccountLeaf(
            account: account, owner: owners[Int(account.rawValue)], currencies: valuation.definition.currencies.count),
          positions: [])
      guard let new = moves.applyNext(to: old, valuation, epoch) else {
        throw StopReason(.overflow, epoch: epoch, detail: UInt64(account.rawValue))
      }
      changed.append(new)
    }
    return changed
  }
}
