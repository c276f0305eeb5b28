import Bytes
import Machine
import Market

// Signed actions and the nonces they use up.
extension NaiveEngine {
  /// An input that is kept from it.
  mutating func passOver(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let input = QuarantinedInput(payload) else { return }
    if input.quarantine.kind == .action { act(input.payload, isPutAside: true, into: &output) }
    if input.quarantine.kind == .stream, header.source == .risk || header.source == .settlement {
      _ = streams.consume(from: header.source, first: header.firstNumber, count: header.count)
    }
  }

  mutating func act(
    _ payload: UnsafeRawBufferPointer, isPutAside: Bool = false, into output: inout OutputBuffer
  ) {
    var reader = ByteReader(payload)
    let header = SignedActionHeader(from: &reader)
    let size = SignedActionHeader.byteCount + Int(header.operationCount) * Market.Operation.byteCount
    if reader.hasFailed || payload.count != size || header.module == .withdrawal || header.underlying != underlying {
      return refuseMalformed(payload, into: &output)
    }
    let operations = (0..<header.operationCount).map { _ in Market.Operation(from: &reader) }
    func refuse(_ outcome: Outcome, _ output: inout OutputBuffer) {
      let results = [NaiveAnswer](repeating: NaiveAnswer(outcome: outcome), count: operations.count)
      reply(
        header.account, header.key, header.nonce, term, sequence, now, isRepeated: false, results, into: &output)
    }

    guard let account = accounts.firstIndex(where: { $0.id == header.account }), accounts[account].isOpen else {
      return refuse(.unknownAccount, &output)
    }
    let owner = accounts[account].owner
    if header.key != .owner || header.signer != owner || header.owner != owner { return refuse(.wrongSigner, &output) }
    let second = now.seconds
    let lifetime = parameters.signatureLifetime.nanoseconds / 1_000_000_000
    if Int128(header.expiry) > Int128(Int64.max) || Int128(header.expiry) > Int128(second) + Int128(lifetime) {
      return refuse(.expiryTooFar, &output)
    }
    if Int64(header.expiry) < second { return refuse(.expired, &output) }

    let content = Self.content(payload)
    let known = nonces.firstIndex {
      $0.nonce == header.nonce && $0.account == account && $0.key == header.key.rawValue
    }
    if let known {
      let record = nonces[known]
      if record.content != content { return refuse(.nonceReused, &output) }
      return reply(
        header.account, header.key, header.nonce, record.term, record.sequence, record.stamp, isRepeated: true,
        record.results, into: &output)
    }
    let live = nonces.count { $0.account == account }
    let limit = Int(parameters.liveNonces)
    let onlyCancels = operations.allSatisfy { $0.kind == .cancel || $0.kind == .cancelAll }
    if live >= limit || live >= limit - limit / 16 && !onlyCancels { return refuse(.tooManyLiveNonces, &output) }

    nonces.append(
      NaiveNonce(
        account: account, key: header.key.rawValue, nonce: header.nonce, content: content,
        expiry: Int64(header.expiry), sequence: sequence, stamp: now, term: term,
        results: operations.map { _ in NaiveAnswer(outcome: .pending) }))
    if isPutAside {
      let results = operations.map { _ in NaiveAnswer(outcome: .quarantined) }
      nonces[nonces.count - 1].results = results
      return reply(
        header.account, header.key, header.nonce, term, sequence, now, isRepeated: false, results, into: &output)
    }
    let tickets = operations.enumerated().map { place, operation in
      NaiveTicket(
        account: account, key: header.key.rawValue, nonce: header.nonce, index: UInt16(place), sequence: sequence,
        session: header.session, generation: header.sessionGeneration, isTrade: header.module == .trade,
        maximumFee: header.maximumFee.units, operation: operation)
    }
    perform(tickets, into: &output)
    if let record = nonces.last {
      reply(
        header.account, header.key, header.nonce, term, sequence, now, isRepeated: false, record.results,
        into: &output)
    }
  }

