import Bytes
import Machine
import Market

// Amend, cancel, cancel-all.
extension NaiveEngine {
  mutating func amend(_ ticket: NaiveTicket, into output: inout OutputBuffer) -> NaiveAnswer {
    let operation = ticket.operation
    if !operation.flags.isSubset(of: .byClientID) { return NaiveAnswer(outcome: .unsupportedCombination) }
    let (found, refusal) = book(of: operation.instrument)
    guard let book = found else { return NaiveAnswer(outcome: refusal) }
    guard let place = restingOrder(operation, ticket, book) else { return NaiveAnswer(outcome: .unknownOrder) }
    let units = operation.quantity.units
    let lotSize = books[book].instrument.lotSize.units
    if units <= 0 { return NaiveAnswer(outcome: .quantityOutOfRange) }
    if units % lotSize != 0 { return NaiveAnswer(outcome: .quantityOffLot) }
    let excess = orders[place].lots - units / lotSize
    if excess <= 0 { return NaiveAnswer(outcome: .notDecreasing) }
    release(place, excess)
    let fromHidden = min(excess, orders[place].hidden)
    orders[place].hidden -= fromHidden
    if excess > fromHidden {
      orders[place].shown -= excess - fromHidden
      emitDelta(.reduced, orders[place], shows: orders[place].shown, into: &output)
    }
    return NaiveAnswer(outcome: .amended)
  }

  mutating func cancel(_ ticket: NaiveTicket, into output: inout OutputBuffer) -> NaiveAnswer {
    let operation = ticket.operation
    let byClientID = operation.flags.contains(.byClientID)
    if !operation.flags.isSubset(of: .byClientID) { return NaiveAnswer(outcome: .unsupportedCombination) }
    let (found, refusal) = book(of: operation.instrument)
    guard let book = found else { return NaiveAnswer(outcome: refusal) }
    let target = NaiveName(key: ticket.key, nonce: operation.targetNonce, index: operation.targetIndex)
    func isMeant(_ name: NaiveName?, _ clientID: UInt64) -> Bool {
      byClientID ? clientID != 0 && clientID == operation.targetNonce : name == target
    }
    let account = ticket.account
    var isFound = false
    if let place = restingOrder(operation, ticket, book) {
      remove(place, into: &output)
      isFound = true
    }
    if let place = stops.firstIndex(where: {
      $0.ticket.account == account && $0.book == book && isMeant(name(of: $0), $0.ticket.operation.targetNonce)
    }) {
      removeStop(place, because: .cancelled, into: &output)
      isFound = true
    }
    if endWaiting(
      account, .cancelled, into: &output,
      where: { _, instrument, name, clientID, _ in
        instrument == operation.instrument && isMeant(name, clientID)
      })
    {
      isFound = true
    }
    return NaiveAnswer(outcome: isFound ? .cancelled : .unknownOrder)
  }

  mutating func cancelAll(_ ticket: NaiveTicket, into output: inout OutputBuffer) -> NaiveAnswer {
    let operation = ticket.operation
    if !operation.flags.isSubset(of: [.byLabel, .quote]) || Market.Operation.Scope(rawValue: operation.rawType) == nil {
      return NaiveAnswer(outcome: .unsupportedCombination)
    }
    var which: Int?
    if operation.instrument != Market.Operation.allInstruments {
      let (found, refusal) = book(of: operation.instrument)
      guard let found else { return NaiveAnswer(outcome: refusal) }
      which = found
    }
    let job = NaiveJob(
      kind: .cancelAll, account: ticket.account, book: which, arrival: arrivals, scope: operation.rawType,
      flags: operation.flags, label: operation.label)
    let books = books
    _ = endWaiting(ticket.account, .cancelled, into: &output) { operation, instrument, _, _, isQuote in
      guard let book = books.firstIndex(where: { $0.instrument.id == instrument }) else { return false }
      return Self.matches(job, books[book].instrument, book, operation.label, isQuote: isQuote)
    }
    start(job)
    return NaiveAnswer(outcome: .cancelled)
  }

