import Bytes
import Machine
import Market

// How inputs reach the capability that decides about them.
extension RiskMachine {
  mutating func consume(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer
  ) {
    guard advance(header) else { return }
    let shard = header.source.shard.map { Int($0.rawValue) }
    var messages = StreamMessages(header, payload)
    while var message = messages.next() {
      let taken =
        if let shard {
          consume(message.kind, &message.body, from: shard, into: &output)
        } else {
          consumeSettlement(message.kind, &message.body, into: &output)
        }
      if !taken { refusals &+= 1 }
    }
    if !messages.isExhausted { refusals &+= 1 }
  }

  /// Counts the messages as consumed if they are the next ones of a machine that it listens to.
  private mutating func advance(_ header: InputHeader) -> Bool {
    let shard = header.source.shard.map { Int($0.rawValue) }
    let isKnown = header.source == .settlement || shard.map { $0 < shardCount && machine($0) == header.source } ?? false
    guard isKnown, streams.consume(from: header.source, first: header.firstNumber, count: header.count) else {
      refusals &+= 1
      return false
    }
    return true
  }

  /// Takes note of an input that is kept from it: its stream goes on, its nonce is spent, and nothing else is done.
  mutating func passOver(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let input = QuarantinedInput(payload) else {
      refusals &+= 1
      return
    }
    switch input.quarantine.kind {
    case .stream: _ = advance(header)
    case .action: act(header, input.payload, isPutAside: true, into: &output)
    default: break
    }
  }

  /// One message of a shard; false if it was refused.
  private mutating func consume(
    _ kind: MessageKind?, _ body: inout ByteReader, from shard: Int, into output: inout OutputBuffer
  ) -> Bool {
    switch kind {
    case .fill:
      guard let fill = Self.read(Fill.self, &body) else { return false }
      return consume(fill, from: shard)
    case .creditTaken:
      guard let taken = Self.read(CreditTaken.self, &body) else { return false }
      return consume(taken, from: shard)
    case .creditRequest:
      guard let request = Self.read(CreditRequest.self, &body) else { return false }
      requests.append((shard, request))
      return true
    case .grantClosed:
      guard let closed = Self.read(GrantClosed.self, &body) else { return false }
      return consume(closed, from: shard)
    case .freezeTaken:
      guard let taken = Self.read(FreezeTaken.self, &body) else { return false }
      return consume(taken, from: shard, into: &output)
    case .liquidationResult:
      guard let result = Self.read(LiquidationResult.self, &body) else { return false }
      return consume(result, from: shard, into: &output)
    case .protectionTripped:
      guard let tripped = Self.read(ProtectionTripped.self, &body) else { return false }
      return consume(tripped, from: shard, into: &output)
    case .heartbeat:
      guard let heartbeat = Self.read(Heartbeat.self, &body) else { return false }
      heard[shard] = max(heard[shard], heartbeat.stamp)
      return true
    default: return false
    }
  }

  /// One message of the coordinator; false if it was refused.
  private mutating func consumeSettlement(
    _ kind: MessageKind?, _ body: inout ByteReader, into output: inout OutputBuffer
  ) -> Bool {
    switch kind {
    case .deposit:
      guard let deposit = Self.read(Deposit.self, &body) else { return false }
      return consume(deposit, into: &output)
    case .epochFinal:
      guard let final = Self.read(EpochFinal.self, &body) else { return false }
      return consume(final, into: &output)
    case .heartbeat: return Self.read(Heartbeat.self, &body) != nil
    default: return false
    }
  }

  /// Exactly one message of the type, or nothing.
  private static func read<Message: StreamMessage>(_ type: Message.Type, _ body: inout ByteReader) -> Message? {
    let message = Message(from: &body)
    return body.isExhausted ? message : nil
  }

  /// New marks of one underlying: measures only the accounts that hold it, then settles what has expired.
  mutating func mark(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let marks = try? RiskMarks(decoding: payload), board.accepts(marks, at: now) else {
      refusals &+= 1
      return
    }
    board.replace(with: marks)
    let underlying = Int(marks.underlying.rawValue)
    var next = 0
    while let slot = book.nextHolder(of: underlying, from: next) {
      book[measuring: slot].exposures[underlying].isStale = true
      review(slot, marksMoved: true, into: &output)
      next = slot + 1
    }
    settleExpired(underlying, marks: marks, into: &output)
  }

  /// Asks each expired instrument's shard, once, to settle its positions at the index of this instant.
  private mutating func settleExpired(_ underlying: Int, marks: RiskMarks, into output: inout OutputBuffer) {
    for id in board.instruments[underlying] {
      let instrument = board.definition.instruments[Int(id.rawValue)]
      guard instrument.expiry <= marks.stamp, !board.isSettled[Int(id.rawValue)] else { continue }
      board.isSettled[Int(id.rawValue)] = true
      output.send(Settle(instrument: id, index: marks.index), to: .shard(instrument.shard), &streams)
    }
  }

  mutating func fireTimers(into output: inout OutputBuffer) {
    if nextHeartbeat <= now {
      heartbeatNumber += 1
      let heartbeat = Heartbeat(number: heartbeatNumber, stamp: now)
      sendToShards(heartbeat, into: &output)
      output.send(heartbeat, to: .settlement, &streams)
      nextHeartbeat = now + heartbeatInterval
      watchFinality(into: &output)
    }
    let bound = timers.lastID
    while let timer = timers.takeDue(at: now, upTo: bound) {
      guard let slot = book.slot(of: timer.account) else { continue }
      switch timer.purpose {
      case .heldOrder: refuseHeld(slot, shard: timer.shard, request: timer.reference, into: &output)
      case .withdrawal: timeOutWithdrawal(slot, nonce: timer.reference, into: &output)
      case .liquidation: lookAgain(slot, id: timer.reference, into: &output)
      }
    }
  }

  /// Answers the requests that came, serves with credit that came back, then looks at each queued account.
  mutating func concludeInput(into output: inout OutputBuffer) {
    for (shard, request) in requests { answer(request, from: shard, into: &output) }
    requests.removeAll(keepingCapacity: true)
    for slot in returns { serveWaiting(slot, into: &output) }
    returns.removeAll(keepingCapacity: true)
    var next = 0
    while next < reviews.count {
      review(reviews[next], marksMoved: false, into: &output)
      next += 1
    }
    reviews.removeAll(keepingCapacity: true)
  }

  /// Credit may have come free for who waits for it.
  mutating func queueReturn(_ slot: Int) {
    let isWaiting = !book[slot].held.isEmpty || !book[slot].withdrawals.isEmpty
    if isWaiting && returns.last != slot { returns.append(slot) }
  }

  mutating func queueReview(_ slot: Int) {
    if reviews.last != slot { reviews.append(slot) }
  }
}
