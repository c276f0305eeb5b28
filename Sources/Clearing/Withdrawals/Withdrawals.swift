import Bytes
import Machine
import Market

// Withdrawals: signed by the account's owner, granted whole or refused.
extension RiskMachine {
  /// One signed action, or the operator's listing. What cannot even be read as one has no one to be answered to.
  ///
  /// - Parameter isPutAside: it is in quarantine: a withdrawal only spends its nonce, a listing is refused.
  mutating func act(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, isPutAside: Bool = false, into output: inout OutputBuffer
  ) {
    if SignedListing.isMeant(by: payload) {
      list(header, payload, isPutAside: isPutAside, into: &output)
      return
    }
    var reader = ByteReader(payload)
    let action = SignedActionHeader(from: &reader)
    guard !reader.hasFailed else {
      refusals &+= 1
      return
    }
    let operation = reader.bytes(Operation.byteCount)
    let isWhole = reader.isExhausted && operation.count == Operation.byteCount
    var entry = NonceBook.Entry(
      nonce: action.nonce, hash: isWhole ? Self.hash(action, operation) : 0, expiry: action.expiry,
      term: header.term, sequence: header.sequence, stamp: now, outcome: .malformed)
    guard action.module == .withdrawal, isWhole else {
      reply(action, entry, isRepeated: false, to: header, into: &output)
      return
    }
    if let refusal = refusal(of: action) {
      entry.outcome = refusal
      reply(action, entry, isRepeated: false, to: header, into: &output)
      return
    }
    guard let slot = book.slot(of: action.account) else { return }
    let stamp = now
    book.change(slot) { $0.nonces.forget(before: stamp) }
    if let known = book[slot].nonces[action.nonce] {
      if known.hash == entry.hash {
        reply(action, known, isRepeated: true, to: header, into: &output)
      } else {
        entry.outcome = .nonceReused
        reply(action, entry, isRepeated: false, to: header, into: &output)
      }
      return
    }
    guard book[slot].nonces.entries.count < Int(parameters.liveNonces) else {
      entry.outcome = .tooManyLiveNonces
      reply(action, entry, isRepeated: false, to: header, into: &output)
      return
    }
    entry.outcome =
      isPutAside ? .quarantined : request(try? Withdrawal(decoding: operation), nonce: action.nonce, slot)
    book.change(slot) { $0.nonces.add(entry) }
    if entry.outcome == .pending {
      timers.add(
        .withdrawal, at: now + max(.milliseconds(0), parameters.withdrawalTimeout), account: action.account,
        reference: action.nonce)
      decideWithdrawals(slot, recalling: true, into: &output)
    }
    reply(action, book[slot].nonces[action.nonce] ?? entry, isRepeated: false, to: header, into: &output)
  }

  /// Refusals that leave the nonce unused: they hold for whoever sent it, not for the account.
  private func refusal(of action: SignedActionHeader) -> Outcome? {
    guard let slot = book.slot(of: action.account), action.account != .house else { return .unknownAccount }
    let owner = book[slot].owner
    guard action.key == .owner, action.signer == owner, action.owner == owner else { return .wrongSigner }
    if SignatureAge.isExpired(action.expiry, at: now) { return .expired }
    if SignatureAge.isTooFar(action.expiry, at: now, lifetime: parameters.signatureLifetime) { return .expiryTooFar }
    return nil
  }

  /// Queues the withdrawal, or says why not.
  private mutating func request(_ withdrawal: Withdrawal?, nonce: UInt64, _ slot: Int) -> Outcome {
    guard let withdrawal else { return .malformed }
    let currency = Int(withdrawal.currency.rawValue)
    guard currency < board.definition.currencies.count else { return .unknownCurrency }
    guard withdrawal.amount > .zero, withdrawal.amount.units <= RiskLimits.amount else { return .quantityOutOfRange }
    if book[slot].isFrozen { return .accountFrozen }
    guard isBacked(withdrawal.amount.units, currency: currency, slot) else { return .insufficientFunds }
    book.change(slot) {
      $0.withdrawals.append(
        PendingWithdrawal(
          nonce: nonce, currency: withdrawal.currency, amount: withdrawal.amount.units,
          recipient: withdrawal.recipient))
    }
    return .pending
  }

  /// The account's own positive ledger and the vault hold as much.
  private func isBacked(_ amount: Int64, currency: Int, _ slot: Int) -> Bool {
    #if NOVATION_PLANT
      if faults.contains(.grantUnbacked) { return true }
    #endif
    return amount <= book[slot].ledger[currency] && amount <= ledgers.vault[currency]
  }

