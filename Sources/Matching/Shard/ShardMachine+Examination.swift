import Bytes
import Machine
import Market

// These change nothing, but a borrowed machine of this size would be copied for every call that is not inlined;
// `mutating`
// passes it by address.
extension ShardMachine {
  /// Every check of a new order or a replacement that needs neither the opposite side nor credit. Fills in the
  /// candidate
  /// and returns `nil`, or says why not.
  @inline(__always) mutating func examine(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, _ attempt: Attempt, _ candidate: inout Candidate
  ) -> Outcome? {
    guard let side = operation.side else { return .malformed }
    let timeInForce = operation.rawTimeInForce
    let isMarket = operation.rawType == OperationCode.market
    if operation.rawType > OperationCode.market || timeInForce > OperationCode.day
      || operation.flags & ~OperationCode.knownFlags != 0 || operation.usesReservedFields
    {
      return .unsupportedCombination
    }
    let isDated = timeInForce == OperationCode.goodTillDate
    candidate.side = side
    candidate.isFillOrKill = timeInForce == OperationCode.fillOrKill
    candidate.isImmediate = isMarket || candidate.isFillOrKill || timeInForce == OperationCode.immediateOrCancel
    candidate.isPostOnly = operation.flags & OperationCode.postOnly != 0
    candidate.isReduceOnly = operation.flags & OperationCode.reduceOnly != 0
    if candidate.isPostOnly && candidate.isImmediate
      || isMarket && (operation.price != 0 || isDated || timeInForce == OperationCode.day)
      || isDated != (operation.expiry != 0)
    {
      return .unsupportedCombination
    }

    let (book, absent) = book(of: operation.instrument)
    if let absent { return absent }
    candidate.book = book
    if let closed = whyClosed(book, origin.accountSlot) { return closed }
    let (tick, mispriced) = isMarket ? bandEdge(side, book) : limitTick(operation.price, book)
    if let mispriced { return mispriced }
    candidate.tick = tick

    let units = operation.quantity
    let lotSize = books[book].contract.lotSize
    if units <= 0 { return .quantityOutOfRange }
    let lots = lotSize == 1 ? units : units / lotSize
    if lots &* lotSize != units { return .quantityOffLot }
    if lots > books[book].contract.maximumLots { return .quantityOutOfRange }
    candidate.lots = lots
    if origin.isTrade, !isFeeAccepted(origin, tick, book) { return .feeAboveMaximum }
    if isDated {
      if Int64(operation.expiry) <= now.seconds { return .expired }
      candidate.expiry = operation.expiry
    } else if timeInForce == OperationCode.day {
      guard let end = Self.endOfDay(now) else { return .overflow }
      candidate.expiry = end
    }
    return identify(operation, index, origin, attempt, &candidate)
  }

  /// Names the candidate and finds what it replaces.
  @inline(__always) private mutating func identify(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, _ attempt: Attempt, _ candidate: inout Candidate
  ) -> Outcome? {
    let account = origin.accountSlot
    if operation.isReplace {
      candidate.nonce = operation.targetNonce
      candidate.index = operation.targetIndex
      let existing = openOrder(account, origin.key, candidate.nonce, candidate.index)
      if existing == 0 || Int(orders[existing].book) != candidate.book { return .unknownOrder }
      if orders[existing].side != candidate.side { return .unsupportedCombination }
      candidate.replaced = existing
      return nil
    }
    candidate.nonce = origin.nonce
    candidate.index = index
    if openOrder(account, origin.key, candidate.nonce, index) != 0 { return .duplicateOrder }
    if !candidate.isImmediate, accounts[account].openOrders >= parameters.openOrdersPerAccount || orders.isFull {
      return .tooManyOpenOrders
    }
    if case .fresh = attempt, accounts[account].heldCount != 0,
      heldOrder(account, origin.key, candidate.nonce, index) != 0
    {
      return .duplicateOrder
    }
    return nil
  }

