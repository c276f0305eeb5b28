import Bytes
import Machine
import Market

// Orders beyond the ceiling: each waits alone, one request is sent for it, and it ends once.
extension ShardMachine {
  /// Holds an order and asks risk once.
  @inline(never) mutating func hold(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, _ candidate: Candidate, charge: Int64,
    shortfall: Int64, into output: inout OutputBuffer
  ) -> Answer {
    let account = origin.accountSlot
    if accounts[account].heldCount >= parameters.heldOrdersPerAccount || held.isFull {
      return Answer(outcome: .tooManyHeldOrders)
    }
    requests &+= 1
    let deadline = now + parameters.heldOrderTimeout
    enlistHeld(
      HeldOrder(
        request: requests, accountSlot: account, key: origin.key, index: index, nonce: origin.nonce,
        sequence: sequence, session: origin.session, generation: origin.generation, isTrade: origin.isTrade,
        maximumFee: origin.maximumFee, charge: charge, deadline: deadline,
        operation: operation.base.loadUnaligned(as: Operation.self)))
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
    let account = order.accountSlot
    let last = accounts[account].lastHeld
    held[slot].previous = last
    if last == 0 { accounts[account].firstHeld = slot } else { held[last].next = slot }
    accounts[account].lastHeld = slot
    accounts[account].heldCount += 1
    timers.insert(OrderTimer(deadline: order.deadline, id: order.request, slot: slot, isHeld: true))
    timedOrders += 1
    wake(at: order.deadline)
  }

  /// The account's held order of that name, or 0. A held replacement has the name of what it replaces.
  mutating func heldOrder(_ account: Slot, _ key: UInt16, _ nonce: UInt64, _ index: UInt16) -> Slot {
    var slot = accounts[account].firstHeld
    while slot != 0 {
      let order = held[slot]
      if order.key == key {
        let isReplace = order.operation.kind == .replace
        let isIt =
          isReplace
          ? order.operation.targetNonce == nonce && order.operation.targetIndex == index
          : order.nonce == nonce && order.index == index
        if isIt { return slot }
      }
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

  private mutating func place(
    held order: HeldOrder, _ attempt: Attempt, into output: inout OutputBuffer
  ) -> Answer {
    let origin = Origin(
      accountSlot: order.accountSlot, key: order.key, nonce: order.nonce, session: order.session,
      generation: order.generation, isTrade: order.isTrade, maximumFee: order.maximumFee)
    return withUnsafeBytes(of: order.operation) { bytes in
      guard let base = bytes.baseAddress else { return Answer(outcome: .malformed) }
      return place(OperationView(base), order.index, origin, attempt, into: &output)
    }
  }

  /// Looks again at the account's held orders, oldest first, after its ceiling was raised.
  mutating func retryHeld(_ account: Slot, into output: inout OutputBuffer) {
    var slot = accounts[account].firstHeld
    while slot != 0 {
      let order = held[slot]
      let answer = place(held: order, .again(slot), into: &output)
      if answer.outcome != .held { endHeld(slot, answer, into: &output) }
      slot = order.next
    }
  }

  /// Runs a held order as IOC under a charge of its own; false if it could not run.
  mutating func runGranted(_ slot: Slot, charge: Int64, into output: inout OutputBuffer) -> Bool {
    let order = held[slot]
    let account = order.accountSlot
    let (_, usedOverflow) = accounts[account].used.addingReportingOverflow(charge)
    let (_, ceilingOverflow) = accounts[account].ceiling.addingReportingOverflow(charge)
    if charge < 0 || usedOverflow || ceilingOverflow { return false }
    let answer = place(held: order, .granted(charge: charge), into: &output)
    endHeld(slot, answer, into: &output)
    return answer.outcome.isAccepted
  }

  /// Ends a held order: its stored answer changes from `held`, and its account hears of it.
  mutating func endHeld(_ slot: Slot, _ answer: Answer, into output: inout OutputBuffer) {
    let order = held[slot]
    let account = order.accountSlot
    if order.previous == 0 { accounts[account].firstHeld = order.next } else { held[order.previous].next = order.next }
    if order.next == 0 {
      accounts[account].lastHeld = order.previous
    } else {
      held[order.next].previous = order.previous
    }
    accounts[account].heldCount -= 1
    timedOrders -= 1
    hasLostTimer = true
    held[slot].isLive = false
    held.remove(slot)
    let record = nonces.find(account, order.key, order.nonce)
    if record != 0, nonces.records[record].sequence == order.sequence {
      nonces.setResult(record, Int(order.index), answer.outcome, filled: answer.filled)
    }
    let isReplace = order.operation.kind == .replace
    let name = OrderID(
      account: accounts[account].id, key: KeyID(order.key),
      nonce: isReplace ? order.operation.targetNonce : order.nonce,
      index: isReplace ? order.operation.targetIndex : order.index)
    let rests = answer.outcome == .resting || answer.outcome == .amended
    let open = rests ? openOrder(account, name.key.rawValue, name.nonce, name.index) : 0
    output.report(
      ExecutionReport(
        event: rests ? .accepted : .ended, shard: shard, sequence: sequence, stamp: now, order: name,
        instrument: order.operation.instrument, outcome: answer.outcome,
        remaining: Lots(open == 0 ? 0 : orders[open].lots)))
  }
}
