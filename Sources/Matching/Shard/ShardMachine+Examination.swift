import Bytes
import Machine
import Market

/// What the checks of an order made of it.
enum Examination {
  case passed(Candidate)
  case refused(Outcome)
}

extension ShardMachine {
  private static var knownFlags: UInt16 {
    Operation.Flags([.postOnly, .reduceOnly, .cancelOnDisconnect]).rawValue
  }

  /// Fields of order types that this layout version reserves must be zero.
  @inline(__always) func usesReservedFields(_ operation: Operation) -> Bool {
    operation.selfTradePrevention | operation.triggerSource != 0 || operation.reserved != 0
      || operation.triggerPrice.units | operation.displayQuantity.units != 0
  }

  /// Every check of a new order or a replacement that needs neither the opposite side nor credit.
  @inline(__always) func examine(
    _ operation: Operation, _ index: UInt16, _ origin: Origin, _ attempt: Attempt
  ) -> Examination {
    guard let side = operation.side else { return .refused(.malformed) }
    guard let type = operation.type, type == .limit || type == .market, let timeInForce = operation.timeInForce,
      operation.flags.rawValue & ~Self.knownFlags == 0, !usesReservedFields(operation)
    else { return .refused(.unsupportedCombination) }
    let isPostOnly = operation.flags.contains(.postOnly)
    let isImmediate = type == .market || timeInForce == .immediateOrCancel || timeInForce == .fillOrKill
    let isDated = timeInForce == .goodTillDate
    if isPostOnly && isImmediate || type == .market && (operation.price.units != 0 || isDated || timeInForce == .day)
      || isDated != (operation.expiry != 0)
    {
      return .refused(.unsupportedCombination)
    }

    let (book, absent) = book(of: operation.instrument)
    if let absent { return .refused(absent) }
    if let closed = whyClosed(book, origin.accountSlot) { return .refused(closed) }
    let tick: Int64
    switch price(operation, side, type, book) {
    case .success(let value): tick = value
    case .failure(let refusal): return .refused(refusal.outcome)
    }

    let contract = books[book].contract
    let units = operation.quantity.units
    if units <= 0 { return .refused(.quantityOutOfRange) }
    let lots = units / contract.lotSize
    if lots &* contract.lotSize != units { return .refused(.quantityOffLot) }
    if lots > contract.maximumLots { return .refused(.quantityOutOfRange) }
    if origin.isTrade, !isFeeAccepted(origin, tick, book) { return .refused(.feeAboveMaximum) }

    var expiry: UInt32 = 0
    if isDated {
      if Int64(operation.expiry) <= now.seconds { return .refused(.expired) }
      expiry = operation.expiry
    } else if timeInForce == .day {
      guard let end = Self.endOfDay(now) else { return .refused(.overflow) }
      expiry = end
    }

    let isReplace = operation.kind == .replace
    let nonce = isReplace ? operation.targetNonce : origin.nonce
    let place = isReplace ? operation.targetIndex : index
    let existing = openOrder(origin.accountSlot, origin.key, nonce, place)
    if isReplace {
      if existing == 0 || Int(orders[existing].book) != book { return .refused(.unknownOrder) }
      if orders[existing].side != side { return .refused(.unsupportedCombination) }
    } else {
      if existing != 0 { return .refused(.duplicateOrder) }
      if !isImmediate, accounts[origin.accountSlot].openOrders >= parameters.openOrdersPerAccount || orders.isFull {
        return .refused(.tooManyOpenOrders)
      }
      if case .fresh = attempt, accounts[origin.accountSlot].heldCount != 0,
        heldOrder(origin.accountSlot, origin.key, nonce, place) != 0
      {
        return .refused(.duplicateOrder)
      }
    }
    return .passed(
      Candidate(
        nonce: nonce, key: origin.key, index: place, accountSlot: origin.accountSlot, book: book, side: side,
        tick: tick, lots: lots, isImmediate: isImmediate, isFillOrKill: timeInForce == .fillOrKill,
        isPostOnly: isPostOnly, isReduceOnly: operation.flags.contains(.reduceOnly), expiry: expiry,
        replaced: existing))
  }

  /// Why the account may not place orders in the book now.
  @inline(__always) private func whyClosed(_ book: Int, _ account: Slot) -> Outcome? {
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

  private struct Refusal: Error { var outcome: Outcome }

  /// The tick at which the order stands: its limit, or the inside edge of the band for a market order.
  @inline(__always) private func price(
    _ operation: Operation, _ side: Side, _ type: Operation.OrderType, _ book: Int
  ) -> Result<Int64, Refusal> {
    let tickSize = books[book].contract.tickSize
    let lowest: Int64 = books[book].contract.settlement == .inverse ? 1 : 0
    let highest = Int64(BookSide.span) - 1
    let low = books[book].bandLow
    let high = books[book].bandHigh
    if type == .limit {
      let units = operation.price.units
      if units < 0 { return .failure(Refusal(outcome: .priceOutOfRange)) }
      let tick = units / tickSize
      if tick &* tickSize != units { return .failure(Refusal(outcome: .priceOffTick)) }
      if tick < lowest || tick > highest { return .failure(Refusal(outcome: .priceOutOfRange)) }
      if units < low || units > high { return .failure(Refusal(outcome: .outsideBand)) }
      return .success(tick)
    }
    if high < 0 { return .failure(Refusal(outcome: .priceOutOfRange)) }
    let edge: Int64
    if side == .buy {
      edge = min(high / tickSize, highest)
    } else {
      edge = max(low, 0) / tickSize + (max(low, 0) % tickSize == 0 ? 0 : 1)
    }
    let tick = max(edge, side == .sell ? lowest : edge)
    let (units, overflow) = tick.multipliedReportingOverflow(by: tickSize)
    if tick < lowest || tick > highest || overflow || units < low || units > high {
      return .failure(Refusal(outcome: .priceOutOfRange))
    }
    return .success(tick)
  }

  /// Whether the taker's fee per unit of quantity at the order's limit, in USD and rounded up, is one its signer accepts.
  private func isFeeAccepted(_ origin: Origin, _ tick: Int64, _ book: Int) -> Bool {
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
  @inline(__always) func reducible(_ candidate: Candidate) -> Int64 {
    let slot = positionSlot(candidate.accountSlot, candidate.book)
    if slot == 0 { return 0 }
    let position = positions[slot]
    let closable = candidate.side == .sell ? position.lots : -position.lots
    var pledged = position.reducingLots
    if candidate.replaced != 0, orders[candidate.replaced].isReduceOnly { pledged -= orders[candidate.replaced].lots }
    return closable - pledged
  }
}
