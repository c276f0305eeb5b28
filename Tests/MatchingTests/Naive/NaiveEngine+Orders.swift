import Bytes
import Machine
import Market

extension NaiveEngine {
  /// Places an order, or says why not: checks 1 to 16, then it trades and rests.
  mutating func place(
    _ ticket: NaiveTicket, _ attempt: NaiveAttempt, into output: inout OutputBuffer
  ) -> NaiveAnswer {
    var operation = ticket.operation
    if case .quote(let side, _) = attempt { operation = side }
    var candidate = NaiveCandidate(name: NaiveName(key: ticket.key, nonce: ticket.nonce, index: ticket.index))
    if let refusal = examine(ticket, operation, attempt, &candidate) { return NaiveAnswer(outcome: refusal) }
    if operation.isStop, !ticket.isTriggered { return arm(ticket, candidate, into: &output) }
    var granted: Int64?
    if case .granted(_, let charge) = attempt { granted = charge }
    let isAuction = books[candidate.book].state == .auction
    if isAuction,
      granted != nil || candidate.minimum != 0 || candidate.isFillOrKill
        || candidate.isImmediate && !candidate.isMarket
    {
      return NaiveAnswer(outcome: .inAuction)
    }
    if candidate.isReduceOnly {
      let available = reducible(ticket.account, candidate)
      if available <= 0 || candidate.isFillOrKill && candidate.lots > available {
        return NaiveAnswer(outcome: .notReducing)
      }
      candidate.lots = min(candidate.lots, available)
    }
    let mode = mode(operation)
    if !isAuction, let refusal = refusalOfBook(ticket.account, mode, &candidate) {
      return NaiveAnswer(outcome: refusal)
    }
    if isAuction || !candidate.isImmediate, wouldOverflow(candidate) { return NaiveAnswer(outcome: .overflow) }
    guard var charge = charge(candidate, ticket.account) else { return NaiveAnswer(outcome: .overflow) }
    if let granted {
      charge = granted
      accounts[ticket.account].ceiling += granted
    } else if let refusal = cover(ticket, candidate, attempt, charge, into: &output) {
      return NaiveAnswer(outcome: refusal)
    }

    if candidate.replaced != 0, let replaced = orders.firstIndex(where: { $0.arrival == candidate.replaced }) {
      remove(replaced, into: &output)
    }
    accounts[ticket.account].reserved += charge
    var taker = NaiveTaker(
      account: ticket.account, name: candidate.name, book: candidate.book, side: candidate.side,
      limit: candidate.price, lots: candidate.lots, reserved: charge, kind: .taker, mode: mode)
    if isAuction {
      rest(ticket, operation, candidate, lots: taker.lots, reserved: charge, into: &output)
      return NaiveAnswer(outcome: candidate.replaced == 0 ? .resting : .amended)
    }
    trade(&taker, into: &output)
    if granted == nil, crosses(taker) {
      sweeps.append(NaiveSweep(ticket: ticket, taker: taker, candidate: candidate, partner: nil))
      start(NaiveJob(kind: .sweep, book: candidate.book))
      return NaiveAnswer(outcome: .sweeping, filled: taker.filled)
    }
    return finish(ticket, operation, candidate, taker, granted: granted, into: &output)
  }

  /// What becomes of what an order has not filled.
  mutating func finish(
    _ ticket: NaiveTicket, _ operation: Market.Operation, _ candidate: NaiveCandidate, _ taker: NaiveTaker,
    granted: Int64?, into output: inout OutputBuffer
  ) -> NaiveAnswer {
    let mayRest = !candidate.isImmediate && granted == nil && taker.ending == .none
    if taker.lots > 0 && mayRest {
      rest(ticket, operation, candidate, lots: taker.lots, reserved: taker.reserved, into: &output)
      return NaiveAnswer(outcome: candidate.replaced == 0 ? .resting : .amended, filled: taker.filled)
    }
    accounts[taker.account].reserved -= taker.reserved
    if let granted { accounts[taker.account].ceiling -= granted - taker.consumed }
    let outcome: Outcome =
      switch taker.ending {
      case .selfTrade: .selfTradePrevented
      case .overflow: taker.filled == 0 ? .overflow : .residualCancelled
      case .none: taker.lots == 0 ? .filled : .residualCancelled
      }
    return NaiveAnswer(outcome: outcome, filled: taker.filled)
  }

  func mode(_ operation: Market.Operation) -> Market.Operation.SelfTradePrevention {
    let mode = Market.Operation.SelfTradePrevention(rawValue: operation.selfTradePrevention) ?? .unspecified
    return mode == .unspecified ? .cancelTaker : mode
  }

  /// Checks 13 and 14, those that look at the other side.
  private mutating func refusalOfBook(
    _ account: Int, _ mode: Market.Operation.SelfTradePrevention, _ candidate: inout NaiveCandidate
  ) -> Outcome? {
    let opposite = candidate.side.opposite
    let book = candidate.book
    if candidate.isPostOnly, let best = best(book, opposite) {
      let price = orders[best].price
      if crosses(candidate.side, limit: candidate.price, price) {
        if !candidate.slides { return .wouldTake }
        let slid =
          candidate.side == .buy ? validPrice(atOrBelow: price - 1, book) : validPrice(atOrAbove: price + 1, book)
        guard let slid, slid >= books[book].bandLow, slid <= books[book].bandHigh else { return .wouldTake }
        candidate.price = slid
      }
    }
    let wanted = candidate.isFillOrKill ? candidate.lots : min(candidate.minimum, candidate.lots)
    if wanted > 0, let refusal = refusalToFill(wanted, account, mode, candidate) { return refusal }
    return nil
  }

