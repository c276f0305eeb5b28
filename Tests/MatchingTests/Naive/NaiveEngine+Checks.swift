import Market

/// Why an order is looked at.
enum NaiveAttempt {
  /// Its action has just come, or its turn in the queue.
  case fresh
  /// It was held under this request, and the ceiling was raised.
  case again(UInt64)
  /// It was held under this request, and risk lets it run as IOC under a charge of its own.
  case granted(UInt64, charge: Int64)
  /// A side of a quote, as a limit order.
  case quote(Market.Operation, index: UInt16)

  /// The held order that is looked at again.
  var request: UInt64? {
    switch self {
    case .again(let request), .granted(let request, _): request
    case .fresh, .quote: nil
    }
  }
}

extension Market.Operation {
  var isStop: Bool { rawType > OrderType.market.rawValue }
  var isMarketType: Bool {
    switch type {
    case .market, .stopMarket, .takeProfitMarket, .trailingStop: true
    case .limit, .stopLimit, .takeProfitLimit, nil: false
    }
  }
  /// All bytes zero but the kind and what `cleared` sets to zero.
  func isBlank(butFor cleared: (inout Market.Operation) -> Void) -> Bool {
    var rest = self
    cleared(&rest)
    rest.rawKind = 0
    return withUnsafeBytes(of: rest) { $0.allSatisfy { $0 == 0 } }
  }
}

// The checks of an order, in their order.
extension NaiveEngine {
  /// Checks 1 to 9; fills in the candidate or says why not.
  func examine(
    _ ticket: NaiveTicket, _ operation: Market.Operation, _ attempt: NaiveAttempt, _ candidate: inout NaiveCandidate
  ) -> Outcome? {
    guard let side = operation.side else { return .malformed }
    if !isCombination(operation) { return .unsupportedCombination }
    let (place, refusal) = book(of: operation.instrument)
    guard let book = place else { return refusal }
    if let closed = whyClosed(book, ticket.account) { return closed }

    let isStop = operation.isStop && !ticket.isTriggered
    let isMarket = operation.isMarketType
    candidate.book = book
    candidate.side = side
    candidate.isMarket = isMarket
    candidate.isFillOrKill = operation.timeInForce == .fillOrKill
    candidate.isImmediate = isMarket || candidate.isFillOrKill || operation.timeInForce == .immediateOrCancel
    candidate.isPostOnly = operation.flags.contains(.postOnly)
    candidate.slides = operation.flags.contains(.slide)
    candidate.isReduceOnly = operation.flags.contains(.reduceOnly)
    if let refusal = price(operation, isStop: isStop, &candidate) { return refusal }
    if let refusal = size(operation, &candidate) { return refusal }
    let hasLimit = !isStop || !isMarket
    if ticket.isTrade, hasLimit, !isFeeAccepted(ticket, at: candidate.price, book) { return .feeAboveMaximum }
    if operation.timeInForce == .goodTillDate {
      if Int64(operation.expiry) <= now.seconds { return .expired }
      candidate.expiry = operation.expiry
    } else if operation.timeInForce == .day {
      guard let end = endOfDay else { return .overflow }
      candidate.expiry = end
    }
    return identify(ticket, operation, attempt, isStop: isStop, &candidate)
  }

  /// Check 2.
  private func isCombination(_ operation: Market.Operation) -> Bool {
    guard let type = operation.type, let timeInForce = operation.timeInForce,
      Market.Operation.SelfTradePrevention(rawValue: operation.selfTradePrevention) != nil,
      Market.Operation.TriggerSource(rawValue: operation.triggerSource) != nil, operation.reserved == 0
    else { return false }
    let flags = operation.flags
    let isReplace = operation.kind == .replace
    var known: Market.Operation.Flags = [.postOnly, .reduceOnly, .slide, .minimumQuantity, .cancelOnDisconnect]
    if isReplace { known.insert(.byClientID) }
    if !flags.isSubset(of: known) { return false }
    if operation.targetIndex != 0, !isReplace || flags.contains(.byClientID) { return false }

    let isImmediate = timeInForce == .immediateOrCancel || timeInForce == .fillOrKill
    let isPostOnly = flags.contains(.postOnly)
    let hasMinimum = flags.contains(.minimumQuantity)
    let display = operation.displayQuantity.units
    let isIceberg = display != 0 && !hasMinimum
    if operation.isMarketType {
      if operation.price != .zero || timeInForce == .goodTillDate || timeInForce == .day || isPostOnly || isIceberg {
        return false
      }
    }
    if isPostOnly && isImmediate || flags.contains(.slide) && !isPostOnly { return false }
    if hasMinimum && (timeInForce == .fillOrKill || isPostOnly || display <= 0) { return false }
    if display < 0 || isIceberg && (isImmediate || flags.contains(.reduceOnly)) { return false }
    if (timeInForce == .goodTillDate) != (operation.expiry != 0) { return false }
    if type == .limit || type == .market { return operation.triggerSource == 0 && operation.triggerPrice == .zero }
    return !hasMinimum && !isPostOnly && !isIceberg && !isReplace
  }

  /// Check 4: why the account may not place orders in the book now.
  func whyClosed(_ book: Int, _ account: Int) -> Outcome? {
    if now >= books[book].instrument.expiry || books[book].isSettling { return .instrumentExpired }
    if accounts[account].isFrozen { return .accountFrozen }
    if accounts[account].killSwitch != .off { return .accountKilled }
    if isHalted { return .halted }
    if books[book].state == .halted { return .instrumentHalted }
    if let silent = whoIsSilent { return silent }
    return hasMark(book) ? nil : .marksMissing
  }

  /// Risk or marks, if nothing fresh enough was heard from them.
  var whoIsSilent: Outcome? {
    if now - riskHeard > parameters.heartbeatLapse { return .riskSilent }
    if now - marksHeard > parameters.heartbeatLapse { return .marksSilent }
    return nil
  }