  /// Why the account may not place orders in the book now.
  @inline(__always) private mutating func whyClosed(_ book: Int, _ account: Slot) -> Outcome? {
    if now >= books[book].contract.expiry || books[book].isSettling {
      #if NOVATION_PLANT
        if faults.contains(.ignoreExpiry) { return nil }
      #endif
      return .instrumentExpired
    }
    if accounts[account].isFrozen { return .accountFrozen }
    if isHalted { return .halted }
    if let silent = whoIsSilent { return silent }
    if marksVersion == 0 || books[book].marksVersion != marksVersion { return .marksMissing }
    return nil
  }

  /// Risk or marks, if nothing fresh enough was heard from them; judged by stamps alone.
  @inline(__always) var whoIsSilent: Outcome? {
    if now - riskHeard > parameters.heartbeatLapse { return .riskSilent }
    if now - marksHeard > parameters.heartbeatLapse { return .marksSilent }
    return nil
  }

  private static var highestTick: Int64 { Int64(BookSide.span) - 1 }

  /// The tick of a limit price, or why it has none.
  @inline(__always) private mutating func limitTick(_ units: Int64, _ book: Int) -> (tick: Int64, refusal: Outcome?) {
    let tickSize = books[book].contract.tickSize
    if units < 0 { return (0, .priceOutOfRange) }
    let tick = tickSize == 1 ? units : units / tickSize
    if tick &* tickSize != units { return (0, .priceOffTick) }
    if tick > Self.highestTick || tick == 0 && books[book].contract.settlement == .inverse {
      return (0, .priceOutOfRange)
    }
    if units < books[book].bandLow || units > books[book].bandHigh { return (0, .outsideBand) }
    return (tick, nil)
  }

  /// The tick at which a market order stops: the inside edge of the band.
  private mutating func bandEdge(_ side: Side, _ book: Int) -> (tick: Int64, refusal: Outcome?) {
    let tickSize = books[book].contract.tickSize
    let lowest: Int64 = books[book].contract.settlement == .inverse ? 1 : 0
    let low = books[book].bandLow
    let high = books[book].bandHigh
    if high < 0 { return (0, .priceOutOfRange) }
    let edge: Int64
    if side == .buy {
      edge = min(high / tickSize, Self.highestTick)
    } else {
      edge = max(lowest, max(low, 0) / tickSize + (max(low, 0) % tickSize == 0 ? 0 : 1))
    }
    let (units, overflow) = edge.multipliedReportingOverflow(by: tickSize)
    if edge < lowest || edge > Self.highestTick || overflow || units < low || units > high {
      return (0, .priceOutOfRange)
    }
    return (edge, nil)
  }

  /// Whether the taker's fee per unit of quantity at the order's limit, in USD and rounded up, is one its signer
  /// accepts.
  private mutating func isFeeAccepted(_ origin: Origin, _ tick: Int64, _ book: Int) -> Bool {
    if parameters.takerFee == 0 { return true }
    let contract = books[book].contract
    let price = tick &* contract.tickSize
    let unit: Int64? =
      contract.settlement == .inverse
      ? ExactDivision.ceiling(fixedPointScale, times: fixedPointScale, by: price) : price
    guard let unit, let fee = Contract.share(unit, perMillion: parameters.takerFee),
      let dollars = contract.dollars(fee, index: index)
    else { return false }
    return dollars <= origin.maximumFee
  }

  /// Unix seconds of the next 08:00 UTC after `stamp`; `nil` beyond 2106.
  static func endOfDay(_ stamp: Timestamp) -> UInt32? {
    let day: Int64 = 86_400
    let opening: Int64 = 8 * 3_600
    let sinceOpening = stamp.seconds - opening
    let days = sinceOpening >= 0 ? sinceOpening / day : -1
    return UInt32(exactly: (days + 1) * day + opening)
  }

  /// Lots that a reduce-only order on the candidate's side may still close.
  @inline(__always) mutating func reducible(_ candidate: Candidate) -> Int64 {
    let slot = positionSlot(candidate.accountSlot, candidate.book)
    if slot == 0 { return 0 }
    let position = positions[slot]
    let closable = candidate.side == .sell ? position.lots : -position.lots
    var pledged = position.reducingLots
    if candidate.replaced != 0, orders[candidate.replaced].isReduceOnly { pledged -= orders[candidate.replaced].lots }
    return closable - pledged
  }
}