  /// Check 15: what the level shows and the whole book hides.
  private func wouldOverflow(_ candidate: NaiveCandidate) -> Bool {
    var sum = Int128(candidate.lots)
    for order in orders where order.book == candidate.book {
      if order.side == candidate.side && order.price == candidate.price { sum += Int128(order.shown) }
      sum += Int128(order.hidden)
    }
    return sum > Int128(Self.largestSum)
  }

  /// Check 14: lets a copy of everything trade, and looks at what comes of it.
  private mutating func refusalToFill(
    _ wanted: Int64, _ account: Int, _ mode: Market.Operation.SelfTradePrevention, _ candidate: NaiveCandidate
  ) -> Outcome? {
    var rehearsal = self
    var unheard = OutputBuffer()
    var taker = NaiveTaker(
      account: account, name: candidate.name, book: candidate.book, side: candidate.side, limit: candidate.price,
      lots: candidate.lots, reserved: 0, kind: .taker, mode: mode)
    if !crosses(taker) { return .notFillable }
    if let replaced = rehearsal.orders.firstIndex(where: { $0.arrival == candidate.replaced }) {
      rehearsal.remove(replaced, into: &unheard)
    }
    rehearsal.trade(&taker, into: &unheard)
    if taker.filled >= wanted { return nil }
    budget = rehearsal.budget
    return rehearsal.budget == 0 ? .tooManyFills : .notFillable
  }

  /// Lots that a reduce-only order may still close.
  private func reducible(_ account: Int, _ candidate: NaiveCandidate) -> Int64 {
    let position = position(account, candidate.book)
    let closable = candidate.side == .sell ? position : -position
    let pledged = orders.lazy.filter {
      $0.isReduceOnly && $0.account == account && $0.book == candidate.book && $0.arrival != candidate.replaced
    }.reduce(0) { $0 + $1.lots }
    return closable - pledged
  }

  /// Puts what is left of an order into the book.
  private mutating func rest(
    _ ticket: NaiveTicket, _ operation: Market.Operation, _ candidate: NaiveCandidate, lots: Int64, reserved: Int64,
    into output: inout OutputBuffer
  ) {
    arrivals += 1
    let shown = candidate.display == 0 ? lots : min(candidate.display, lots)
    let dies = operation.flags.contains(.cancelOnDisconnect)
    let order = NaiveOrder(
      account: ticket.account, name: candidate.name, book: candidate.book, side: candidate.side,
      price: candidate.price, number: arrivals, arrival: arrivals, shown: shown, hidden: lots - shown,
      display: candidate.display, reserved: reserved, isReduceOnly: candidate.isReduceOnly, diesWithSession: dies,
      isQuote: candidate.isQuote, isAuctionOnly: candidate.isMarket, expiry: candidate.expiry,
      label: operation.label, clientID: candidate.clientID, session: dies ? ticket.session : 0,
      generation: dies ? ticket.generation : 0, mode: mode(operation))
    orders.append(order)
    emitDelta(.added, order, shows: shown, into: &output)
  }
}

// Orders in their books.
extension NaiveEngine {
  /// Place of the first order of the best level.
  func best(_ book: Int, _ side: Side) -> Int? {
    var best: Int?
    for place in orders.indices where orders[place].book == book && orders[place].side == side {
      guard let current = best else {
        best = place
        continue
      }
      let isBetter = orders[place].price > orders[current].price
      if orders[place].price != orders[current].price, isBetter == (side == .buy) { best = place }
    }
    return best
  }

  func crosses(_ side: Side, limit: Int64, _ price: Int64) -> Bool {
    side == .buy ? price <= limit : price >= limit
  }

  /// Whether the order could go on trading.
  func crosses(_ taker: NaiveTaker) -> Bool {
    guard taker.lots > 0, taker.ending == .none, let best = best(taker.book, taker.side.opposite) else { return false }
    return crosses(taker.side, limit: taker.limit, orders[best].price)
  }

  func isPastExpiry(_ order: NaiveOrder) -> Bool {
    order.expiry != 0 && Timestamp(seconds: Int64(order.expiry)) <= now
  }

  /// Takes an order out of its book and gives back its charge.
  mutating func remove(_ place: Int, into output: inout OutputBuffer) {
    let order = orders.remove(at: place)
    accounts[order.account].reserved -= order.reserved
    emitDelta(.removed, order, shows: 0, into: &output)
  }

  /// The same, for a reason that the owner did not give in this moment: the owner gets a report.
  mutating func remove(_ place: Int, because outcome: Outcome, into output: inout OutputBuffer) {
    let order = orders[place]
    remove(place, into: &output)
    report(
      .ended, order.account, order.name, books[order.book].instrument.id, outcome, into: &output)
  }
}
