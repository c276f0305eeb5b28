import Machine
import Market

// Two-sided quotes.
extension NaiveEngine {
  /// Takes the account's resting quotes out of the books of those of the operations that can be performed now, so that
  /// their credit is free for all.
  mutating func takeOutQuotes(_ tickets: [NaiveTicket], into output: inout OutputBuffer) {
    for ticket in tickets where ticket.operation.kind == .quote {
      guard let book = book(of: ticket.operation.instrument).book, !isBlocked(book),
        whyClosed(book, ticket.account) == nil
      else { continue }
      for side in Side.allCases {
        while let place = orders.firstIndex(where: {
          $0.isQuote && $0.account == ticket.account && $0.book == book && $0.side == side
        }) {
          remove(place, into: &output)
        }
      }
    }
  }

  /// Places a quote's bid, then its ask; `isSet` where the old ones of the whole action are out already.
  mutating func quote(_ ticket: NaiveTicket, isSet: Bool, into output: inout OutputBuffer) -> NaiveAnswer {
    if !isSet { takeOutQuotes([ticket], into: &output) }
    let refusal = refusal(ofQuote: ticket)
    var answers: [NaiveAnswer] = []
    for side in Side.allCases {
      let order = Self.order(ticket.operation, side)
      if order.quantity == .zero {
        answers.append(NaiveAnswer(outcome: .quoted))
        continue
      }
      let index = side == .buy ? ticket.index : ticket.index | Market.Operation.askIndexBit
      let answer =
        refusal.map { NaiveAnswer(outcome: $0) } ?? place(ticket, .quote(order, index: index), into: &output)
      if !answer.outcome.isAccepted {
        let name = NaiveName(key: ticket.key, nonce: ticket.nonce, index: index)
        report(.ended, ticket.account, name, ticket.operation.instrument, answer.outcome, into: &output)
      }
      answers.append(answer)
    }
    if let refusal { return NaiveAnswer(outcome: refusal) }
    if let sweeping = answers.firstIndex(where: { $0.outcome == .sweeping }) {
      var partner = answers[1 - sweeping]
      if partner.outcome.isAccepted { partner.outcome = .quoted }
      sweeps[sweeps.count - 1].partner = partner
      return NaiveAnswer(outcome: .sweeping, filled: answers[0].filled + answers[1].filled)
    }
    return Self.outcome(ofQuote: answers[0], answers[1])
  }

  /// The bid's refusal, else the ask's, else `quoted`.
  static func outcome(ofQuote bid: NaiveAnswer, _ ask: NaiveAnswer) -> NaiveAnswer {
    let refusal = [bid, ask].first { !$0.outcome.isAccepted }?.outcome
    return NaiveAnswer(outcome: refusal ?? .quoted, filled: bid.filled + ask.filled)
  }

  /// Why neither side of a quote may stand.
  private func refusal(ofQuote ticket: NaiveTicket) -> Outcome? {
    let operation = ticket.operation
    if operation.side == nil { return .malformed }
    let timeInForce = operation.timeInForce
    let isDated = timeInForce == .goodTillDate
    let flags = operation.flags
    if !flags.isSubset(of: [.postOnly, .slide, .cancelOnDisconnect])
      || flags.contains(.slide) && !flags.contains(.postOnly)
      || !isDated && timeInForce != .goodTillCancelled || isDated != (operation.expiry != 0)
      || operation.type != .limit || operation.triggerSource != 0 || operation.targetNonce != 0
      || operation.targetIndex != 0 || operation.reserved != 0
      || Market.Operation.SelfTradePrevention(rawValue: operation.selfTradePrevention) == nil
    {
      return .unsupportedCombination
    }
    let isTwoSided = operation.quantity != .zero && operation.displayQuantity != .zero
    if isTwoSided && operation.price >= operation.triggerPrice { return .unsupportedCombination }
    let (found, absent) = book(of: operation.instrument)
    guard let book = found else { return absent }
    if let closed = whyClosed(book, ticket.account) { return closed }
    return now < accounts[ticket.account].protectionFrozenUntil ? .protectionFrozen : nil
  }

  /// One side as the limit order that it is.
  private static func order(_ quote: Market.Operation, _ side: Side) -> Market.Operation {
    var order = quote
    order.rawKind = Market.Operation.Kind.new.rawValue
    order.rawSide = side.rawValue
    if side == .sell {
      order.price = quote.triggerPrice
      order.quantity = quote.displayQuantity
    }
    order.triggerPrice = .zero
    order.displayQuantity = .zero
    return order
  }
}
