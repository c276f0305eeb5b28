import Bytes
import Machine
import Market

extension ShardMachine {
  /// Every signed action is the owner's own: session keys are not admitted yet.
  static let ownerKey: UInt16 = 0

  /// Answers one signed action. What refuses it before the nonce is looked at leaves the nonce free; whatever comes
  /// after is the answer to that nonce for as long as the signature lives.
  ///
  /// - Parameter isPutAside: the action is in quarantine: it only spends its nonce.
  @inline(never) mutating func act(
    _ payload: UnsafeRawBufferPointer, isPutAside: Bool = false, into output: inout OutputBuffer
  ) {
    guard let action = SignedActionView(payload), !action.isWithdrawal, action.underlying == underlying else {
      refuseMalformed(payload, into: &output)
      return
    }
    let slot = accountSlot(action.account)
    if slot == 0 || !accounts[slot].isOpen { return refuse(action, .unknownAccount, into: &output) }
    let account = accounts.base + Int(slot)
    if action.key != Self.ownerKey || !action.isSigned(by: account) {
      return refuse(action, .wrongSigner, into: &output)
    }
    let second = nowSecond
    guard let expiry = Int64(exactly: action.expiry), expiry <= second &+ signatureSeconds else {
      return refuse(action, .expiryTooFar, into: &output)
    }
    if second > expiry { return refuse(action, .expired, into: &output) }

    var known = nonces.find(slot, action.key, action.nonce)
    let isResent = known != 0 && nonces.records[Int(known)].content == action.contentHash
    #if NOVATION_PLANT
      if isResent, faults.contains(.skipNonceDedupe) { known = 0 }
    #endif
    if known != 0 {
      if !isResent { return refuse(action, .nonceReused, into: &output) }
      return reply(action, known, isRepeated: true, into: &output)
    }
    let live = account.pointee.liveNonces
    if nonces.isFull || live >= parameters.liveNonces || live >= openNonces && !isOnlyCancels(action) {
      return refuse(action, .tooManyLiveNonces, into: &output)
    }
    known = remember(action, slot, account, expiring: expiry)
    if isPutAside {
      for index in 0..<action.count { nonces.setResult(known, index, .quarantined, filled: 0) }
    } else {
      actOnEach(action, Origin(action, slot, sequence), known, into: &output)
    }
    // What has ended meanwhile is told as it ended.
    reply(action, known, isRepeated: false, into: &output)
  }

  /// Enters an action among the live nonces, its results pending.
  private mutating func remember(
    _ action: SignedActionView, _ slot: Slot, _ account: UnsafeMutablePointer<Account>,
    expiring second: Int64
  ) -> Slot {
    let (record, isFirst) = nonces.insert(
      NonceRecord(
        nonce: action.nonce, accountSlot: slot, key: Self.ownerKey, count: UInt16(truncatingIfNeeded: action.count),
        content: action.contentHash, sequence: sequence, stamp: now, term: term),
      expiring: second)
    account.pointee.liveNonces &+= 1
    if isFirst { wake(at: Timestamp(forgetting: second)) }
    return record
  }

  @inline(never) private mutating func performPlain(
    _ operation: OperationView, _ index: Int, _ action: SignedActionView, _ slot: Slot, into output: inout OutputBuffer
  ) -> Answer? {
    operation.rawKind == OperationCode.cancel
      ? cancelPlain(operation, slot, into: &output)
      : placePlain(operation, UInt16(truncatingIfNeeded: index), action, slot, into: &output)
  }

  /// The operations under one signature: in order, and behind the first that cannot end yet all others wait.
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
          (isHouse || action.isTrade ? nil : performPlain(operation, index, action, origin.accountSlot, into: &output))
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
      startSecond()
      return second
    }
  }
  /// Divides the time out once more where its second has changed.
  mutating func startSecond() {
    if now.nanoseconds < secondEnd { return }
    second = now.nanoseconds / 1_000_000_000
    secondEnd = (second &+ 1) &* 1_000_000_000
  }
}

extension Timestamp {
  /// When a signature that expires in `second` can be forgotten: as soon as a resend would be refused as expired.
  @inline(__always) init(forgetting second: Int64) {
    let (nanoseconds, overflow) = (second &+ 1).multipliedReportingOverflow(by: 1_000_000_000)
    self.init(nanoseconds: overflow || second == .max ? .max : nanoseconds)
  }
}
