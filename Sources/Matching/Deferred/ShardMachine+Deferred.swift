import Bytes
import Machine
import Market

extension Outcome {
  /// Whether another answer follows.
  var isDeferred: Bool { self == .held || self == .armed || self == .queued || self == .sweeping }
}

extension OperationView {
  /// The operation as it is kept for later: a replacement by client id under its target's name, a stop as what it
  /// becomes when it is triggered.
  func copy(naming candidate: Candidate) -> Operation {
    var operation = base.loadUnaligned(as: Operation.self)
    if isReplace {
      operation.targetNonce = candidate.nonce
      operation.targetIndex = candidate.index
      operation.flags.remove(.byClientID)
    }
    if isStop {
      operation.rawType = isMarket ? OperationCode.market : 0
      operation.triggerSource = 0
      operation.triggerPrice = .zero
      if isMarket, rawTimeInForce >= OperationCode.goodTillDate {
        operation.rawTimeInForce = 0
        operation.expiry = 0
      }
    }
    return operation
  }
}

// What ends later than its action was answered: orders that are held, armed, queued or sweeping.
extension ShardMachine {
  /// Gives a deferred operation its end: the stored answer, and a report to its account.
  mutating func conclude(_ deferral: Deferral, _ answer: Answer, into output: inout OutputBuffer) {
    let origin = deferral.origin
    let record = nonces.find(origin.accountSlot, origin.key, origin.nonce)
    if record != 0, nonces.records[record].sequence == origin.sequence {
      // Both sides of a quote share the result of its operation.
      nonces.setResult(record, Int(deferral.index & ~Operation.askIndexBit), answer.outcome, filled: answer.filled)
    }
    if answer.outcome.isDeferred { return }
    let (nonce, index) = deferral.name
    let name = OrderID(
      account: accounts[origin.accountSlot].id, key: KeyID(origin.key), nonce: nonce, index: index)
    tell(name, deferral.operation.instrument, answer, into: &output)
  }

  /// Tells an account how one of its orders has ended, or that it rests.
  mutating func tell(_ name: OrderID, _ book: Int, _ answer: Answer, into output: inout OutputBuffer) {
    tell(name, books[book].instrument, answer, into: &output)
  }
  mutating func tell(
    _ name: OrderID, _ instrument: InstrumentID, _ answer: Answer, into output: inout OutputBuffer
  ) {
    let rests = answer.outcome == .resting || answer.outcome == .amended
    let account = accountSlot(name.account)
    let open = rests ? openOrder(account, name.key.rawValue, name.nonce, name.index) : 0
    report(
      rests ? .accepted : .ended, answer.outcome, name, instrument,
      remaining: open == 0 ? 0 : openLots(orders[open]), into: &output)
  }

  /// Whether a deferred order has that name.
  mutating func isDeferred(
    _ account: Slot, _ key: UInt16, _ nonce: UInt64, _ index: UInt16, _ attempt: Attempt
  ) -> Bool {
    if armedStop(account, key, nonce, index) != 0 { return true }
    guard case .fresh = attempt else { return false }
    return heldOrder(account, key, nonce, index) != 0 || sweeping(account, key, nonce, index) != nil
  }

  func armedStop(_ account: Slot, _ key: UInt16, _ nonce: UInt64, _ index: UInt16) -> Slot {
    let base = stops.base
    let owner = RestingOrder.owner(account, key, index)
    return stopTable.find(stopTable.hash(nonce, owner)) {
      let deferral = base[Int($0)].deferral
      return deferral.origin.nonce == nonce
        && RestingOrder.owner(deferral.origin.accountSlot, deferral.origin.key, deferral.index) == owner
    }
  }
  func armedStop(_ account: Slot, clientID: UInt64) -> Slot {
    if clientID == 0 { return 0 }
    let extra = clientSlot(account, clientID)
    return extra == 0 ? 0 : extras[extra].stop
  }

  /// Cancels what waits under the operation's target; false if nothing does.
  mutating func cancelDeferred(
    _ operation: OperationView, _ origin: Origin, _ byClientID: Bool, into output: inout OutputBuffer
  ) -> Bool {
    let account = origin.accountSlot
    let nonce = operation.targetNonce
    let index = operation.targetIndex
    let instrument = operation.instrument
    func isMeant(_ deferral: Deferral) -> Bool {
      if deferral.origin.accountSlot != account || deferral.operation.instrument != instrument { return false }
      if byClientID { return nonce != 0 && deferral.clientID == nonce }
      return deferral.origin.key == origin.key && deferral.name == (nonce, index)
    }
    var isFound = false
    let stop = byClientID ? armedStop(account, clientID: nonce) : armedStop(account, origin.key, nonce, index)
    if stop != 0, stops[stop].deferral.operation.instrument == instrument {
      let deferral = stops[stop].deferral
      dropStop(stop)
      conclude(stop: deferral, .cancelled, into: &output)
      isFound = true
    }
    var waiting = accounts[account].firstHeld
    while waiting != 0 {
      let next = held[waiting].next
      if isMeant(held[waiting].deferral) {
        endHeld(waiting, Answer(outcome: .cancelled), into: &output)
        isFound = true
      }
      waiting = next
    }
    waiting = firstQueued
    while waiting != 0 {
      let next = queue[waiting].next
      if queue[waiting].deferral.isOrder, isMeant(queue[waiting].deferral) {
        dequeue(waiting, .cancelled, into: &output)
        isFound = true
      }
      waiting = next
    }
    for slot in sweepSlots where isMeant(sweeps[slot].deferral) && sweeps[slot].liquidation == 0 {
      endSweep(slot, because: .cancelled, into: &output)
      isFound = true
      break
    }
    return isFound
  }

  /// A stop's stored answer stays `armed`; its account hears of its end.
  mutating func conclude(stop deferral: Deferral, _ outcome: Outcome, into output: inout OutputBuffer) {
    let name = OrderID(
      account: accounts[deferral.origin.accountSlot].id, key: KeyID(deferral.origin.key),
      nonce: deferral.origin.nonce, index: deferral.index)
    report(.ended, outcome, name, deferral.operation.instrument, into: &output)
  }
}

extension Deferral {
  /// Whether it would place an order: a new one, a replacement or a quote.
  var isOrder: Bool {
    operation.rawKind == OperationCode.new || operation.rawKind == OperationCode.replace
      || operation.rawKind == OperationCode.quote
  }
}