  /// Performs an action's operations in order; behind one that waits or sweeps, all wait.
  private mutating func perform(_ tickets: [NaiveTicket], into output: inout OutputBuffer) {
    var waits = false
    var quotesAreOut = false
    for (place, ticket) in tickets.enumerated() {
      if ticket.operation.kind == .quote, !waits, !quotesAreOut, ticket.account != 0 {
        quotesAreOut = true
        takeOutQuotes(tickets, into: &output)
      }
      let answer =
        waits ? enqueue(ticket) : perform(ticket, isSet: true, into: &output)
      if answer.outcome == .queued || answer.outcome == .sweeping { waits = true }
      if answer.outcome.isAccepted { acceptedOperations += 1 }
      nonces[nonces.count - 1].results[place] = answer
      goOn(into: &output)
    }
  }

  /// One operation; `isSet` where the old quotes of its action are out already.
  mutating func perform(
    _ ticket: NaiveTicket, isSet: Bool, isTakenUp: Bool = false, into output: inout OutputBuffer
  ) -> NaiveAnswer {
    let operation = ticket.operation
    if ticket.account == 0, operation.kind != .tradingState, operation.kind != .killSwitch {
      return NaiveAnswer(outcome: .notAuthorised)
    }
    switch operation.kind {
    case .new, .replace, .quote:
      if !isTakenUp, let book = book(of: operation.instrument).book, isBlocked(book) { return enqueue(ticket) }
      if operation.kind == .quote { return quote(ticket, isSet: isSet, into: &output) }
      return place(ticket, .fresh, into: &output)
    case .amend: return amend(ticket, into: &output)
    case .cancel: return cancel(ticket, into: &output)
    case .cancelAll: return cancelAll(ticket, into: &output)
    case .protection: return setProtection(ticket)
    case .resetProtection: return resetProtection(ticket)
    case .deadMan: return setDeadMan(ticket)
    case .killSwitch: return setKillSwitch(ticket, into: &output)
    case .tradingState: return setTradingState(ticket, into: &output)
    case .withdraw, nil: return NaiveAnswer(outcome: .malformed)
    }
  }

  /// The end of an operation whose answer was not final: the stored answer becomes it, unless that says `armed`, and a
  /// report tells it. An answer that is not final itself is only stored.
  mutating func conclude(
    _ ticket: NaiveTicket, _ name: NaiveName, _ answer: NaiveAnswer, stored: NaiveAnswer? = nil,
    into output: inout OutputBuffer
  ) {
    let record = nonces.firstIndex {
      $0.account == ticket.account && $0.key == ticket.key && $0.nonce == ticket.nonce && $0.sequence == ticket.sequence
    }
    if let record, nonces[record].results[Int(ticket.index)].outcome != .armed {
      nonces[record].results[Int(ticket.index)] = stored ?? answer
    }
    if !answer.isFinal { return }
    let rests = answer.outcome == .resting || answer.outcome == .amended
    let open = rests ? orders.first { $0.account == ticket.account && $0.name == name }?.lots ?? 0 : 0
    report(
      rests ? .accepted : .ended, ticket.account, name, ticket.operation.instrument, answer.outcome, remaining: open,
      into: &output)
  }

  /// 64 bits over what the signature covers: the header without signature and session, and the operations.
  private static func content(_ payload: UnsafeRawBufferPointer) -> UInt64 {
    func word(_ offset: Int) -> UInt64 {
      UInt64(littleEndian: payload.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    var salt: UInt64 = 0
    func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
      salt += 1
      let odd = salt &* 0xD6E8_FEB8_6659_FD93
      let product = (a ^ odd).multipliedFullWidth(by: b ^ (odd &+ 0xA076_1D64_78BD_642F))
      return product.high ^ product.low
    }
    let start = SignedActionHeader.byteCount
    let count = (payload.count - start) / Market.Operation.byteCount
    var sum = 0x9E37_79B9_7F4A_7C15 &+ UInt64(count)
    sum &+= fold(word(0) & ~0xFF00, word(8))
    for offset in [16, 32, 48] { sum &+= fold(word(offset), word(offset + 8)) }
    sum &+= fold(word(64), word(152))
    for offset in stride(from: start, to: payload.count, by: 16) { sum &+= fold(word(offset), word(offset + 8)) }
    return sum ^ sum >> 32
  }
}