  /// Check 5.
  private func price(
    _ operation: Market.Operation, isStop: Bool, _ candidate: inout NaiveCandidate
  ) -> Outcome? {
    let book = candidate.book
    if !operation.isMarketType {
      candidate.price = operation.price.units
      if let refusal = refusal(ofLimit: candidate.price, book) { return refusal }
      let isInside = candidate.price >= books[book].bandLow && candidate.price <= books[book].bandHigh
      if !isStop && !isInside { return .outsideBand }
    } else if !isStop {
      guard let edge = bandEdge(candidate.side, book) else { return .priceOutOfRange }
      candidate.price = edge
    }
    return isStop && operation.triggerPrice.units <= 0 ? .priceOutOfRange : nil
  }

  /// Check 6.
  private func size(_ operation: Market.Operation, _ candidate: inout NaiveCandidate) -> Outcome? {
    let instrument = books[candidate.book].instrument
    let units = operation.quantity.units
    if units <= 0 { return .quantityOutOfRange }
    if units % instrument.lotSize.units != 0 { return .quantityOffLot }
    let lots = units / instrument.lotSize.units
    let most = min(instrument.maximumOrder.count, largestPosition(candidate.book))
    if lots > most || lots < instrument.minimumOrder.count { return .quantityOutOfRange }
    candidate.lots = lots
    let display = operation.displayQuantity.units
    if display == 0 { return nil }
    if display % instrument.lotSize.units != 0 { return .quantityOffLot }
    if display > units { return .quantityOutOfRange }
    if operation.flags.contains(.minimumQuantity) {
      candidate.minimum = display / instrument.lotSize.units
    } else if display < units {
      candidate.display = display / instrument.lotSize.units
    }
    return nil
  }

  /// Unix seconds of the next 08:00 UTC; `nil` beyond 2106.
  private var endOfDay: UInt32? {
    let opening: Int64 = 8 * 3_600
    let today = now.seconds - now.seconds % 86_400 + opening
    return UInt32(exactly: today > now.seconds ? today : today + 86_400)
  }

  /// Check 9: the order's name, its client id, and what it replaces.
  private func identify(
    _ ticket: NaiveTicket, _ operation: Market.Operation, _ attempt: NaiveAttempt, isStop: Bool,
    _ candidate: inout NaiveCandidate
  ) -> Outcome? {
    let account = ticket.account
    if operation.kind == .replace {
      guard let place = restingOrder(operation, ticket, candidate.book) else { return .unknownOrder }
      if orders[place].side != candidate.side || orders[place].isQuote { return .unsupportedCombination }
      candidate.name = orders[place].name
      candidate.replaced = orders[place].arrival
      candidate.clientID = orders[place].clientID
      return nil
    }
    candidate.name = NaiveName(key: ticket.key, nonce: ticket.nonce, index: ticket.index)
    if case .quote(_, let index) = attempt {
      candidate.name.index = index
      candidate.isQuote = true
    } else {
      candidate.clientID = operation.targetNonce
    }
    if isTaken(candidate.name, account, exceptHeld: attempt.request) { return .duplicateOrder }
    let id = candidate.clientID
    if id != 0 {
      let rests = orders.contains { $0.account == account && $0.clientID == id }
      if rests || stops.contains(where: { $0.ticket.account == account && $0.ticket.operation.targetNonce == id }) {
        return .duplicateClientID
      }
    }
    let open = orders.count { $0.account == account } + stops.count { $0.ticket.account == account }
    if isStop || !candidate.isImmediate, open >= Int(parameters.openOrdersPerAccount) { return .tooManyOpenOrders }
    return nil
  }

  /// Place of the resting order that a replacement, amendment or cancel means.
  func restingOrder(_ operation: Market.Operation, _ ticket: NaiveTicket, _ book: Int) -> Int? {
    let byClientID = operation.flags.contains(.byClientID)
    if byClientID, operation.targetNonce == 0 { return nil }
    let name = NaiveName(key: ticket.key, nonce: operation.targetNonce, index: operation.targetIndex)
    return orders.firstIndex {
      $0.account == ticket.account && $0.book == book
        && (byClientID ? $0.name.key == ticket.key && $0.clientID == operation.targetNonce : $0.name == name)
    }
  }

  /// Whether an order of the account is open, armed, held, queued or sweeping under that name.
  private func isTaken(_ name: NaiveName, _ account: Int, exceptHeld request: UInt64?) -> Bool {
    orders.contains { $0.account == account && $0.name == name }
      || stops.contains { $0.ticket.account == account && self.name(of: $0) == name }
      || held.contains { $0.ticket.account == account && $0.name == name && $0.request != request }
      || queue.contains { $0.account == account && names(of: $0).contains(name) }
      || sweeps.contains { $0.taker.account == account && $0.taker.name == name }
  }

  func name(of stop: NaiveStop) -> NaiveName {
    NaiveName(key: stop.ticket.key, nonce: stop.ticket.nonce, index: stop.ticket.index)
  }

  /// The names of the orders that a queued operation is about to place.
  private func names(of ticket: NaiveTicket) -> [NaiveName] {
    let own = NaiveName(key: ticket.key, nonce: ticket.nonce, index: ticket.index)
    let operation = ticket.operation
    switch operation.kind {
    case .new: return [own]
    case .quote:
      let ask = NaiveName(key: own.key, nonce: own.nonce, index: own.index | Market.Operation.askIndexBit)
      return [own, ask]
    case .replace where !operation.flags.contains(.byClientID):
      return [NaiveName(key: own.key, nonce: operation.targetNonce, index: operation.targetIndex)]
    default: return []
    }
  }
}
