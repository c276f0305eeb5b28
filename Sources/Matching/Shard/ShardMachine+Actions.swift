import Bytes
import Machine
import Market

extension ShardMachine {
  /// Answers one signed action. What refuses it before the nonce is looked at leaves the nonce free; whatever comes
  /// after is the answer to that nonce for as long as the signature lives.
  @inline(__always) mutating func act(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let action = SignedActionView(plain: payload, plainKey) ?? unusualAction(payload) else {
      refuseMalformed(payload, into: &output)
      return
    }
    let account = accountSlot(action.account)
    if account == 0 || !accounts[account].isOpen { return refuse(action, .unknownAccount, into: &output) }
    if action.key != 0 || !action.isSigned(by: accounts[account].owner) {
      return refuse(action, .wrongSigner, into: &output)
    }
    let second = nowSecond
    guard let expiry = Int64(exactly: action.expiry), expiry <= second &+ signatureSeconds else {
      return refuse(action, .expiryTooFar, into: &output)
    }
    if second > expiry { return refuse(action, .expired, into: &output) }

    let content = action.contentHash
    let hash = nonces.hash(account, action.key, action.nonce)
    var known = nonces.find(account, action.key, action.nonce, hash)
    #if NOVATION_PLANT
      if known != 0, faults.contains(.skipNonceDedupe), nonces.records[known].hash == content { known = 0 }
    #endif
    if known != 0 {
      if nonces.records[known].hash != content { return refuse(action, .nonceReused, into: &output) }
      return reply(action, known, isRepeated: true, into: &output)
    }
    let limit = parameters.liveNonces
    let live = accounts[account].liveNonces
    if nonces.isFull || live >= limit || live >= limit - limit / 16 && !isOnlyCancels(action) {
      return refuse(action, .tooManyLiveNonces, into: &output)
    }
    known = nonces.insert(
      NonceRecord(
        nonce: action.nonce, accountSlot: account, key: action.key, count: UInt16(action.count), hash: content,
        sequence: sequence, stamp: now, term: term),
      hash, expiring: expiry)
    accounts[account].liveNonces &+= 1
    wake(at: Timestamp(forgetting: expiry))

    let origin = Origin(
      accountSlot: account, key: action.key, isTrade: action.isTrade, nonce: action.nonce, session: action.session,
      generation: action.generation, maximumFee: action.maximumFee, sequence: sequence)
    if action.count > 1 || account == Self.houseSlot || action.operation(0).rawKind == OperationCode.quote {
      actOnEach(action, origin, known, into: &output)
    } else {
      let operation = action.operation(0)
      let answer: Answer
      if operation.rawKind == OperationCode.cancel {
        answer = cancelPlain(operation, origin, into: &output) ?? performAlone(operation, origin, into: &output)
      } else {
        answer = placePlain(operation, 0, origin, into: &output) ?? performAlone(operation, origin, into: &output)
      }
      if answer.outcome.isAccepted { acceptedOperations &+= 1 }
      nonces.setResult(known, 0, answer.outcome, filled: answer.filled)
      if !hasNewLast && jobs.isEmpty { return replyOnce(action, answer, into: &output) }
      goOn(into: &output)
    }
    // What has ended meanwhile is told as it ended.
    reply(action, known, isRepeated: false, into: &output)
  }

  /// An action that is not of the plainest kind; `nil` if it is none of this shard's.
  @inline(never) private func unusualAction(_ payload: UnsafeRawBufferPointer) -> SignedActionView? {
    guard let action = SignedActionView(payload), !action.isWithdrawal, action.underlying == underlying else {
      return nil
    }
    return action
  }

  @inline(never) private mutating func performAlone(
    _ operation: OperationView, _ origin: Origin, into output: inout OutputBuffer
  ) -> Answer { perform(operation, 0, origin, isSet: true, into: &output) }

