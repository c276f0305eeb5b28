import Bytes
import Machine
import Market

// Freeze → Liquidate … → Release: see DESIGN, "Liquidation".
extension ShardMachine {
  /// Refuses the account's orders from now on, cancels all that it has, and answers when none is left.
  mutating func take(_ freeze: Freeze, into output: inout OutputBuffer) {
    if freeze.account == .house { return }
    var slot = accountSlot(freeze.account)
    if slot == 0 { slot = addAccount(freeze.account) }
    accounts[slot].restrictions.insert(.frozen)
    accounts[slot].freezeID = freeze.id
    accounts[slot].ceiling = accounts[slot].used
    let job = Job(
      kind: .freeze, accountSlot: slot, arrival: arrivals, number: freeze.id, outcome: .cancelledByFreeze)
    cancelEverything(job, into: &output)
  }

  mutating func acknowledgeFreeze(_ slot: Slot, into output: inout OutputBuffer) {
    accounts[slot].ceiling = accounts[slot].used
    let account = accounts[slot]
    output.send(
      FreezeTaken(
        account: account.id, id: account.freezeID, fillNumber: fillNumber, consumed: Money(units: account.consumed)),
      to: .risk, &streams)
  }

  mutating func take(_ release: Release) {
    let slot = accountSlot(release.account)
    if slot != 0, accounts[slot].isFrozen, accounts[slot].freezeID == release.id {
      accounts[slot].restrictions.remove(.frozen)
    }
  }

  /// Does a step of a liquidation once; the same step again gets the same answer.
  mutating func take(_ step: Liquidate, into output: inout OutputBuffer) {
    let slot = accountSlot(step.account)
    var answer = Answer(outcome: .unknownAccount)
    if slot != 0, step.step <= accounts[slot].liquidationStep {
      // Risk counts its steps upwards, so an older one can only be a resend of what was answered before.
      answer =
        step.step == accounts[slot].liquidationStep
        ? Answer(outcome: accounts[slot].liquidationOutcome, filled: accounts[slot].liquidationFilled)
        : Answer(outcome: .duplicateOrder)
    } else if slot != 0 {
      if sweepSlots.contains(where: { sweeps[$0].liquidation != 0 && sweeps[$0].taker.accountSlot == slot }) {
        // Its step is still trading, and answers when it is through.
        return
      }
      if let silent = whoIsSilent {
        answer = Answer(outcome: silent)
      } else {
        answer = liquidate(step, slot, into: &output)
        if answer.outcome == .sweeping { return }
        if answer.outcome != .busy { remember(answer, step.step, slot) }
      }
    }
    send(answer, step.account, step.step, into: &output)
  }

  private mutating func remember(_ answer: Answer, _ step: UInt64, _ slot: Slot) {
    accounts[slot].liquidationStep = step
    accounts[slot].liquidationOutcome = answer.outcome
    accounts[slot].liquidationFilled = answer.filled
  }
  private mutating func send(_ answer: Answer, _ account: AccountID, _ step: UInt64, into output: inout OutputBuffer) {
    output.send(
      LiquidationResult(account: account, step: step, filled: Lots(answer.filled), outcome: answer.outcome),
      to: .risk, &streams)
  }

  /// Answers a step that took more than one input.
  mutating func answer(liquidation sweep: Sweep, into output: inout OutputBuffer) {
    let slot = sweep.taker.accountSlot
    let answer = Self.outcome(of: sweep.taker)
    remember(answer, sweep.liquidation, slot)
    send(answer, accounts[slot].id, sweep.liquidation, into: &output)
  }

  private static func outcome(of taker: Taker) -> Answer {
    Answer(
      outcome: taker.lots == 0 ? .filled : .residualCancelled, filled: taker.side == .buy ? taker.filled : -taker.filled
    )
  }

  /// An IOC that only brings the position nearer to zero, free of charge.
  private mutating func liquidate(_ step: Liquidate, _ slot: Slot, into output: inout OutputBuffer) -> Answer {
    if !accounts[slot].isFrozen || accounts[slot].freezeID != step.id
      || accounts[slot].openOrders | accounts[slot].armedStops != 0
    {
      return Answer(outcome: .accountFrozen)
    }
    let (book, absent) = book(of: step.instrument)
    if let absent { return Answer(outcome: absent) }
    let contract = books[book].contract
    if now >= contract.expiry || books[book].isSettling { return Answer(outcome: .instrumentExpired) }
    if books[book].isBlocked || books[book].state != .open { return Answer(outcome: .busy) }
    let position = positionSlot(slot, book)
    let lots = position == 0 ? 0 : positions[position].lots
    if step.lots.count == 0 || lots == 0 || (step.lots.count > 0) == (lots > 0) {
      return Answer(outcome: .notReducing)
    }
    let side: Side = lots > 0 ? .sell : .buy
    let last = Int64(BookSide.span) - 1
    let limit = step.limit.units
    if limit < 0 && side == .buy { return Answer(outcome: .residualCancelled) }
    let inside = max(limit, 0) / contract.tickSize
    let tick = side == .buy || inside &* contract.tickSize == max(limit, 0) ? inside : inside + 1
    if tick > last && side == .sell { return Answer(outcome: .residualCancelled) }
    var taker = Taker(
      accountSlot: slot, nonce: step.step, key: 0, index: 0, book: book, side: side,
      limit: BookSide.rank(side.opposite, min(tick, last)),
      lots: Int64(min(step.lots.count.magnitude, lots.magnitude)), reserved: 0, kind: .liquidation)
    trade(&taker, into: &output)
    if taker.isUnfinished {
      let operation = Operation(kind: .new, side: side, instrument: step.instrument)
      let origin = Origin(
        accountSlot: slot, key: 0, isTrade: false, nonce: step.step, session: 0, generation: 0, maximumFee: 0,
        sequence: sequence)
      sweep(
        Deferral(origin: origin, index: 0, operation: operation), taker, Candidate(accountSlot: slot, key: 0),
        liquidation: step.step)
      return Answer(outcome: .sweeping)
    }
    return Self.outcome(of: taker)
  }
}
