import Bytes
import Machine
import Market

extension ShardMachine {
  /// Places a new order or replaces one. A refusal leaves everything as it was.
  mutating func place(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, _ attempt: Attempt, isTriggered: Bool = false,
    into output: inout OutputBuffer
  ) -> Answer {
    var candidate = Candidate(accountSlot: origin.accountSlot, key: origin.key)
    if let refusal = examine(operation, index, origin, attempt, isTriggered: isTriggered, &candidate) {
      return Answer(outcome: refusal)
    }
    if operation.isStop, !isTriggered {
      if !isTriggerMet(operation, candidate.book) { return arm(operation, index, origin, candidate) }
      return place(operation, index, origin, .fresh, isTriggered: true, into: &output)
    }
    var granted: Int64?
    if case .granted(_, let charge) = attempt { granted = charge }
    let book = candidate.book
    let isAuction = books[book].state == .auction
    if isAuction,
      granted != nil || candidate.minimum != 0 || candidate.isFillOrKill
        || candidate.isImmediate && !candidate.isMarket
    {
      return Answer(outcome: .inAuction)
    }
    if candidate.isReduceOnly {
      let available = reducible(candidate)
      if available <= 0 || candidate.isFillOrKill && candidate.lots > available {
        return Answer(outcome: .notReducing)
      }
      candidate.lots = min(candidate.lots, available)
    }
    if !isAuction, let refusal = confront(&candidate) { return Answer(outcome: refusal) }
    let rank = BookSide.rank(candidate.side, candidate.tick)
    let level = books.side(book, candidate.side).pointee.lots(rank) + books[book].hiddenLots
    if isAuction || !candidate.isImmediate, level > Contract.largestSum - candidate.lots {
      return Answer(outcome: .overflow)
    }

    let account = candidate.accountSlot
    let price = candidate.tick &* books[book].contract.tickSize
    guard var charge = charge(candidate.side, candidate.lots, price, book, accounts[account].chargeMultiplier) else {
      return Answer(outcome: .overflow)
    }
    if let granted {
      // Raised by exactly the charge; what the order does not consume is withdrawn with its residual.
      charge = granted
      accounts[account].ceiling &+= granted
    } else {
      let released = candidate.replaced == 0 ? 0 : orders[candidate.replaced].reserved
      let (wanted, overflow) = (accounts[account].used - released).addingReportingOverflow(charge)
      var isCovered = !overflow && wanted <= accounts[account].ceiling
      #if NOVATION_PLANT
        if faults.contains(.skipCreditCheck) && !overflow { isCovered = true }
      #endif
      if !isCovered {
        if overflow { return Answer(outcome: .overflow) }
        if candidate.isQuote { return Answer(outcome: .insufficientCredit) }
        if case .again = attempt { return Answer(outcome: .held) }
        return hold(
          operation, index, origin, candidate, charge: charge, shortfall: wanted - accounts[account].ceiling,
          isTriggered: isTriggered, into: &output)
      }
    }
    if candidate.replaced != 0 { withdraw(candidate.replaced, into: &output) }
    accounts[account].reserved &+= charge
    if isAuction {
      rest(candidate, origin, lots: candidate.lots, reserved: charge, into: &output)
      return Answer(outcome: candidate.isReplacement ? .amended : .resting)
    }
    return run(
      candidate, operation, index, origin, charge: charge, granted: granted, isTriggered: isTriggered, into: &output)
  }

  /// Checks 13 and 14: post-only, fill or kill, minimum quantity.
  private mutating func confront(_ candidate: inout Candidate) -> Outcome? {
    let book = candidate.book
    let opposite = candidate.side.opposite
    let best = books.side(book, opposite).pointee.best
    if candidate.isPostOnly, best >= Int32(bitPattern: BookSide.rank(opposite, candidate.tick)) {
      if !candidate.slides { return .wouldTake }
      let crossed = BookSide.tick(opposite, UInt32(bitPattern: best))
      let isBuy = candidate.side == .buy
      guard let tick = validTick(isBuy ? crossed - 1 : crossed + 1, rising: !isBuy, book) else { return .wouldTake }
      let price = tick &* books[book].contract.tickSize
      if price < books[book].bandLow || price > books[book].bandHigh { return .wouldTake }
      candidate.tick = tick
    }
    let wanted = candidate.isFillOrKill ? candidate.lots : min(candidate.minimum, candidate.lots)
    return wanted == 0 ? nil : rehearse(candidate, wanted)
  }

  /// Trades an accepted order, whose charge is reserved, and puts what is left where it belongs.
  mutating func run(
    _ candidate: Candidate, _ operation: OperationView, _ index: UInt16, _ origin: Origin, charge: Int64,
    granted: Int64? = nil, isTriggered: Bool = false, into output: inout OutputBuffer
  ) -> Answer {
    let opposite = candidate.side.opposite
    var taker = Taker(
      accountSlot: candidate.accountSlot, nonce: candidate.nonce, key: candidate.key, index: candidate.index,
      book: candidate.book, side: candidate.side, limit: BookSide.rank(opposite, candidate.tick),
      lots: candidate.lots, reserved: charge, kind: .taker, mode: candidate.mode)
    trade(&taker, into: &output)
    if taker.isUnfinished, granted == nil {
      let deferral = Deferral(
        origin: origin, index: index, operation: operation.base.loadUnaligned(as: Operation.self),
        isTriggered: isTriggered, naming: candidate)
      sweep(deferral, taker, candidate)
      return Answer(outcome: .sweeping, filled: taker.filled)
    }
    return finish(candidate, taker, origin, granted: granted, into: &output)
  }

