import Bytes
import Machine
import Market

/// Whose operation it is, and under which action it stands.
struct Origin: BitwiseCopyable {
  var accountSlot: Slot
  var key: UInt16
  var nonce: UInt64
  var session: UInt64
  var generation: UInt64
  /// A single trade in Derive's form, whose signer bounds the fee.
  var isTrade: Bool
  /// Per unit of quantity, USD.
  var maximumFee: Int64
}

/// How an operation ended.
struct Answer: BitwiseCopyable {
  var outcome: Outcome
  var filled: Int64 = 0
}

extension ShardMachine {
  /// Answers one signed action. What refuses it before the nonce is looked at leaves the nonce free; whatever comes
  /// after is the answer to that nonce for as long as the signature lives.
  mutating func act(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let action = SignedActionView(payload), !action.isWithdrawal, action.underlying == underlying else {
      refuseMalformed(payload, into: &output)
      return
    }
    let account = accountSlot(action.account)
    if account == 0 || !accounts[account].isOpen { return refuse(action, .unknownAccount, into: &output) }
    if action.key != 0 || !action.isSigned(by: accounts[account].owner) {
      return refuse(action, .wrongSigner, into: &output)
    }
    let second = now.seconds
    let (latest, unbounded) = second.addingReportingOverflow(parameters.signatureLifetime.nanoseconds / 1_000_000_000)
    guard let expiry = Int64(exactly: action.expiry), unbounded || expiry <= latest else {
      return refuse(action, .expiryTooFar, into: &output)
    }
    if second > expiry { return refuse(action, .expired, into: &output) }

    let hash = action.contentHash
    var known = nonces.find(account, action.key, action.nonce)
    #if NOVATION_PLANT
      if known != 0, faults.contains(.skipNonceDedupe), nonces.records[known].hash == hash { known = 0 }
    #endif
    if known != 0 {
      if nonces.records[known].hash != hash { return refuse(action, .nonceReused, into: &output) }
      return reply(action, known, isRepeated: true, into: &output)
    }
    let limit = parameters.liveNonces
    let live = accounts[account].liveNonces
    if nonces.isFull || live >= limit || live >= limit - limit / 16 && !isOnlyCancels(action) {
      return refuse(action, .tooManyLiveNonces, into: &output)
    }
    known = nonces.insert(
      NonceRecord(
        nonce: action.nonce, accountSlot: account, key: action.key, count: UInt16(action.count), hash: hash,
        sequence: sequence, stamp: now, term: term),
      expiring: expiry)
    accounts[account].liveNonces &+= 1
    wake(at: Timestamp(forgetting: expiry))

    let origin = Origin(
      accountSlot: account, key: action.key, nonce: action.nonce, session: action.session,
      generation: action.generation, isTrade: action.isTrade, maximumFee: action.maximumFee)
    for index in 0..<action.count {
      let answer = perform(action.operation(index), UInt16(index), origin, into: &output)
      if answer.outcome.isAccepted { acceptedOperations &+= 1 }
      nonces.setResult(known, index, answer.outcome, filled: answer.filled)
    }
    reply(action, known, isRepeated: false, into: &output)
  }

  private mutating func isOnlyCancels(_ action: SignedActionView) -> Bool {
    for index in 0..<action.count {
      let kind = action.operation(index).rawKind
      if kind != OperationCode.cancel && kind != OperationCode.cancelAll { return false }
    }
    return true
  }

  @inline(__always) private mutating func perform(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, into output: inout OutputBuffer
  ) -> Answer {
    switch operation.rawKind {
    case OperationCode.new, OperationCode.replace: place(operation, index, origin, .fresh, into: &output)
    case OperationCode.cancel: cancel(operation, origin, into: &output)
    case OperationCode.amend: amend(operation, origin, into: &output)
    case OperationCode.cancelAll: cancelAll(operation, origin, into: &output)
    default: Answer(outcome: .malformed)
    }
  }
}

extension Timestamp {
  /// When a signature that expires in `second` can be forgotten: as soon as a resend would be refused as expired.
  init(forgetting second: Int64) {
    let (nanoseconds, overflow) = (second &+ 1).multipliedReportingOverflow(by: 1_000_000_000)
    self.init(nanoseconds: overflow || second == .max ? .max : nanoseconds)
  }
}
