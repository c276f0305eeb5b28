import Bytes
import Machine
import Market

// Cancel and amend: they go on while risk or marks are silent, while trading is halted and after expiry.
extension ShardMachine {
  mutating func cancel(_ operation: OperationView, _ origin: Origin, into output: inout OutputBuffer) -> Answer {
    if operation.flags & ~OperationCode.byClientID != 0 { return Answer(outcome: .unsupportedCombination) }
    let (book, absent) = book(of: operation.instrument)
    if let absent { return Answer(outcome: absent) }
    let byClientID = operation.flags & OperationCode.byClientID != 0
    let account = origin.accountSlot
    let slot =
      byClientID
      ? openOrder(account, clientID: operation.targetNonce)
      : openOrder(account, origin.key, operation.targetNonce, operation.targetIndex)
    var isFound = false
    if slot != 0, Int(orders[slot].book) == book {
      withdraw(slot, into: &output)
      isFound = true
    }
    if accounts[account].deferred != 0, cancelDeferred(operation, origin, byClientID, into: &output) { isFound = true }
    return Answer(outcome: isFound ? .cancelled : .unknownOrder)
  }

  mutating func amend(_ operation: OperationView, _ origin: Origin, into output: inout OutputBuffer) -> Answer {
    if operation.flags & ~OperationCode.byClientID != 0 { return Answer(outcome: .unsupportedCombination) }
    let (book, absent) = book(of: operation.instrument)
    if let absent { return Answer(outcome: absent) }
    let slot =
      operation.flags & OperationCode.byClientID != 0
      ? openOrder(origin.accountSlot, clientID: operation.targetNonce)
      : openOrder(origin.accountSlot, origin.key, operation.targetNonce, operation.targetIndex)
    if slot == 0 || Int(orders[slot].book) != book { return Answer(outcome: .unknownOrder) }
    let units = operation.quantity
    if units <= 0 { return Answer(outcome: .quantityOutOfRange) }
    let lots = books[book].contract.lot.quotient(units)
    if lots &* books[book].contract.lotSize != units { return Answer(outcome: .quantityOffLot) }
    let open = openLots(orders[slot])
    if lots >= open { return Answer(outcome: .notDecreasing) }
    shrink(slot, by: open - lots, into: &output)
    return Answer(outcome: .amended)
  }

  /// Shrinks an open order in place, hidden lots first: it keeps its priority and gives back its share of the charge.
  mutating func reduce(_ slot: Slot, by lots: Int64, into output: inout OutputBuffer) {
    shrink(slot, by: lots, into: &output)
    reportAmended(slot, into: &output)
  }

  /// The same without a report; `shownFirst` spares the hidden lots.
  mutating func shrink(_ slot: Slot, by lots: Int64, shownFirst: Bool = false, into output: inout OutputBuffer) {
    let order = orders[slot]
    let hidden = order.isIceberg ? extras[order.extra].hidden : 0
    let released = Self.part(of: order.reserved, lots, of: order.lots + hidden)
    orders[slot].reserved -= released
    accounts[order.accountSlot].reserved -= released
    let unseen = shownFirst ? 0 : min(lots, hidden)
    if unseen != 0 {
      extras[order.extra].hidden -= unseen
      hide(-unseen, of: order)
    }
    let shown = lots - unseen
    if shown == 0 { return }
    orders[slot].lots -= shown
    books.side(Int(order.book), order.side).pointee.level(order.rank).pointee.lots -= shown
    if order.isReduceOnly {
      positions[positionSlot(order.accountSlot, Int(order.book))].reducingLots -= shown
    }
    emitDelta(
      .reduced, Int(order.book), order.side, order.rank, order: order.number, shows: order.lots - shown,
      change: -shown, into: &output)
  }

  /// ⌊amount·lots / all⌋ for 0 ≤ lots ≤ all; the remainder goes with the last lots.
  @inline(__always) static func part(of amount: Int64, _ lots: Int64, of all: Int64) -> Int64 {
    if amount == 0 || lots == all { return amount }
    let (product, overflow) = amount.multipliedReportingOverflow(by: lots)
    return overflow ? Int64(Int128(amount) * Int128(lots) / Int128(all)) : product / all
  }
}
