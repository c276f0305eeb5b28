import Bytes
import Machine
import Market

// What comes most, an action of one plain operation under a nonce that its account has never used, goes straight to its
// answer: everything is decided before anything changes, and its records are written in one go. Each way is a function
// of its own that is jumped to, so that none keeps another's values. `_fastPath` and `_slowPath` tell the compiler
// which way nearly all go: without them it spends many more instructions on keeping values for ways hardly ever taken.
extension ShardMachine {
  /// The track of a lone action's nonce if nothing speaks against the action before its operation is looked at; `nil`
  /// leaves it to `act`.
  @inline(__always) func admitAlone(
    _ action: SignedActionView, _ slot: Slot, _ account: UnsafeMutablePointer<Account>
  ) -> UnsafeMutablePointer<NonceTracks.Track>? {
    let left = UInt64(bitPattern: Int64(bitPattern: action.expiry) &- second)
    if _slowPath(slot <= Self.houseSlot) || _slowPath(!account.pointee.isPlain)
      || _slowPath(!action.isSigned(by: account)) || _slowPath(left > UInt64(bitPattern: signatureSeconds))
      || _slowPath(account.pointee.liveNonces >= openNonces) || _slowPath(nonces.isFull)
    {
      return nil
    }
    return nonces.trackOfNew(action.nonce, slot)
  }

  /// Leaves to `applyInFull` what is not as plain as it looked; nothing has changed yet.
  @inline(never) private mutating func fallBack(
    _ header: InputHeader, _ action: SignedActionView, into output: inout OutputBuffer
  ) { applyInFull(header, action.lonePayload, into: &output) }

  /// Places a new order.
  @inline(never) mutating func placeAlone(
    _ header: InputHeader, _ base: UnsafeRawPointer, _ account: UnsafeMutablePointer<Account>,
    _ track: UnsafeMutablePointer<NonceTracks.Track>, into output: inout OutputBuffer
  ) {
    let action = SignedActionView(lone: base)
    let operation = action.operation(0)
    let wishes =
      UInt64(bitPattern: operation.triggerPrice | operation.display) | operation.tail | operation.targetNonce
      | UInt64(operation.targetAndReserved)
    if _slowPath(wishes != 0) { return fallBack(header, action, into: &output) }
    // A plain account has no armed stops, and no order bears a nonce that was never used.
    guard let order = plainOrder(operation, operation.manner, account),
      _fastPath(covers(account, order.charge, releasing: 0)),
      _fastPath(account.pointee.openOrders < parameters.openOrdersPerAccount)
    else { return fallBack(header, action, into: &output) }
    let slot = accountIndex.findDense(action.account)
    if _slowPath(order.takes) {
      return takeAlone(
        action, slot, track, order.number, order.side, order.rank, order.lots, order.charge, into: &output)
    }
    _ = remember(action, action.contentOfLoneOrder, slot, account, track, .resting)
    account.pointee.reserved &+= order.charge
    acceptedOperations &+= 1
    let head = output.extend(by: Self.deltaRecordBytes + Self.loneReplyRecordBytes, records: 2)
    let hash = orderTable.hash(action.nonce, RestingOrder.owner(slot, Self.ownerKey, 0))
    rest(order, action.nonce, slot, 0, hash, account, at: head)
    writeReply(action, .resting, filled: 0, at: head + Self.deltaRecordBytes)
  }

  /// Cancels an order by its name.
  @inline(never) mutating func cancelAlone(
    _ header: InputHeader, _ base: UnsafeRawPointer, _ account: UnsafeMutablePointer<Account>,
    _ track: UnsafeMutablePointer<NonceTracks.Track>, into output: inout OutputBuffer
  ) {
    let action = SignedActionView(lone: base)
    let operation = action.operation(0)
    let wishes = operation.price | operation.quantity | operation.triggerPrice | operation.display
    if _slowPath(UInt64(bitPattern: wishes) | operation.tail | UInt64(operation.flags) != 0) {
      return fallBack(header, action, into: &output)
    }
    let slot = accountIndex.findDense(action.account)
    let (_, target) = target(of: operation, slot)
    if _slowPath(target.slot == 0) { return fallBack(header, action, into: &output) }
    let order = orders.base + Int(target.slot)
    let book = books.at(Int(order.pointee.book))
    if _slowPath(order.pointee.extra != 0) || _slowPath(book.pointee.instrument != operation.instrument) {
      return fallBack(header, action, into: &output)
    }
    _ = remember(action, action.contentOfLoneCancel, slot, account, track, .cancelled)
    acceptedOperations &+= 1
    let head = output.extend(by: Self.deltaRecordBytes + Self.loneReplyRecordBytes, records: 2)
    withdraw(order, target, book, account, at: head)
    writeReply(action, .cancelled, filled: 0, at: head + Self.deltaRecordBytes)
  }

  /// Replaces an order by one that rests or takes.
  @inline(never) mutating func replaceAlone(
    _ header: InputHeader, _ base: UnsafeRawPointer, _ account: UnsafeMutablePointer<Account>,
    _ track: UnsafeMutablePointer<NonceTracks.Track>, into output: inout OutputBuffer
  ) {
    let action = SignedActionView(lone: base)
    let operation = action.operation(0)
    let wishes = UInt64(bitPattern: operation.triggerPrice | operation.display) | operation.tail
    if _slowPath(wishes | UInt64(operation.reserved) != 0) { return fallBack(header, action, into: &output) }
    guard let order = plainOrder(operation, operation.manner, account) else {
      return fallBack(header, action, into: &output)
    }
    let slot = accountIndex.findDense(action.account)
    let (hash, target) = target(of: operation, slot)
    let replaced = orders.base + Int(target.slot)
    if _slowPath(order.takes) || _slowPath(!isReplaceable(replaced, target, by: order))
      || _slowPath(!covers(account, order.charge, releasing: replaced.pointee.reserved))
    {
      return performAlone(action, slot, track, into: &output)
    }
    _ = remember(action, action.contentHash, slot, account, track, .amended)
    acceptedOperations &+= 1
    let head = output.extend(by: 2 * Self.deltaRecordBytes + Self.loneReplyRecordBytes, records: 3)
    withdraw(replaced, target, order.book, account, at: head)
    account.pointee.reserved &+= order.charge
    rest(
      order, operation.targetNonce, slot, operation.targetIndex, hash, account, at: head + Self.deltaRecordBytes)
    writeReply(action, .amended, filled: 0, at: head + 2 * Self.deltaRecordBytes)
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

  @inline(never) private mutating func performAlone(
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
      if jobs.isEmpty { updateCalm() }
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
    if _slowPath(isFirst) { wake(at: Timestamp(forgetting: second)) }
    return record
  }
}
