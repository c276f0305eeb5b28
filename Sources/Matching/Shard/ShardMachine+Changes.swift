import Bytes
import Machine
import Market

// Cancel, amend, cancel-all: they go on while risk or marks are silent, while trading is halted and after expiry.
extension ShardMachine {
  mutating func cancel(_ operation: OperationView, _ origin: Origin, into output: inout OutputBuffer) -> Answer {
    if operation.usesReservedFields { return Answer(outcome: .unsupportedCombination) }
    let (book, absent) = book(of: operation.instrument)
    if let absent { return Answer(outcome: absent) }
    var isFound = false
    let slot = openOrder(origin.accountSlot, origin.key, operation.targetNonce, operation.targetIndex)
    if slot != 0, Int(orders[slot].book) == book {
      withdraw(slot, into: &output)
      isFound = true
    }
    if accounts[origin.accountSlot].heldCount != 0 {
      let waiting = heldOrder(origin.accountSlot, origin.key, operation.targetNonce, operation.targetIndex)
      if waiting != 0, held[waiting].operation.instrument == operation.instrument {
        endHeld(waiting, Answer(outcome: .cancelled), into: &output)
        isFound = true
      }
    }
    return Answer(outcome: isFound ? .cancelled : .unknownOrder)
  }

  mutating func amend(_ operation: OperationView, _ origin: Origin, into output: inout OutputBuffer) -> Answer {
    if operation.usesReservedFields { return Answer(outcome: .unsupportedCombination) }
    let (book, absent) = book(of: operation.instrument)
    if let absent { return Answer(outcome: absent) }
    let slot = openOrder(origin.accountSlot, origin.key, operation.targetNonce, operation.targetIndex)
    if slot == 0 || Int(orders[slot].book) != book { return Answer(outcome: .unknownOrder) }
    let units = operation.quantity
    let lotSize = books[book].contract.lotSize
    if units <= 0 { return Answer(outcome: .quantityOutOfRange) }
    if units % lotSize != 0 { return Answer(outcome: .quantityOffLot) }
    let lots = units / lotSize
    if lots >= orders[slot].lots { return Answer(outcome: .notDecreasing) }
    reduce(slot, by: orders[slot].lots - lots, into: &output)
    return Answer(outcome: .amended)
  }

  /// Shrinks an open order in place: it keeps its priority and gives back its share of the charge.
  mutating func reduce(_ slot: Slot, by lots: Int64, into output: inout OutputBuffer) {
    let order = orders[slot]
    let released = Self.part(of: order.reserved, lots, of: order.lots)
    orders[slot].reserved -= released
    orders[slot].lots -= lots
    accounts[order.accountSlot].reserved -= released
    books.mapped(Int(order.book), order.side).pointee.level(order.rank).pointee.lots -= lots
    if order.isReduceOnly {
      positions[positionSlot(order.accountSlot, Int(order.book))].reducingLots -= lots
    }
    emitDelta(
      .reduced, Int(order.book), order.side, order.rank, order: order.arrival, shows: order.lots - lots,
      change: -lots, into: &output)
  }

  mutating func cancelAll(_ operation: OperationView, _ origin: Origin, into output: inout OutputBuffer) -> Answer {
    if operation.usesReservedFields { return Answer(outcome: .unsupportedCombination) }
    var which = Job.everyBook
    if operation.instrument != Operation.allInstruments {
      let (book, absent) = book(of: operation.instrument)
      if let absent { return Answer(outcome: absent) }
      which = UInt32(book)
    }
    var waiting = accounts[origin.accountSlot].firstHeld
    while waiting != 0 {
      let next = held[waiting].next
      if which == Job.everyBook || held[waiting].operation.instrument == operation.instrument {
        endHeld(waiting, Answer(outcome: .cancelled), into: &output)
      }
      waiting = next
    }
    start(Job(kind: .cancelAll, accountSlot: origin.accountSlot, book: which, arrival: arrivals), into: &output)
    return Answer(outcome: .cancelled)
  }

  /// Takes an order out of its book and gives back its charge.
  @inline(__always) mutating func withdraw(_ slot: Slot, into output: inout OutputBuffer) {
    let order = orders.base + Int(slot)
    let book = Int(order.pointee.book)
    let side = order.pointee.side
    let rank = order.pointee.rank
    let number = order.pointee.arrival
    let lots = order.pointee.lots
    #if NOVATION_PLANT
      let released = faults.contains(.leakReservation) ? 0 : order.pointee.reserved
    #else
      let released = order.pointee.reserved
    #endif
    accounts[order.pointee.accountSlot].reserved &-= released
    detach(slot)
    emitDelta(.removed, book, side, rank, order: number, shows: 0, change: -lots, into: &output)
  }

  /// The same, for a reason that the owner did not give in this moment: the owner gets a report.
  mutating func withdraw(_ slot: Slot, because outcome: Outcome, into output: inout OutputBuffer) {
    let order = orders[slot]
    withdraw(slot, into: &output)
    output.report(
      ExecutionReport(
        event: .ended, shard: shard, sequence: sequence, stamp: now, order: name(of: order),
        instrument: books[Int(order.book)].instrument, outcome: outcome))
  }

  /// Removes an order from every list that names it; its charge is the caller's to account for.
  @inline(__always) mutating func detach(_ slot: Slot) {
    let base = orders.base
    let order = base + Int(slot)
    let book = Int(order.pointee.book)
    books.mapped(book, order.pointee.side).pointee.unlink(slot, base)
    orderTable.remove(orderTable.hash(order.pointee.nonce, order.pointee.owner), slot)
    let account = accounts.base + Int(order.pointee.accountSlot)
    let newer = order.pointee.newer
    let older = order.pointee.older
    if newer == 0 { account.pointee.newestOrder = older } else { base[Int(newer)].older = older }
    if older != 0 { base[Int(older)].newer = newer }
    account.pointee.openOrders &-= 1
    books[book].orderCount &-= 1
    if order.pointee.extra != 0 { dropExtra(order.pointee) }
    order.pointee.retire()
    orders.remove(slot)
  }

  @inline(__always) func name(of order: RestingOrder) -> OrderID {
    OrderID(
      account: accounts[order.accountSlot].id, key: KeyID(order.key), nonce: order.nonce, index: order.index)
  }

  /// ⌊amount·lots / all⌋ for 0 ≤ lots ≤ all; the remainder goes with the last lots.
  @inline(__always) static func part(of amount: Int64, _ lots: Int64, of all: Int64) -> Int64 {
    if amount == 0 || lots == all { return amount }
    let (product, overflow) = amount.multipliedReportingOverflow(by: lots)
    return overflow ? Int64(Int128(amount) * Int128(lots) / Int128(all)) : product / all
  }
}
