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
    var sides: [Slot] = []
    var extra = positions[position].newestQuote
    while extra != 0 {
      sides.append(extras[extra].order)
      extra = extras[extra].olderAlike
    }
    sides.sort { (orders[$0].side.rawValue, orders[$0].number) < (orders[$1].side.rawValue, orders[$1].number) }
    for slot in sides { withdraw(slot, into: &output) }
  }

  /// Sets both sides of the account's quote in an instrument; `isSet` where its action's old ones are out already.
  mutating func quote(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, isSet: Bool, into output: inout OutputBuffer
  ) -> Answer {
    let (book, absent) = book(of: operation.instrument)
    if !isSet, absent == nil, !books[book].isBlocked, whyClosed(book, origin.accountSlot) == nil {
      clearQuote(book, origin.accountSlot, into: &output)
    }
    let refusal = refusal(ofQuote: operation, origin)
    let bid = placeSide(operation, .buy, index, origin, refusal, into: &output)
    let ask = placeSide(operation, .sell, index | Operation.askIndexBit, origin, refusal, into: &output)
    if let refusal { return Answer(outcome: refusal) }
    if bid.outcome == .sweeping || ask.outcome == .sweeping {
      let sweep = books[book].sweep
      var partner = bid.outcome == .sweeping ? ask : bid
      if partner.outcome.isAccepted { partner.outcome = .quoted }
      sweeps[sweep].partner = partner
      // The queue, the journal and the account know the quote, not its side.
      sweeps[sweep].deferral.operation = operation.base.loadUnaligned(as: Operation.self)
      sweeps[sweep].deferral.index = index
      return Answer(outcome: .sweeping, filled: bid.filled &+ ask.filled)
    }
    return Self.both(bid, ask)
  }

  /// Why neither side of a quote may stand.
  private mutating func refusal(ofQuote operation: OperationView, _ origin: Origin) -> Outcome? {
    if operation.side == nil { return .malformed }
    let known = OperationCode.postOnly | OperationCode.slide | OperationCode.cancelOnDisconnect
    let isDated = operation.rawTimeInForce == OperationCode.goodTillDate
    if operation.flags & ~known != 0
      || operation.flags & (OperationCode.slide | OperationCode.postOnly) == OperationCode.slide
      || operation.rawTimeInForce != 0 && !isDated || isDated != (operation.expiry != 0)
      || operation.rawType != 0 || operation.rawMode > 4 || operation.rawTrigger != 0
      || operation.targetNonce != 0 || operation.targetAndReserved != 0
      || operation.quantity != 0 && operation.display != 0 && operation.price >= operation.triggerPrice
    {
      return .unsupportedCombination
    }
    let (book, absent) = book(of: operation.instrument)
    if let absent { return absent }
    if let closed = whyClosed(book, origin.accountSlot) { return closed }
    return now < accounts[origin.accountSlot].quotesFrozenUntil ? .protectionFrozen : nil
  }

  /// What a quote comes to: the bid's refusal, else the ask's.
  static func both(_ bid: Answer, _ ask: Answer) -> Answer {
    let outcome = !bid.outcome.isAccepted ? bid.outcome : !ask.outcome.isAccepted ? ask.outcome : .quoted
    return Answer(outcome: outcome, filled: bid.filled &+ ask.filled)
  }

  /// Places one side as the limit order that it is; a refused one is reported.
  private mutating func placeSide(
    _ quote: OperationView, _ side: Side, _ index: UInt16, _ origin: Origin, _ refusal: Outcome?,
    into output: inout OutputBuffer
  ) -> Answer {
    var operation = quote.base.loadUnaligned(as: Operation.self)
    operation.rawKind = OperationCode.new
    operation.rawSide = side.rawValue
    if side == .sell {
      operation.price = operation.triggerPrice
      operation.quantity = operation.displayQuantity
    }
    operation.triggerPrice = .zero
    operation.displayQuantity = .zero
    if operation.quantity == .zero { return Answer(outcome: .quoted) }
    var answer = Answer(outcome: refusal ?? .quoted)
    if refusal == nil {
      answer = withUnsafeBytes(of: operation) { bytes in
        place(OperationView(bytes.baseAddress.unsafelyUnwrapped), index, origin, .quote, into: &output)
      }
    }
    if !answer.outcome.isAccepted {
      let name = OrderID(
        account: accounts[origin.accountSlot].id, key: KeyID(origin.key), nonce: origin.nonce, index: index)
      report(.ended, answer.outcome, name, quote.instrument, into: &output)
    }
    return answer
  }
}
