import Machine
import Market

// Blocked books, the order that sweeps one, and what waits for it.
extension NaiveEngine {
  /// Whether an unfinished order or an uncrossing keeps new ones out of the book.
  func isBlocked(_ book: Int) -> Bool {
    books[book].state == .uncrossing || sweeps.contains { $0.taker.book == book }
  }

  mutating func enqueue(_ ticket: NaiveTicket) -> NaiveAnswer {
    if queue.count >= Int(parameters.queuedOperations) { return NaiveAnswer(outcome: .busy) }
    queue.append(ticket)
    return NaiveAnswer(outcome: .queued)
  }

  /// Goes on with the order that sweeps the book; true when it has ended.
  mutating func goOn(sweeping book: Int, into output: inout OutputBuffer) -> Bool {
    guard let place = sweeps.firstIndex(where: { $0.taker.book == book }) else { return true }
    var sweep = sweeps[place]
    let expiry = sweep.candidate.expiry
    let isExpired = expiry != 0 && Timestamp(seconds: Int64(expiry)) <= now
    if isExpired || now >= books[book].instrument.expiry || books[book].isSettling {
      accounts[sweep.taker.account].reserved -= sweep.taker.reserved
      let outcome = isExpired ? Outcome.expiredOrder : .cancelledByExpiry
      end(sweep, NaiveAnswer(outcome: outcome, filled: sweep.taker.filled), into: &output)
      return true
    }
    trade(&sweep.taker, into: &output)
    sweeps[place] = sweep
    if crosses(sweep.taker) { return false }
    var operation = sweep.ticket.operation
    operation.rawSide = sweep.taker.side.rawValue
    let answer = finish(
      sweep.ticket, operation, sweep.candidate, sweep.taker, granted: nil, into: &output)
    end(sweep, answer, into: &output)
    return true
  }

  /// Ends a sweep and tells so; its charge has been seen to.
  mutating func end(_ sweep: NaiveSweep, _ answer: NaiveAnswer, into output: inout OutputBuffer) {
    let book = sweep.taker.book
    sweeps.removeAll { $0.taker.book == book }
    jobs.removeAll { $0.kind == .sweep && $0.book == book }
    var stored: NaiveAnswer?
    if let partner = sweep.partner {
      let isBid = sweep.taker.side == .buy
      stored = Self.outcome(ofQuote: isBid ? answer : partner, isBid ? partner : answer)
    }
    conclude(sweep.ticket, sweep.taker.name, answer, stored: stored, into: &output)
    takeUpLater()
  }

  /// A book is free again: what waits is looked at.
  mutating func takeUpLater() {
    if !queue.isEmpty, !jobs.contains(where: { $0.kind == .queue }) { start(NaiveJob(kind: .queue)) }
  }

  /// Takes up what no longer has to wait; true when there is no more of it.
  mutating func takeUpQueue(into output: inout OutputBuffer) -> Bool {
    while let place = queue.indices.first(where: { canBeTakenUp($0) }) {
      if budget == 0 { return false }
      budget -= 1
      let ticket = queue.remove(at: place)
      let name = reportName(ticket)
      let answer = perform(ticket, isSet: false, into: &output)
      conclude(ticket, name, answer, into: &output)
      lookAtLastPrices()
    }
    return true
  }

  private func canBeTakenUp(_ place: Int) -> Bool {
    let ticket = queue[place]
    if sweeps.contains(where: { $0.ticket.isSameAction(as: ticket) }) { return false }
    if queue[..<place].contains(where: { $0.isSameAction(as: ticket) }) { return false }
    guard let book = bookOf(ticket.operation) else { return true }
    return !isBlocked(book) && !queue[..<place].contains { bookOf($0.operation) == book }
  }

  /// The book that an operation is about, if it is about one.
  private func bookOf(_ operation: Market.Operation) -> Int? {
    switch operation.kind {
    case .new, .replace, .amend, .cancel, .cancelAll, .quote, .tradingState: book(of: operation.instrument).book
    case .protection, .resetProtection, .deadMan, .killSwitch, .withdraw, nil: nil
    }
  }

  /// The order that a report about a queued operation names: the one it is about, if that is known.
  func reportName(_ ticket: NaiveTicket) -> NaiveName {
    let own = NaiveName(key: ticket.key, nonce: ticket.nonce, index: ticket.index)
    let operation = ticket.operation
    guard operation.kind == .replace || operation.kind == .amend || operation.kind == .cancel else { return own }
    if !operation.flags.contains(.byClientID) {
      return NaiveName(key: ticket.key, nonce: operation.targetNonce, index: operation.targetIndex)
    }
    guard let book = bookOf(operation), let place = restingOrder(operation, ticket, book) else { return own }
    return orders[place].name
  }
}
