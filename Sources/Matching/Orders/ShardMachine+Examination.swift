import Bytes
import Machine
import Market

// These change nothing, but a borrowed machine of this size would be copied for every call that is not inlined;
// `mutating` passes it by address.
extension ShardMachine {
  /// Checks 1 to 9 of an order in `Rules`. Fills in the candidate and returns `nil`, or says why not.
  mutating func examine(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, _ attempt: Attempt, _ candidate: inout Candidate
  ) -> Outcome? {
    guard let side = operation.side else { return .malformed }
    candidate.side = side
    if Self.isContradictory(operation) { return .unsupportedCombination }
    var isTriggered = false
    if case .triggered = attempt { isTriggered = true }
    if case .quote = attempt { candidate.isQuote = true }
    let isStop = operation.isStop
    let timeInForce = operation.rawTimeInForce
    let flags = operation.flags
    candidate.isMarket = operation.isMarket
    candidate.isFillOrKill = timeInForce == OperationCode.fillOrKill
    candidate.isImmediate =
      candidate.isMarket || candidate.isFillOrKill || timeInForce == OperationCode.immediateOrCancel
    candidate.isPostOnly = flags & OperationCode.postOnly != 0
    candidate.slides = flags & OperationCode.slide != 0
    candidate.isReduceOnly = flags & OperationCode.reduceOnly != 0
    candidate.diesWithSession = flags & OperationCode.cancelOnDisconnect != 0
    candidate.label = operation.label
    candidate.mode = Operation.SelfTradePrevention(rawValue: operation.rawMode) ?? .unspecified

    let (book, absent) = book(of: operation.instrument)
    if let absent { return absent }
    candidate.book = book
    if let closed = whyClosed(book, origin.accountSlot) { return closed }
    if candidate.isQuote, now < accounts[origin.accountSlot].quotesFrozenUntil { return .protectionFrozen }
    let waitsForTrigger = isStop && !isTriggered
    let (tick, mispriced) =
      candidate.isMarket
      ? waitsForTrigger ? (0, nil) : bandEdge(side, book)
      : limitTick(operation.price, book, isBanded: !waitsForTrigger)
    if let mispriced { return mispriced }
    candidate.tick = tick
    if waitsForTrigger, operation.triggerPrice <= 0 { return .priceOutOfRange }
    if let refusal = measure(operation, &candidate) { return refusal }
    if origin.isTrade, !(waitsForTrigger && candidate.isMarket), !isFeeAccepted(origin, tick, book) {
      return .feeAboveMaximum
    }
    if timeInForce == OperationCode.goodTillDate {
      if Int64(operation.expiry) <= now.seconds { return .expired }
      candidate.expiry = operation.expiry
    } else if timeInForce == OperationCode.day {
      guard let end = Self.endOfDay(now) else { return .overflow }
      candidate.expiry = end
    }
    return identify(operation, index, origin, attempt, &candidate)
  }