  /// Whether a cancel-all means an order.
  static func matches(_ job: NaiveJob, _ instrument: Instrument, _ book: Int, _ label: UInt32, isQuote: Bool) -> Bool {
    if let which = job.book, which != book { return false }
    if job.flags.contains(.byLabel), job.label != label { return false }
    if job.flags.contains(.quote), !isQuote { return false }
    return switch Market.Operation.Scope(rawValue: job.scope) {
    case .everything: true
    case .perpetuals: instrument.kind == .perpetual
    case .futures: instrument.kind == .future
    case .options: instrument.kind == .call || instrument.kind == .put
    case .calls: instrument.kind == .call
    case .puts: instrument.kind == .put
    case nil: false
    }
  }

  /// Ends the account's held orders, then its queued ones, then its sweeping ones, as far as they match: by operation,
  /// instrument, name (`nil` while none is known), client id, and whether they are quotes. True if there was one.
  mutating func endWaiting(
    _ account: Int, _ outcome: Outcome, into output: inout OutputBuffer,
    where matches: (Market.Operation, InstrumentID, NaiveName?, UInt64, Bool) -> Bool = { _, _, _, _, _ in true }
  ) -> Bool {
    var isFound = false
    for order in held where order.ticket.account == account {
      let operation = order.ticket.operation
      if !matches(operation, operation.instrument, order.name, clientID(of: operation, order.name, account), false) {
        continue
      }
      isFound = true
      held.removeAll { $0.request == order.request }
      conclude(order.ticket, order.name, NaiveAnswer(outcome: outcome), into: &output)
    }
    for ticket in queue where ticket.account == account {
      let operation = ticket.operation
      guard operation.kind == .new || operation.kind == .replace || operation.kind == .quote else { continue }
      let isQuote = operation.kind == .quote
      let clientID = isQuote ? 0 : clientIDOfQueued(operation)
      if !matches(operation, operation.instrument, nameOfQueued(ticket), clientID, isQuote) { continue }
      isFound = true
      queue.removeAll { $0.isSame(as: ticket) }
      conclude(ticket, reportName(ticket), NaiveAnswer(outcome: outcome), into: &output)
    }
    for sweep in sweeps where sweep.taker.account == account {
      let operation = sweep.ticket.operation
      let name = sweep.taker.name
      if !matches(operation, operation.instrument, name, sweep.candidate.clientID, sweep.candidate.isQuote) { continue }
      isFound = true
      accounts[account].reserved -= sweep.taker.reserved
      end(sweep, NaiveAnswer(outcome: outcome, filled: sweep.taker.filled), into: &output)
    }
    return isFound
  }

  /// The client id under which a held order goes: its own, or that of the order it replaces.
  private func clientID(of operation: Market.Operation, _ name: NaiveName, _ account: Int) -> UInt64 {
    if operation.kind == .new { return operation.targetNonce }
    return orders.first { $0.account == account && $0.name == name }?.clientID ?? 0
  }

  private func clientIDOfQueued(_ operation: Market.Operation) -> UInt64 {
    operation.kind == .new || operation.flags.contains(.byClientID) ? operation.targetNonce : 0
  }

  private func nameOfQueued(_ ticket: NaiveTicket) -> NaiveName? {
    let own = NaiveName(key: ticket.key, nonce: ticket.nonce, index: ticket.index)
    guard ticket.operation.kind == .replace else { return own }
    if ticket.operation.flags.contains(.byClientID) { return nil }
    return NaiveName(key: ticket.key, nonce: ticket.operation.targetNonce, index: ticket.operation.targetIndex)
  }
}

extension NaiveTicket {
  /// Whether it is that operation of that action.
  func isSame(as other: NaiveTicket) -> Bool { isSameAction(as: other) && index == other.index }
  func isSameAction(as other: NaiveTicket) -> Bool {
    account == other.account && key == other.key && nonce == other.nonce && sequence == other.sequence
  }
}
