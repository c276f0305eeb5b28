import Bytes
import Machine
import Market

// Orders beyond the ceiling: each waits alone, one request is sent for it, and it ends once.
extension ShardMachine {
  /// Holds an order and asks risk once.
  @inline(never) mutating func hold(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, _ candidate: Candidate, charge: Int64,
    shortfall: Int64, _ attempt: Attempt, into output: inout OutputBuffer
  ) -> Answer {
    let account = origin.accountSlot
    if accounts[account].heldCount >= parameters.heldOrdersPerAccount || held.isFull {
      return Answer(outcome: .tooManyHeldOrders)
    }
    requests &+= 1
    let deferral = Deferral(origin: origin, index: index, operation: operation.copy(naming: candidate))
    enlistHeld(
      HeldOrder(
        request: requests, deferral: deferral, charge: charge, deadline: now + parameters.heldOrderTimeout))
    let lots = candidate.side == .buy ? candidate.lots : -candidate.lots
    output.send(
      CreditRequest(
        request: requests, account: accounts[account].id, instrument: operation.instrument, lots: Lots(lots),
        price: Price(units: candidate.tick &* books[candidate.book].contract.tickSize), charge: Money(units: charge),
        shortfall: Money(units: shortfall)),
      to: .risk, &streams)
    return Answer(outcome: .held)
  }

  /// Enters a held order last in its account's list and among the timers.
  mutating func enlistHeld(_ order: HeldOrder) {
    let slot = held.insert(order)
    let account = order.deferral.origin.accountSlot
    let last = accounts[account].lastHeld
    held[slot].previous = last
    held[slot].next = 0
    if last == 0 { accounts[account].firstHeld = slot } else { held[last].next = slot }
    accounts[account].lastHeld = slot
    accounts[account].heldCount += 1
    accounts[account].deferred += 1
    timers.insert(Timer(deadline: order.deadline, kind: .held, id: order.request, slot: slot))
    timedOrders += 1
    wake(at: order.deadline)
  }

  /// The account's held order of that name, or 0. A held replacement has the name of what it replaces.
  mutating func heldOrder(_ account: Slot, _ key: UInt16, _ nonce: UInt64, _ index: UInt16) -> Slot {
    var slot = accounts[account].firstHeld
    while slot != 0 {
      let order = held[slot]
      if order.deferral.origin.key == key, order.deferral.name == (nonce, index) { return slot }
      slot = order.next
    }
    return 0
  }

  /// The account's held order that sent `request`, or 0.
  mutating func heldOrder(_ account: Slot, request: UInt64) -> Slot {
    var slot = accounts[account].firstHeld
    while slot != 0, held[slot].request != request { slot = held[slot].next }
    return slot
  }

  private mutating func place(_ order: HeldOrder, _ attempt: Attempt, into output: inout OutputBuffer) -> Answer {
    withUnsafeBytes(of: order.deferral.operation) { bytes in
      place(
        OperationView(bytes.baseAddress.unsafelyUnwrapped), order.deferral.index, order.deferral.origin, attempt,
        into: &output)
    }
  }

  /// Looks again at the account's held orders, oldest first, after its ceiling was raised. One whose book has been
  /// blocked since goes on waiting.
  mutating func retryHeld(_ account: Slot, into output: inout OutputBuffer) {
    var slot = accounts[account].firstHeld
    while slot != 0 {
      let order = held[slot]
      let (book, absent) = book(of: order.deferral.operation.instrument)
      if absent != nil || !books[book].isBlocked {
        let answer = place(order, .again, into: &output)
        if answer.outcome != .held { endHeld(slot, answer, into: &output) }
      }
      slot = order.next
    }
  }

  /// Runs a held order as IOC under a charge of its own; false if it could not run.
  mutating func runGranted(_ slot: Slot, charge: Int64, into output: inout OutputBuffer) -> Bool {
    let order = held[slot]
    let account = order.deferral.origin.accountSlot
    let (book, absent) = book(of: order.deferral.operation.instrument)
    if absent != nil || books[book].isBlocked || books[book].state != .open { return false }
    let (_, usedOverflow) = accounts[account].used.addingReportingOverflow(charge)
    let (_, ceilingOverflow) = accounts[account].ceiling.addingReportingOverflow(charge)
    if charge < 0 || usedOverflow || ceilingOverflow { return false }
    let answer = place(order, .granted(charge: charge), into: &output)
    endHeld(slot, answer, into: &output)
    return answer.outcome.isAccepted
  }

  /// Ends a held order: its stored answer changes from `held`, and its account hears of it.
  mutating func endHeld(_ slot: Slot, _ answer: Answer, into output: inout OutputBuffer) {
    let order = held[slot]
    let account = order.deferral.origin.accountSlot
    if order.previous == 0 { accounts[account].firstHeld = order.next } else { held[order.previous].next = order.next }
    if order.next == 0 {
      accounts[account].lastHeld = order.previous
    } else {
      held[order.next].previous = order.previous
    }
    accounts[account].heldCount -= 1
    accounts[account].deferred -= 1
    timedOrders -= 1
    hasLostTimer = true
    held[slot].isLive = false
    held.remove(slot)
    conclude(order.deferral, answer, into: &output)
  }
}
