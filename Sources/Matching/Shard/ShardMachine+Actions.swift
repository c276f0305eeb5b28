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
    if action.key != KeyID.owner.rawValue || !action.isSigned(by: accounts[account].owner) {
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

  private func isOnlyCancels(_ action: SignedActionView) -> Bool {
    for index in 0..<action.count {
      let kind = action.operation(index).kind
      if kind != .cancel && kind != .cancelAll { return false }
    }
    return true
  }

  @inline(__always) private mutating func perform(
    _ operation: Operation, _ index: UInt16, _ origin: Origin, into output: inout OutputBuffer
  ) -> Answer {
    switch operation.kind {
    case .new, .replace: place(operation, index, origin, .fresh, into: &output)
    case .cancel: cancel(operation, origin, into: &output)
    case .amend: amend(operation, origin, into: &output)
    case .cancelAll: cancelAll(operation, origin, into: &output)
    case .withdraw, nil: Answer(outcome: .malformed)
    }
  }
}

// MARK: - Replies

extension ShardMachine {
  @inline(__always) private func writeHead(
    _ writer: inout ByteWriter, account: AccountID, key: UInt16, nonce: UInt64, _ term: Term,
    _ sequence: SequenceNumber, _ stamp: Timestamp, isRepeated: Bool, count: Int
  ) -> UnsafeMutableRawPointer {
    let head = writer.extend(by: 41 + count * ActionReply.Result.byteCount)
    head.storeBytes(of: id.rawValue.littleEndian, as: UInt32.self)
    head.storeBytes(of: account.rawValue.littleEndian, toByteOffset: 4, as: UInt32.self)
    head.storeBytes(of: key.littleEndian, toByteOffset: 8, as: UInt16.self)
    head.storeBytes(of: nonce.littleEndian, toByteOffset: 10, as: UInt64.self)
    head.storeBytes(of: term.rawValue.littleEndian, toByteOffset: 18, as: UInt32.self)
    head.storeBytes(of: sequence.rawValue.littleEndian, toByteOffset: 22, as: UInt64.self)
    head.storeBytes(of: stamp.nanoseconds.littleEndian, toByteOffset: 30, as: Int64.self)
    head.storeBytes(of: isRepeated ? 1 : 0, toByteOffset: 38, as: UInt8.self)
    head.storeBytes(of: UInt16(count).littleEndian, toByteOffset: 39, as: UInt16.self)
    return head + 41
  }

  /// The answer as remembered, with the place that it first had in the journal.
  private func reply(
    _ action: SignedActionView, _ record: Slot, isRepeated: Bool, into output: inout OutputBuffer
  ) {
    let first = nonces.records[record]
    output.reply(to: sequence) { writer in
      var place = writeHead(
        &writer, account: action.account, key: action.key, nonce: action.nonce, first.term, first.sequence,
        first.stamp, isRepeated: isRepeated, count: Int(first.count))
      nonces.forEachResult(record) { outcome, filled in
        place.storeBytes(of: outcome.rawValue.littleEndian, as: UInt16.self)
        place.storeBytes(of: filled.littleEndian, toByteOffset: 2, as: Int64.self)
        place += ActionReply.Result.byteCount
      }
    }
  }

  /// Refuses the whole action for one reason, without a trace in the nonces.
  private func refuse(_ action: SignedActionView, _ outcome: Outcome, into output: inout OutputBuffer) {
    refuse(
      account: action.account, key: action.key, nonce: action.nonce, count: action.count, outcome, into: &output)
  }

  private func refuse(
    account: AccountID, key: UInt16, nonce: UInt64, count: Int, _ outcome: Outcome, into output: inout OutputBuffer
  ) {
    output.reply(to: sequence) { writer in
      var place = writeHead(
        &writer, account: account, key: key, nonce: nonce, term, sequence, now, isRepeated: false, count: count)
      for _ in 0..<count {
        place.storeBytes(of: outcome.rawValue.littleEndian, as: UInt16.self)
        place.storeBytes(of: 0, toByteOffset: 2, as: Int64.self)
        place += ActionReply.Result.byteCount
      }
    }
  }

  /// Answers bytes that are no action of this shard's, as far as they name a nonce.
  private func refuseMalformed(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    var reader = ByteReader(payload)
    _ = reader.u16()
    let count = Int(reader.u16())
    let account = AccountID(from: &reader)
    let nonce = reader.u64()
    _ = reader.u64()
    let key = reader.u16()
    let isPlausible = count >= 1 && count <= SignedActionHeader.maximumOperations
    refuse(
      account: account, key: key, nonce: nonce, count: isPlausible ? count : 1, .malformed, into: &output)
  }
}

extension Timestamp {
  /// When a signature that expires in `second` can be forgotten: as soon as a resend would be refused as expired.
  init(forgetting second: Int64) {
    let (nanoseconds, overflow) = (second &+ 1).multipliedReportingOverflow(by: 1_000_000_000)
    self.init(nanoseconds: overflow || second == .max ? .max : nanoseconds)
  }
}