  /// Check 2: fields that do not go together.
  private static func isContradictory(_ operation: OperationView) -> Bool {
    let type = operation.rawType
    let timeInForce = operation.rawTimeInForce
    let flags = operation.flags
    let isReplace = operation.isReplace
    if type > OperationCode.trailingStop || timeInForce > OperationCode.day || operation.rawMode > 4
      || operation.rawTrigger > 2 || operation.reserved != 0
    {
      return true
    }
    if flags & ~(OperationCode.byClientID << 1 - 1) != 0 || flags & OperationCode.quotesOnly != 0 { return true }
    if operation.targetIndex != 0 && (!isReplace || flags & OperationCode.byClientID != 0) { return true }
    if flags & OperationCode.byClientID != 0 && !isReplace { return true }
    let isPostOnly = flags & OperationCode.postOnly != 0
    let hasMinimum = flags & OperationCode.minimumQuantity != 0
    let isIceberg = operation.display > 0 && !hasMinimum
    let isDated = timeInForce == OperationCode.goodTillDate
    let isFillOrKill = timeInForce == OperationCode.fillOrKill
    let isImmediate = isFillOrKill || timeInForce == OperationCode.immediateOrCancel
    if operation.isMarket
      && (operation.price != 0 || isDated || timeInForce == OperationCode.day || isPostOnly || isIceberg)
      && !(operation.isStop && (isDated || timeInForce == OperationCode.day) && operation.price == 0 && !isPostOnly
        && !isIceberg)
    {
      return true
    }
    if isPostOnly && isImmediate || flags & OperationCode.slide != 0 && !isPostOnly { return true }
    if hasMinimum && (isFillOrKill || isPostOnly || operation.display <= 0) || operation.display < 0 { return true }
    if isIceberg && (isImmediate || flags & OperationCode.reduceOnly != 0) { return true }
    if isDated != (operation.expiry != 0) { return true }
    if operation.isStop { return hasMinimum || isPostOnly || isIceberg || isReplace }
    return operation.rawTrigger != 0 || operation.triggerPrice != 0
  }

  /// Check 6: quantity, and what of it is shown or must be filled at once.
  private mutating func measure(_ operation: OperationView, _ candidate: inout Candidate) -> Outcome? {
    let contract = books.at(candidate.book)
    let units = operation.quantity
    if units <= 0 { return .quantityOutOfRange }
    let lots = contract.pointee.contract.lot.quotient(units)
    if lots &* contract.pointee.contract.lotSize != units { return .quantityOffLot }
    if lots > contract.pointee.contract.maximumLots || lots < contract.pointee.contract.minimumLots {
      return .quantityOutOfRange
    }
    candidate.lots = lots
    if operation.display == 0 { return nil }
    let part = contract.pointee.contract.lot.quotient(operation.display)
    if part &* contract.pointee.contract.lotSize != operation.display { return .quantityOffLot }
    if part > lots { return .quantityOutOfRange }
    if operation.flags & OperationCode.minimumQuantity != 0 {
      candidate.minimum = part
    } else if part < lots {
      candidate.display = part
    }
    return nil
  }

  /// Check 9: names the candidate and finds what it replaces.
  private mutating func identify(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, _ attempt: Attempt, _ candidate: inout Candidate
  ) -> Outcome? {
    let account = origin.accountSlot
    if operation.isReplace {
      candidate.isReplacement = true
      let existing =
        operation.flags & OperationCode.byClientID != 0
        ? openOrder(account, clientID: operation.targetNonce)
        : openOrder(account, origin.key, operation.targetNonce, operation.targetIndex)
      if existing == 0 || Int(orders[existing].book) != candidate.book || orders[existing].key != origin.key {
        return .unknownOrder
      }
      if orders[existing].side != candidate.side || orders[existing].isQuote { return .unsupportedCombination }
      candidate.nonce = orders[existing].nonce
      candidate.index = orders[existing].index
      candidate.clientID = orders[existing].extra == 0 ? 0 : extras[orders[existing].extra].clientID
      candidate.replaced = existing
      return nil
    }
    candidate.nonce = origin.nonce
    candidate.index = index
    if !candidate.isQuote { candidate.clientID = operation.targetNonce }
    if case .triggered = attempt { return nil }
    if openOrder(account, origin.key, candidate.nonce, index) != 0 { return .duplicateOrder }
    if accounts[account].deferred != 0, isDeferred(account, origin.key, candidate.nonce, index, attempt) {
      return .duplicateOrder
    }
    if candidate.clientID != 0,
      openOrder(account, clientID: candidate.clientID) != 0 || armedStop(account, clientID: candidate.clientID) != 0
    {
      return .duplicateClientID
    }
    let mayRest = !candidate.isImmediate || operation.isStop
    if mayRest, isFull(account) { return .tooManyOpenOrders }
    return nil
  }

