import Bytes
import Machine
import Market

// What plain orders are admitted by: kept ready, so that their path has two comparisons to make.
extension ShardMachine {
  /// Sets until when the book takes plain orders, after anything that this depends on has changed.
  mutating func updateGate(_ book: Int) {
    let it = books[book]
    let isPlain =
      it.state == .open && !it.isSettling && !it.isBlocked && marksVersion != 0 && it.marksVersion == marksVersion
    books[book].plainUntil = isPlain ? it.contract.expiry : .zero
    // Within the bands, on the ladder, below any coarser tick.
    let ladder = Self.highestTick.multipliedReportingOverflow(by: it.contract.tickSize)
    books[book].plainLow = max(it.bandLow, it.contract.lowestTick &* it.contract.tickSize)
    books[book].plainHigh = min(
      it.bandHigh, it.contract.coarseFrom &- 1, ladder.overflow ? .max : ladder.partialValue)
    // Both what the order is worth and its loss to mark are of at most so much a unit.
    let worth = max(1, books[book].plainHigh, it.mark)
    let margin = max(1, it.marginToBuy, it.marginToSell)
    books[book].plainLots = min(
      it.contract.maximumLots, (.max - fixedPointScale) / worth / it.contract.lotSize, Contract.largestAmount / margin)
  }

  /// Sets until when risk and marks count as heard; zero while trading is halted.
  mutating func updateHeard() {
    heardUntil = isHalted ? Timestamp(nanoseconds: .min) : min(riskHeard, marksHeard) + parameters.heartbeatLapse
  }
}

// The operator's words and the accounts' own safety switches.
extension ShardMachine {
  mutating func setDeadMan(_ operation: OperationView, _ origin: Origin) -> Answer {
    guard operation.hasOnlyTarget, operation.rawType == 0, operation.instrument.rawValue == 0 else {
      return Answer(outcome: .unsupportedCombination)
    }
    let account = origin.accountSlot
    if accounts[account].deadMan != .never {
      timedOrders -= 1
      hasLostTimer = true
    }
    accounts[account].deadMan = .never
    let milliseconds = operation.targetNonce
    if milliseconds != 0 {
      let deadline = now + Interval(milliseconds: milliseconds)
      accounts[account].deadMan = deadline
      if deadline != .never {
        armDeadMan(account)
      }
    }
    return Answer(outcome: .applied)
  }

  mutating func armDeadMan(_ account: Slot) {
    let deadline = accounts[account].deadMan
    timers.insert(
      Timer(deadline: deadline, kind: .deadMan, id: UInt64(accounts[account].id.rawValue), slot: account))
    timedOrders += 1
    wake(at: deadline)
  }

  mutating func setKillSwitch(
    _ operation: OperationView, _ origin: Origin, into output: inout OutputBuffer
  ) -> Answer {
    guard operation.hasOnlyTarget, operation.rawType <= 1, operation.instrument.rawValue == 0 else {
      return Answer(outcome: .unsupportedCombination)
    }
    var account = origin.accountSlot
    let isOperator = account == Self.houseSlot
    if isOperator {
      guard let id = UInt32(exactly: operation.targetNonce) else {
        return Answer(outcome: .unknownAccount)
      }
      account = accountSlot(AccountID(id))
      if account == 0 { return Answer(outcome: .unknownAccount) }
    } else if operation.targetNonce != 0 {
      return Answer(outcome: .unsupportedCombination)
    }
    if operation.rawType == 0 {
      if accounts[account].isKilledByOperator && !isOperator { return Answer(outcome: .notAuthorised) }
      accounts[account].restrictions.remove(.killed)
      accounts[account].isKilledByOperator = false
      return Answer(outcome: .applied)
    }
    accounts[account].restrictions.insert(.killed)
    if isOperator { accounts[account].isKilledByOperator = true }
    cancelEverything(
      Job(kind: .cancel, accountSlot: account, arrival: arrivals, outcome: .cancelledByKillSwitch), into: &output)
    return Answer(outcome: .applied)
  }

  mutating func setTradingState(_ operation: OperationView, into output: inout OutputBuffer) -> Answer {
    guard operation.hasOnlyTarget, let state = TradingState(rawValue: operation.rawType), state != .uncrossing,
      (state == .auction) == (operation.targetNonce != 0)
    else { return Answer(outcome: .unsupportedCombination) }
    if operation.instrument == Operation.allInstruments {
      for book in 0..<books.count { setState(book, state, operation.targetNonce, into: &output) }
      return Answer(outcome: .applied)
    }
    let (book, absent) = book(of: operation.instrument)
    if let absent { return Answer(outcome: absent) }
    setState(book, state, operation.targetNonce, into: &output)
    return Answer(outcome: .applied)
  }
}

extension OperationView {
  /// Whether everything but kind, type, instrument and target nonce is zero.
  var hasOnlyTarget: Bool {
    manner & ~0xFF_00FF == 0 && targetAndReserved == 0
      && UInt64(bitPattern: price | quantity | triggerPrice | display) | tail == 0
  }
}

extension Interval {
  /// Milliseconds beyond the range of nanoseconds count as all of it.
  init(milliseconds: UInt64) {
    let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    self.init(nanoseconds: overflow || nanoseconds > UInt64(Int64.max) ? .max : Int64(nanoseconds))
  }
}
