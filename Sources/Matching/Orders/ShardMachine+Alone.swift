import Bytes
import Machine
import Market

// What comes most, an action of one plain operation under a nonce that its account has never used, goes straight to its
// answer: everything is decided before anything changes, and its records are written in one go.
extension ShardMachine {
  /// Answers such an action; false, with nothing done, leaves it to `act`. Nothing may be due before it.
  @inline(__always) mutating func actAlone(
    _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer
  ) -> Bool {
    guard let action = SignedActionView(lone: payload, plainKey) else { return false }
    let slot = accountIndex.findDense(action.account)
    if _slowPath(slot <= Self.houseSlot) { return false }
    let account = accounts.base + Int(slot)
    let left = UInt64(bitPattern: Int64(bitPattern: action.expiry) &- second)
    if _slowPath(!account.pointee.isPlain) || _slowPath(!action.isSigned(by: account))
      || _slowPath(left > UInt64(bitPattern: signatureSeconds))
      || _slowPath(account.pointee.liveNonces >= openNonces) || _slowPath(nonces.isFull)
    {
      return false
    }
    guard let track = nonces.trackOfNew(action.nonce, slot) else { return false }
    let operation = action.operation(0)
    let manner = operation.manner
    let kind = manner & ~OperationCode.plainManner
    if kind == UInt64(OperationCode.new) {
      return placeAlone(action, operation, manner, slot, account, track, into: &output)
    }
    if kind == UInt64(OperationCode.cancel), operation.flags == 0 {
      return cancelAlone(action, operation, slot, account, track, into: &output)
    }
    if kind == UInt64(OperationCode.replace) {
      replaceAlone(action, slot, track, into: &output)
      return true
    }
    return false
  }

  @inline(__always) private mutating func placeAlone(
    _ action: SignedActionView, _ operation: OperationView, _ manner: UInt64, _ slot: Slot,
    _ account: UnsafeMutablePointer<Account>, _ track: UnsafeMutablePointer<NonceTracks.Track>,
    into output: inout OutputBuffer
  ) -> Bool {
    let wishes =
      UInt64(bitPattern: operation.triggerPrice | operation.display) | operation.tail | operation.targetNonce
      | UInt64(operation.targetAndReserved)
    if _slowPath(wishes != 0) { return false }
    // A plain account has no armed stops, and no order bears a nonce that was never used.
    guard let order = plainOrder(operation, manner, account),
      _fastPath(covers(account, order.charge, releasing: 0)),
      _fastPath(account.pointee.openOrders < parameters.openOrdersPerAccount)
    else { return false }
    if _slowPath(order.takes) {
      takeAlone(action, slot, track, order.number, order.side, order.rank, order.lots, order.charge, into: &output)
      return true
    }
    _ = remember(action, action.contentOfLoneOrder, slot, account, track, .resting)
    account.pointee.reserved &+= order.charge
    acceptedOperations &+= 1
    let head = output.extend(by: Self.deltaRecordBytes + Self.loneReplyRecordBytes, records: 2)
    let hash = orderTable.hash(action.nonce, RestingOrder.owner(slot, Self.ownerKey, 0))
    rest(order, action.nonce, slot, 0, hash, account, at: head)
    writeReply(action, .resting, filled: 0, at: head + Self.deltaRecordBytes)
    return true
  }

  @inline(__always) private mutating func cancelAlone(
    _ action: SignedActionView, _ operation: OperationView, _ slot: Slot, _ account: UnsafeMutablePointer<Account>,
    _ track: UnsafeMutablePointer<NonceTracks.Track>, into output: inout OutputBuffer
  ) -> Bool {
    let wishes = operation.price | operation.quantity | operation.triggerPrice | operation.display
    if _slowPath(UInt64(bitPattern: wishes) | operation.tail != 0) { return false }
    let target = target(of: operation, slot)
    if _slowPath(target.slot == 0) { return false }
    let order = orders.base + Int(target.slot)
    let book = books.at(Int(order.pointee.book))
    if _slowPath(order.pointee.extra != 0) || _slowPath(book.pointee.instrument != operation.instrument) {
      return false
    }
    _ = remember(action, action.contentOfLoneCancel, slot, account, track, .cancelled)
    acceptedOperations &+= 1
    let head = output.extend(by: Self.deltaRecordBytes + Self.loneReplyRecordBytes, records: 2)
    withdraw(order, target, book, account, at: head)
    writeReply(action, .cancelled, filled: 0, at: head + Self.deltaRecordBytes)
    return true
  }

  @inline(never) private mutating func takeAlone(
    _ action: SignedActionView, _ slot: Slot, _ track: UnsafeMutablePointer<NonceTracks.Track>, _ book: Int,
    _ side: Side, _ rank: UInt32, _ lots: Int64, _ charge: Int64, into output: inout OutputBuffer
  ) {
    let account = accounts.base + Int(slot)
    let record = remember(action, action.contentOfLoneOrder, slot, account, track, .pending)
    account.pointee.reserved &+= charge
    budget = stepBound
    let answer = take(
      book, side, rank, lots, charge, action.operation(0), 0, action, slot, action.nonce, 0, into: &output)
    conclude(action, record, answer, into: &output)
  }

  @inline(never) private mutating func replaceAlone(
    _ action: SignedActionView, _ slot: Slot, _ track: UnsafeMutablePointer<NonceTracks.Track>,
    into output: inout OutputBuffer
  ) {
    let record = remember(action, action.contentHash, slot, accounts.base + Int(slot), track, .pending)
    budget = stepBound
    let operation = action.operation(0)
    let answer =
      placePlain(operation, 0, action, slot, into: &output)
      ?? perform(operation, 0, Origin(action, slot, sequence), into: &output)
    conclude(action, record, answer, into: &output)
  }

  /// Keeps and tells the answer to an action of one operation, and carries on with what it has started.
  @inline(__always) private mutating func conclude(
    _ action: SignedActionView, _ record: Slot, _ answer: Answer, into output: inout OutputBuffer
  ) {
    if answer.outcome.isAccepted { acceptedOperations &+= 1 }
    let known = nonces.records + Int(record)
    known.pointee.outcome = answer.outcome
    known.pointee.filled = answer.filled
    if _slowPath(hasNewLast || !jobs.isEmpty) {
      goOn(into: &output)
      // What has ended meanwhile is told as it ended.
      reply(action, record, isRepeated: false, into: &output)
      updateCalm()
    } else {
      writeReply(
        action, answer.outcome, filled: answer.filled, at: output.extend(by: Self.loneReplyRecordBytes, records: 1))
    }
    if _slowPath(hasLostTimer) {
      updateWakeup()
      updateCalm()
    }
  }

  /// Enters a lone action under the owner's key among the live nonces.
  @inline(__always) private mutating func remember(
    _ action: SignedActionView, _ content: UInt64, _ slot: Slot, _ account: UnsafeMutablePointer<Account>,
    _ track: UnsafeMutablePointer<NonceTracks.Track>, _ outcome: Outcome
  ) -> Slot {
    assert(content == action.contentHash)
    let second = Int64(bitPattern: action.expiry)
    let (record, isFirst) = nonces.insert(
      NonceRecord(
        nonce: action.nonce, accountSlot: slot, key: Self.ownerKey, count: 1, content: content, sequence: sequence,
        stamp: now, term: term, outcome: outcome),
      track, expiring: second)
    account.pointee.liveNonces &+= 1
    if _slowPath(isFirst) { wakeToForget(second) }
    return record
  }
  @inline(never) private mutating func wakeToForget(_ second: Int64) {
    wake(at: Timestamp(forgetting: second))
    updateCalm()
  }
}