  /// What becomes of an order that trades no more.
  mutating func finish(
    _ candidate: Candidate, _ taker: Taker, _ origin: Origin, granted: Int64? = nil, into output: inout OutputBuffer
  ) -> Answer {
    let account = candidate.accountSlot
    let isDropped =
      taker.lots == 0 || candidate.isImmediate || granted != nil || taker.isStopped || taker.isPrevented
    if !isDropped {
      rest(candidate, origin, lots: taker.lots, reserved: taker.reserved, into: &output)
      return Answer(outcome: candidate.isReplacement ? .amended : .resting, filled: taker.filled)
    }
    accounts[account].reserved &-= taker.reserved
    if let granted { accounts[account].ceiling &-= granted &- taker.consumed }
    if taker.isPrevented { return Answer(outcome: .selfTradePrevented, filled: taker.filled) }
    if taker.lots == 0 { return Answer(outcome: .filled, filled: taker.filled) }
    let outcome: Outcome = taker.isStopped && taker.filled == 0 ? .overflow : .residualCancelled
    return Answer(outcome: outcome, filled: taker.filled)
  }

  /// Puts what is left of an order into the book.
  mutating func rest(
    _ candidate: Candidate, _ origin: Origin, lots: Int64, reserved: Int64, into output: inout OutputBuffer
  ) {
    arrivals &+= 1
    let rank = BookSide.rank(candidate.side, candidate.tick)
    let isIceberg = candidate.display != 0 && candidate.display < lots
    var traits = RestingOrder.Traits(
      rawValue: UInt32(candidate.mode.rawValue) << RestingOrder.Traits.modeShift)
    if candidate.side == .sell { traits.insert(.sell) }
    if candidate.isReduceOnly { traits.insert(.reduceOnly) }
    if candidate.isQuote { traits.insert(.quote) }
    if isIceberg { traits.insert(.iceberg) }
    if candidate.isMarket { traits.insert(.auctionOnly) }
    let expiry = candidate.isMarket ? 0 : candidate.expiry
    if expiry != 0 { traits.insert(.expires) }
    let shown = isIceberg ? candidate.display : lots
    let slot = orders.insert(
      RestingOrder(
        nonce: candidate.nonce, accountSlot: candidate.accountSlot, key: candidate.key, index: candidate.index,
        book: UInt16(candidate.book), number: arrivals, rank: rank, traits: traits, extra: 0, lots: shown,
        reserved: reserved))
    let needsExtra =
      expiry != 0 || candidate.isReduceOnly || candidate.diesWithSession || candidate.label != 0
      || candidate.clientID != 0 || isIceberg || candidate.isQuote || candidate.isMarket
    if needsExtra {
      var extra = OrderExtra(order: slot, expiry: expiry)
      extra.diesWithSession = candidate.diesWithSession
      if candidate.diesWithSession {
        extra.session = origin.session
        extra.generation = origin.generation
      }
      extra.label = candidate.label
      extra.clientID = candidate.clientID
      if isIceberg {
        extra.display = candidate.display
        extra.hidden = lots - shown
        extra.arrival = arrivals
        hide(extra.hidden, of: orders[slot])
      }
      attach(extra, to: slot)
    }
    enlist(slot)
    emitDelta(
      .added, candidate.book, candidate.side, rank, order: arrivals, shows: shown, change: shown, into: &output)
  }

  /// What an order may cost its account: stand-alone margin, loss to mark and fee, in USD, times the multiplier.
  mutating func charge(_ side: Side, _ lots: Int64, _ price: Int64, _ book: Int, _ multiplier: UInt32) -> Int64? {
    let contract = books[book].contract
    guard let notional = contract.notional(lots, at: price), notional <= Contract.largestAmount,
      let fee = Contract.share(notional, perMillion: feeRate), fee <= Contract.largestAmount,
      let feeDollars = contract.dollars(fee, index: index),
      let loss = contract.lossToMark(side, lots, at: price, mark: books[book].mark),
      let lossDollars = contract.dollars(loss, index: index)
    else { return nil }
    let perLot = side == .buy ? books[book].marginToBuy : books[book].marginToSell
    let (margin, tooLarge) = perLot.multipliedReportingOverflow(by: lots)
    let (sum, sumOverflow) = margin.addingReportingOverflow(lossDollars)
    let (total, totalOverflow) = sum.addingReportingOverflow(feeDollars)
    if tooLarge || sumOverflow || totalOverflow { return nil }
    return multiplier == 1_000_000 ? total : Contract.share(total, perMillion: multiplier)
  }

  /// Lots that a reduce-only order on the candidate's side may still close.
  mutating func reducible(_ candidate: Candidate) -> Int64 {
    let slot = positionSlot(candidate.accountSlot, candidate.book)
    if slot == 0 { return 0 }
    let position = positions[slot]
    let closable = candidate.side == .sell ? position.lots : -position.lots
    var pledged = position.reducingLots
    if candidate.replaced != 0, orders[candidate.replaced].isReduceOnly { pledged -= orders[candidate.replaced].lots }
    return closable - pledged
  }
}

extension Operation.SelfTradePrevention {
  /// Whether an incoming order ends when it meets one of its own group.
  var endsTaker: Bool { self != .cancelMaker && self != .decrement }
}
