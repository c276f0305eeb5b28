import Machine
import Market

// Freeze, liquidate, release.
extension NaiveEngine {
  mutating func take(_ freeze: Freeze, into output: inout OutputBuffer) {
    if freeze.account == .house { return }
    let account = account(freeze.account)
    accounts[account].isFrozen = true
    accounts[account].freezeID = freeze.id
    _ = endWaiting(account, .cancelledByFreeze, into: &output)
    accounts[account].ceiling = accounts[account].used
    start(NaiveJob(kind: .freeze, account: account, arrival: arrivals, number: freeze.id))
  }

  /// Cancels all orders of the account, then acknowledges the freeze.
  mutating func freeze(_ job: inout NaiveJob, into output: inout OutputBuffer) -> Bool {
    guard let account = job.account, accounts[account].isFrozen, accounts[account].freezeID == job.number else {
      return true
    }
    let isDone = cancelMany(&job, .cancelledByFreeze, into: &output)
    accounts[account].ceiling = accounts[account].used
    if isDone {
      output.send(
        FreezeTaken(
          account: accounts[account].id, id: job.number, fillNumber: fillNumber,
          consumed: Money(units: accounts[account].consumed)),
        to: .risk, &streams)
    }
    return isDone
  }

  mutating func take(_ release: Release) {
    guard let account = accounts.firstIndex(where: { $0.id == release.account }) else { return }
    if accounts[account].isFrozen, accounts[account].freezeID == release.id { accounts[account].isFrozen = false }
  }

  /// Does a step of a liquidation once; the same step again gets the same answer.
  mutating func take(_ step: Liquidate, into output: inout OutputBuffer) {
    var answer = NaiveAnswer(outcome: .unknownAccount)
    if let account = accounts.firstIndex(where: { $0.id == step.account }) {
      if step.step == accounts[account].liquidationStep {
        answer = NaiveAnswer(
          outcome: accounts[account].liquidationOutcome, filled: accounts[account].liquidationFilled)
      } else if step.step < accounts[account].liquidationStep {
        answer = NaiveAnswer(outcome: .duplicateOrder)
      } else if let silent = whoIsSilent {
        answer = NaiveAnswer(outcome: silent)
      } else {
        answer = liquidate(step, account, into: &output)
        accounts[account].liquidationStep = step.step
        accounts[account].liquidationOutcome = answer.outcome
        accounts[account].liquidationFilled = answer.filled
      }
    }
    output.send(
      LiquidationResult(
        account: step.account, step: step.step, filled: Lots(answer.filled), outcome: answer.outcome),
      to: .risk, &streams)
  }

  /// An IOC that only brings the position nearer to zero, free of charge.
  private mutating func liquidate(_ step: Liquidate, _ account: Int, into output: inout OutputBuffer) -> NaiveAnswer {
    let isFrozen = accounts[account].isFrozen && accounts[account].freezeID == step.id
    if !isFrozen || orders.contains(where: { $0.account == account }) { return NaiveAnswer(outcome: .accountFrozen) }
    let (found, refusal) = book(of: step.instrument)
    guard let book = found else { return NaiveAnswer(outcome: refusal) }
    if now >= books[book].instrument.expiry || books[book].isSettling {
      return NaiveAnswer(outcome: .instrumentExpired)
    }
    if books[book].state == .halted { return NaiveAnswer(outcome: .instrumentHalted) }
    if books[book].state != .open { return NaiveAnswer(outcome: .inAuction) }
    if isBlocked(book) { return NaiveAnswer(outcome: .busy) }
    let lots = position(account, book)
    if step.lots.count == 0 || lots == 0 || (step.lots.count > 0) == (lots > 0) {
      return NaiveAnswer(outcome: .notReducing)
    }
    let side: Side = lots > 0 ? .sell : .buy
    var taker = NaiveTaker(
      account: account, name: NaiveName(key: 0, nonce: step.step, index: 0), book: book, side: side,
      limit: step.limit.units, lots: Int64(min(step.lots.count.magnitude, lots.magnitude)), reserved: 0,
      kind: .liquidation, mode: .cancelMaker)
    trade(&taker, into: &output)
    return NaiveAnswer(
      outcome: taker.lots == 0 ? .filled : .residualCancelled, filled: side.sign * taker.filled)
  }
}
