import Bytes
import Machine
import Market

extension Outcome {
  /// Whether another answer follows.
  var isDeferred: Bool { self == .held || self == .armed || self == .queued || self == .sweeping }
}

// What ends later than its action was answered: orders that are held, armed, queued or sweeping.
extension ShardMachine {
  /// Gives a deferred operation its end: the stored answer (which stays `armed` for a stop), and a report to its
  /// account. Where the order is one side of a quote, `stored` is what the quote comes to.
  mutating func conclude(
    _ deferral: Deferral, _ answer: Answer, stored: Answer? = nil, into output: inout OutputBuffer
  ) {
    let origin = deferral.origin
    let record = nonces.find(origin.accountSlot, origin.key, origin.nonce)
    if record != 0, nonces.records[Int(record)].sequence == origin.sequence,
      nonces.outcome(record, Int(deferral.index)) != .armed
    {
      let stored = stored ?? answer
      nonces.setResult(record, Int(deferral.index), stored.outcome, filled: stored.filled)
    }
    if answer.outcome.isDeferred { return }
    let name = OrderID(
      account: accounts[origin.accountSlot].id, key: KeyID(origin.key), nonce: deferral.nameNonce,
      index: deferral.nameIndex)
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

  /// Whether a deferred order, other than that held one, has the name.
  mutating func isDeferred(
    _ account: Slot, _ key: UInt16, _ nonce: UInt64, _ index: UInt16, except slot: Slot
  ) -> Bool {
    if armedStop(account, key, nonce, index) != 0 || sweeping(account, key, nonce, index) != nil { return true }
    var waiting = accounts[account].firstHeld
    while waiting != 0 {
      if waiting != slot, held[waiting].deferral.isNamed(key, nonce, index) { return true }
      waiting = held[waiting].next
    }
    waiting = accounts[account].firstQueued
    while waiting != 0 {
      if queue[waiting].deferral.places(key, nonce, index) { return true }
      waiting = queue[waiting].nextOwn
    }
    return false
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
    func isMeant(_ deferral: Deferral, _ clientID: UInt64) -> Bool {
      if deferral.origin.accountSlot != account || deferral.operation.instrument != instrument { return false }
      return byClientID ? clientID != 0 && clientID == nonce : deferral.isNamed(origin.key, nonce, index)
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
      if isMeant(held[waiting].deferral, clientID(ofHeld: held[waiting].deferral)) {
        endHeld(waiting, Answer(outcome: .cancelled), into: &output)
        isFound = true
      }
      waiting = next
    }
    waiting = accounts[account].firstQueued
    while waiting != 0 {
      let next = queue[waiting].nextOwn
      let deferral = queue[waiting].deferral
      if deferral.isOrder, byClientID || deferral.knowsItsName, isMeant(deferral.asNamed, deferral.queuedClientID) {
        dequeue(waiting, .cancelled, into: &output)
        isFound = true
      }
      waiting = next
    }
    for slot in sweepSlots where isMeant(sweeps[slot].deferral, sweeps[slot].candidate.clientID) {
      endSweep(slot, because: .cancelled, into: &output)
      isFound = true
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

extension ShardMachine {
  /// The client id under which a held order goes: its own, or that of the order that it replaces.
  func clientID(ofHeld deferral: Deferral) -> UInt64 {
    if deferral.operation.rawKind == OperationCode.new { return deferral.operation.targetNonce }
    let slot = openOrder(
      deferral.origin.accountSlot, deferral.origin.key, deferral.nameNonce, deferral.nameIndex)
    return slot == 0 || orders[slot].extra == 0 ? 0 : extras[orders[slot].extra].clientID
  }
}

extension Deferral {
  /// Whether it would place an order: a new one, a replacement or a quote.
  var isOrder: Bool {
    operation.rawKind == OperationCode.new || operation.rawKind == OperationCode.replace
      || operation.rawKind == OperationCode.quote
  }
  /// Whether its order goes by that name.
  func isNamed(_ key: UInt16, _ nonce: UInt64, _ index: UInt16) -> Bool {
    origin.key == key && nameNonce == nonce && nameIndex == index
  }

  // Of an operation in the queue, which has not been looked at:
  /// Whether the name of its order is known: a replacement by client id will only find it.
  var knowsItsName: Bool {
    operation.rawKind != OperationCode.replace || !operation.flags.contains(.byClientID)
  }
  /// The same under the name of its target, if it names one.
  var asNamed: Deferral {
    var named = self
    let hasTarget =
      operation.rawKind == OperationCode.replace || operation.rawKind == OperationCode.amend
      || operation.rawKind == OperationCode.cancel
    if hasTarget, !operation.flags.contains(.byClientID) {
      named.nameNonce = operation.targetNonce
      named.nameIndex = operation.targetIndex
    }
    return named
  }
  var queuedClientID: UInt64 {
    if operation.rawKind == OperationCode.quote { return 0 }
    return operation.rawKind == OperationCode.new || operation.flags.contains(.byClientID) ? operation.targetNonce : 0
  }
  /// Whether it is about to place an order of that name.
  func places(_ key: UInt16, _ nonce: UInt64, _ index: UInt16) -> Bool {
    switch operation.rawKind {
    case OperationCode.new: isNamed(key, nonce, index)
    case OperationCode.replace: knowsItsName && asNamed.isNamed(key, nonce, index)
    case OperationCode.quote: isNamed(key, nonce, index & ~Operation.askIndexBit)
    default: false
    }
  }
}
