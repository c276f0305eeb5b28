import Bytes
import Machine
import Market

// Two-sided quotes: a whole action is one set.
extension ShardMachine {
  /// Takes out the old quotes of a set's instruments, so that their credit is free for all of it.
  mutating func clearQuotes(_ action: SignedActionView, _ origin: Origin, into output: inout OutputBuffer) {
    for index in 0..<action.count where action.operation(index).rawKind == OperationCode.quote {
      let (book, absent) = book(of: action.operation(index).instrument)
      if absent != nil || books[book].isBlocked || whyClosed(book, origin.accountSlot) != nil { continue }
      clearQuote(book, origin.accountSlot, into: &output)
    }
  }

  private mutating func clearQuote(_ book: Int, _ account: Slot, into output: inout OutputBuffer) {
    let position = positionSlot(account, book)
    if position == 0 { return }
    let (bid, ask) = (positions[position].bid, positions[position].ask)
    if bid != 0 { withdraw(bid, into: &output) }
    if ask != 0 { withdraw(ask, into: &output) }
  }

  /// Sets both sides of the account's quote in an instrument.
  mutating func quote(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, into output: inout OutputBuffer
  ) -> Answer {
    let known = OperationCode.postOnly | OperationCode.slide | OperationCode.cancelOnDisconnect
    let isDated = operation.rawTimeInForce == OperationCode.goodTillDate
    let (bid, ask) = (operation.price, operation.triggerPrice)
    if operation.rawSide != 0 || operation.rawType != 0 || operation.rawTimeInForce != 0 && !isDated
      || operation.flags & ~known != 0 || operation.rawMode > 4 || operation.rawTrigger != 0
      || operation.targetNonce != 0 || operation.targetAndReserved != 0
      || operation.quantity < 0 || operation.display < 0
      || operation.quantity == 0 && bid != 0 || operation.display == 0 && ask != 0
      || operation.quantity > 0 && operation.display > 0 && bid >= ask
    {
      return Answer(outcome: .unsupportedCombination)
    }
    let (book, absent) = book(of: operation.instrument)
    if let absent { return Answer(outcome: absent) }
    if let closed = whyClosed(book, origin.accountSlot) { return Answer(outcome: closed) }
    clearQuote(book, origin.accountSlot, into: &output)
    if now < accounts[origin.accountSlot].quotesFrozenUntil { return Answer(outcome: .protectionFrozen) }
    let bidAnswer = placeSide(operation, .buy, bid, operation.quantity, index, origin, into: &output)
    let askAnswer = placeSide(
      operation, .sell, ask, operation.display, index | Operation.askIndexBit, origin, into: &output)
    if bidAnswer.outcome == .sweeping || askAnswer.outcome == .sweeping {
      let isBid = bidAnswer.outcome == .sweeping
      sweeps[books[book].sweep].partner = isBid ? askAnswer : bidAnswer
      return Answer(outcome: .sweeping, filled: bidAnswer.filled &+ askAnswer.filled)
    }
    return Self.both(bidAnswer, askAnswer)
  }

  /// What a quote comes to: the bid's refusal, else the ask's.
  static func both(_ bid: Answer, _ ask: Answer) -> Answer {
    let outcome = !bid.outcome.isAccepted ? bid.outcome : !ask.outcome.isAccepted ? ask.outcome : .quoted
    return Answer(outcome: outcome, filled: bid.filled &+ ask.filled)
  }

  private mutating func placeSide(
    _ quote: OperationView, _ side: Side, _ price: Int64, _ quantity: Int64, _ index: UInt16, _ origin: Origin,
    into output: inout OutputBuffer
  ) -> Answer {
    if quantity == 0 { return Answer(outcome: .quoted) }
    var operation = quote.base.loadUnaligned(as: Operation.self)
    operation.rawKind = OperationCode.new
    operation.rawSide = side.rawValue
    operation.price = Price(units: price)
    operation.quantity = Quantity(units: quantity)
    operation.triggerPrice = .zero
    operation.displayQuantity = .zero
    let answer = withUnsafeBytes(of: operation) { bytes in
      place(OperationView(bytes.baseAddress.unsafelyUnwrapped), index, origin, .quote, into: &output)
    }
    if !answer.outcome.isAccepted {
      let name = OrderID(
        account: accounts[origin.accountSlot].id, key: KeyID(origin.key), nonce: origin.nonce, index: index)
      report(.ended, answer.outcome, name, quote.instrument, into: &output)
    }
    return answer
  }
}
