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
    let job = Job(
      kind: .freeze, accountSlot: slot, arrival: arrivals, number: freeze.id, outcome: .cancelledByFreeze)
    cancelEverything(job, into: &output)
    accounts[slot].ceiling = accounts[slot].used
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
      if let silent = whoIsSilent {
        answer = Answer(outcome: silent)
      } else {
        answer = liquidate(step, slot, into: &output)
        accounts[slot].liquidationStep = step.step
        accounts[slot].liquidationOutcome = answer.outcome
        accounts[slot].liquidationFilled = answer.filled
      }
    }
    output.send(
      LiquidationResult(
        account: step.account, step: step.step, filled: Lots(answer.filled), outcome: answer.outcome),
      to: .risk, &streams)
  }

  /// An IOC that only brings the position nearer to zero, free of charge.
  private mutating func liquidate(_ step: Liquidate, _ slot: Slot, into output: inout OutputBuffer) -> Answer {
    if !accounts[slot].isFrozen || accounts[slot].freezeID != step.id || accounts[slot].openOrders != 0 {
      return Answer(outcome: .accountFrozen)
    }
    let (book, absent) = book(of: step.instrument)
    if let absent { return Answer(outcome: absent) }
    let contract = books[book].contract
    if now >= contract.expiry || books[book].isSettling { return Answer(outcome: .instrumentExpired) }
    if books[book].state == .halted { return Answer(outcome: .instrumentHalted) }
    if books[book].state != .open { return Answer(outcome: .inAuction) }
    if books[book].isBlocked { return Answer(outcome: .busy) }
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
    // Its own group's orders give way.
    taker.mode = .cancelMaker
    trade(&taker, into: &output)
    return Answer(
      outcome: taker.lots == 0 ? .filled : .residualCancelled, filled: side == .buy ? taker.filled : -taker.filled)
  }
}