  /// Whether the account, or the shard, can take no order more.
  mutating func isFull(_ account: Slot) -> Bool {
    accounts[account].openOrders + accounts[account].armedStops >= parameters.openOrdersPerAccount || orders.isFull
      || extras.isFull || stops.isFull
  }

  /// Check 4: why the account may not place orders in the book now.
  mutating func whyClosed(_ book: Int, _ account: Slot) -> Outcome? {
    if now >= books[book].contract.expiry || books[book].isSettling {
      #if NOVATION_PLANT
        if faults.contains(.ignoreExpiry) { return nil }
      #endif
      return .instrumentExpired
    }
    if accounts[account].isFrozen { return .accountFrozen }
    if accounts[account].isKilled { return .accountKilled }
    if isHalted { return .halted }
    if books[book].state == .halted { return .instrumentHalted }
    if let silent = whoIsSilent { return silent }
    if marksVersion == 0 || books[book].marksVersion != marksVersion { return .marksMissing }
    return nil
  }

  /// Risk or marks, if nothing fresh enough was heard from them; judged by stamps alone.
  var whoIsSilent: Outcome? {
    if now - riskHeard > parameters.heartbeatLapse { return .riskSilent }
    if now - marksHeard > parameters.heartbeatLapse { return .marksSilent }
    return nil
  }

  static var highestTick: Int64 { Int64(BookSide.span) - 1 }

  /// The tick of a limit price, or why it has none.
  private mutating func limitTick(_ units: Int64, _ book: Int, isBanded: Bool) -> (tick: Int64, refusal: Outcome?) {
    let contract = books[book].contract
    if units < 0 { return (0, .priceOutOfRange) }
    let tick = contract.tick.quotient(units)
    if tick &* contract.tickSize != units { return (0, .priceOffTick) }
    if tick > Self.highestTick || tick < contract.lowestTick { return (0, .priceOutOfRange) }
    if units >= contract.coarseFrom, units % instruments[book].tick(at: Price(units: units)).units != 0 {
      return (0, .priceOffTick)
    }
    if isBanded, units < books[book].bandLow || units > books[book].bandHigh { return (0, .outsideBand) }
    return (tick, nil)
  }

  /// The highest valid tick at or below `tick`, or the lowest at or above it; `nil` off the ladder.
  mutating func validTick(_ tick: Int64, rising: Bool, _ book: Int) -> Int64? {
    let contract = books[book].contract
    if tick < 0 { return rising ? validTick(contract.lowestTick, rising: true, book) : nil }
    var tick = rising ? max(tick, contract.lowestTick) : min(tick, Self.highestTick)
    if tick > Self.highestTick || tick < contract.lowestTick { return nil }
    if tick &* contract.tickSize >= contract.coarseFrom {
      // A step begins on a tick of its own, so rounding down never leaves it; rounding up may enter the next one.
      let coarse = instruments[book].tick(at: Price(units: tick &* contract.tickSize)).units / contract.tickSize
      let down = tick - tick % coarse
      tick = down == tick || !rising ? down : down + coarse
      if tick > Self.highestTick { return nil }
    }
    return tick
  }

  /// The tick at which a market order stops: the inside edge of the band.
  private mutating func bandEdge(_ side: Side, _ book: Int) -> (tick: Int64, refusal: Outcome?) {
    let tickSize = books[book].contract.tickSize
    let low = max(books[book].bandLow, 0)
    let high = books[book].bandHigh
    if high < 0 { return (0, .priceOutOfRange) }
    let edge =
      side == .buy
      ? validTick(high / tickSize, rising: false, book)
      : validTick(low / tickSize + (low % tickSize == 0 ? 0 : 1), rising: true, book)
    guard let edge, edge &* tickSize >= low, edge &* tickSize <= high else { return (0, .priceOutOfRange) }
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
      let dollars = contract.dollars(fee, index: self.index)
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
}