  /// Several operations under one signature: in order, and behind the first that cannot end yet all others wait.
  @inline(never) private mutating func actOnEach(
    _ action: SignedActionView, _ origin: Origin, _ record: Slot, into output: inout OutputBuffer
  ) {
    let isHouse = origin.accountSlot == Self.houseSlot
    var mustWait = false
    var areQuotesOut = isHouse
    for index in 0..<action.count {
      let operation = action.operation(index)
      let answer: Answer
      if operation.rawKind == OperationCode.quote, !mustWait, !areQuotesOut {
        areQuotesOut = true
        clearQuotes(action, origin, into: &output)
      }
      if mustWait {
        answer = enqueue(operation, UInt16(index), origin, bookToWaitFor(operation))
      } else {
        answer =
          (isHouse
            ? nil
            : operation.rawKind == OperationCode.cancel
              ? cancelPlain(operation, origin, into: &output)
              : placePlain(operation, UInt16(index), origin, into: &output))
          ?? perform(operation, UInt16(index), origin, isSet: true, into: &output)
        mustWait = answer.outcome == .queued || answer.outcome == .sweeping
      }
      if answer.outcome.isAccepted { acceptedOperations &+= 1 }
      nonces.setResult(record, index, answer.outcome, filled: answer.filled)
      goOn(into: &output)
    }
  }

  /// The book that an operation is about, in whose line it would wait; `Job.everyBook` if it is about none.
  mutating func bookToWaitFor(_ operation: OperationView) -> UInt32 {
    switch operation.rawKind {
    case OperationCode.new, OperationCode.replace, OperationCode.amend, OperationCode.cancel, OperationCode.cancelAll,
      OperationCode.quote, OperationCode.tradingState:
      let (book, absent) = book(of: operation.instrument)
      return absent == nil ? UInt32(book) : Job.everyBook
    default: return Job.everyBook
    }
  }

  private func isOnlyCancels(_ action: SignedActionView) -> Bool {
    for index in 0..<action.count {
      let kind = action.operation(index).rawKind
      if kind != OperationCode.cancel && kind != OperationCode.cancelAll { return false }
    }
    return true
  }

  /// One operation, looked at in full; `isSet` where the old quotes of its action are out already, `isTakenUp` where
  /// its turn in the queue has come.
  mutating func perform(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, isSet: Bool = false, isTakenUp: Bool = false,
    isTriggered: Bool = false, into output: inout OutputBuffer
  ) -> Answer {
    let kind = operation.rawKind
    let isHouse = origin.accountSlot == Self.houseSlot
    let isOfHouse = kind == OperationCode.tradingState || kind == OperationCode.killSwitch
    if isHouse && !isOfHouse || !isHouse && kind == OperationCode.tradingState {
      return Answer(outcome: .notAuthorised)
    }
    switch kind {
    case OperationCode.new, OperationCode.replace, OperationCode.quote:
      let waited = bookToWaitFor(operation)
      if waited != Job.everyBook, !isTakenUp, books[Int(waited)].isBlocked {
        return enqueue(operation, index, origin, waited)
      }
      return kind == OperationCode.quote
        ? quote(operation, index, origin, isSet: isSet, into: &output)
        : place(operation, index, origin, .fresh, isTriggered: isTriggered, into: &output)
    case OperationCode.cancel: return cancel(operation, origin, into: &output)
    case OperationCode.amend: return amend(operation, origin, into: &output)
    case OperationCode.cancelAll: return cancelAll(operation, origin, into: &output)
    case OperationCode.protection: return setProtection(operation, origin)
    case OperationCode.resetProtection: return resetProtection(operation, origin)
    case OperationCode.deadMan: return setDeadMan(operation, origin)
    case OperationCode.killSwitch: return setKillSwitch(operation, origin, into: &output)
    case OperationCode.tradingState: return setTradingState(operation, into: &output)
    default: return Answer(outcome: .malformed)
    }
  }

  /// Whole seconds of the machine's time, divided out once a second.
  @inline(__always) private var nowSecond: Int64 {
    mutating get {
      if now.nanoseconds &- secondStart >= 1_000_000_000 {
        second = now.nanoseconds / 1_000_000_000
        secondStart = second &* 1_000_000_000
      }
      return second
    }
  }
}

extension Timestamp {
  /// When a signature that expires in `second` can be forgotten: as soon as a resend would be refused as expired.
  @inline(__always) init(forgetting second: Int64) {
    let (nanoseconds, overflow) = (second &+ 1).multipliedReportingOverflow(by: 1_000_000_000)
    self.init(nanoseconds: overflow || second == .max ? .max : nanoseconds)
  }
}