  /// Grants what has become possible, refuses what cannot become so, in order of arrival; the rest goes on waiting, and
  /// asks for ceilings back if `recalling`: not on a shard's answer to the last recall, or the two would never end.
  mutating func decideWithdrawals(_ slot: Int, recalling: Bool, into output: inout OutputBuffer) {
    guard !book[slot].isFrozen else { return }
    for withdrawal in book[slot].withdrawals {
      guard isBacked(withdrawal.amount, currency: Int(withdrawal.currency.rawValue), slot) else {
        conclude(slot, withdrawal, .insufficientFunds)
        continue
      }
      guard let left = freeAfter(withdrawal, of: slot) else { return }
      if left < 0 {
        conclude(slot, withdrawal, .insufficientFunds)
      } else if book[slot].outstanding <= left {
        pay(slot, withdrawal)
      } else {
        if recalling { recall(slot, excess: book[slot].outstanding - left, force: false, into: &output) }
        return
      }
    }
  }

  /// What would be free for ceilings once the withdrawal has left, by its value and by the margin that its coins
  /// carried; `nil` if that cannot be measured.
  private mutating func freeAfter(_ withdrawal: PendingWithdrawal, of slot: Int) -> Int128? {
    #if NOVATION_PLANT
      if faults.contains(.grantUnbacked) { return .max }
    #endif
    let index = board.index(of: Int(withdrawal.currency.rawValue))
    guard index > 0, let before = standing(of: slot) else { return nil }
    var account = book[slot]
    account.ledger[Int(withdrawal.currency.rawValue)] -= withdrawal.amount
    account.invalidate()
    guard let after = board.standing(of: &account, sums: &sums) else { return nil }
    let value = (Int128(withdrawal.amount) * Int128(index)).ceiledQuotient(by: Int128(fixedPointScale))
    return min(Int128(before.free.units) - value, Int128(after.free.units))
  }

  private mutating func pay(_ slot: Int, _ withdrawal: PendingWithdrawal) {
    let currency = Int(withdrawal.currency.rawValue)
    move(slot, currency: currency, by: -withdrawal.amount)
    ledgers.vault[currency] -= min(withdrawal.amount, ledgers.vault[currency])
    ledgers.record(book[slot].id, withdrawal)
    conclude(slot, withdrawal, .filled)
  }

  private mutating func conclude(_ slot: Int, _ withdrawal: PendingWithdrawal, _ outcome: Outcome) {
    book.change(slot) { account in
      account.withdrawals.removeAll { $0.nonce == withdrawal.nonce }
      account.nonces.settle(withdrawal.nonce, outcome: outcome)
      account.isExhausted = false
    }
  }

  mutating func timeOutWithdrawal(_ slot: Int, nonce: UInt64, into output: inout OutputBuffer) {
    decideWithdrawals(slot, recalling: false, into: &output)
    guard let withdrawal = book[slot].withdrawals.first(where: { $0.nonce == nonce }) else { return }
    conclude(slot, withdrawal, .withdrawalTimeout)
    queueReview(slot)
  }

  mutating func refuseAllWithdrawals(_ slot: Int, _ outcome: Outcome) {
    for withdrawal in book[slot].withdrawals { conclude(slot, withdrawal, outcome) }
  }

  /// Over every signed field: an action signed again is the same action.
  private static func hash(_ action: SignedActionHeader, _ operation: UnsafeRawBufferPointer) -> UInt64 {
    var writer = ByteWriter()
    writer.u8(action.module.rawValue)
    action.account.write(to: &writer)
    writer.u64(action.nonce)
    writer.u64(action.expiry)
    action.key.write(to: &writer)
    action.signer.write(to: &writer)
    action.owner.write(to: &writer)
    writer.bytes(operation)
    var hasher = StateHasher()
    hasher.combine(writer.bytes)
    return hasher.value
  }

  private func reply(
    _ action: SignedActionHeader, _ entry: NonceBook.Entry, isRepeated: Bool, to header: InputHeader,
    into output: inout OutputBuffer
  ) {
    let reply = ActionReply(
      machine: id, account: action.account, key: action.key, nonce: action.nonce, term: entry.term,
      sequence: entry.sequence, stamp: entry.stamp, isRepeated: isRepeated,
      results: [.init(outcome: entry.outcome)])
    output.reply(reply, to: header.sequence)
  }
}
