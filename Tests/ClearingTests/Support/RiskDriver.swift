import Bytes
import Machine
import Market

@testable import Clearing

/// A message that the machine sent.
struct Sent {
  var destination: MachineID
  var number: UInt64
  var kind: MessageKind
  var body: [UInt8]

  func read<Message: StreamMessage>(_ type: Message.Type) -> Message? {
    kind == Message.kind ? try? Message(decoding: body) : nil
  }
}

/// Drives one aggregator as its runtime would: numbers, stamps, and a record of what comes out.
struct RiskDriver: ~Copyable {
  var machine = RiskMachine(id: .risk)
  let definition: MarketDefinition
  var now = TestMarket.opening
  /// Everything sent since the last `take`.
  var sent: [Sent] = []
  var replies: [ActionReply] = []
  /// Every input with what it gave, if `records`.
  struct Entry {
    var header: InputHeader
    var payload: [UInt8]
    var output: [UInt8]
  }
  var records = false
  private(set) var journal: [Entry] = []
  private var output = OutputBuffer()
  private(set) var sequence: UInt64 = 0
  private var numbers: [MachineID: UInt64] = [:]
  private var fillNumbers: [UInt64]
  private var deposits: UInt64 = 0
  private var versions: [UInt64] = [0, 0]

  init(_ definition: MarketDefinition = TestMarket.definition(), isOpen: Bool = true) {
    self.definition = definition
    fillNumbers = Array(repeating: 0, count: Int(definition.shardCount))
    if isOpen { input(.genesis, definition.encoded) }
  }

  mutating func input(
    _ kind: InputKind, _ payload: [UInt8] = [], source: MachineID = .none, first: UInt64 = 0, count: UInt16 = 0
  ) {
    sequence += 1
    let header = InputHeader(
      sequence: SequenceNumber(sequence), stamp: now, term: Term(1), kind: kind, source: source,
      epoch: machine.epoch, firstNumber: first, count: count)
    output.clear()
    payload.withUnsafeBytes { machine.apply(header, $0, into: &output) }
    if records { journal.append(Entry(header: header, payload: payload, output: output.writer.array)) }
    output.forEach { record in
      switch record.kind {
      case .stream:
        sent.append(
          Sent(
            destination: MachineID(rawValue: record.destination), number: record.number,
            kind: MessageKind(rawValue: record.payload[0])!, body: Array(record.payload.dropFirst())))
      case .reply: replies.append(try! ActionReply(decoding: record.payload))
      case .report, .book, .effect, .status: break
      }
    }
  }

  static func frame(_ message: some StreamMessage) -> [UInt8] {
    var writer = ByteWriter()
    let body = message.encoded
    writer.u32(UInt32(body.count + 1))
    writer.u8(type(of: message).kind.rawValue)
    writer.bytes(body)
    return writer.array
  }

  /// The next message of a peer's stream.
  mutating func from(_ source: MachineID, _ message: some StreamMessage) {
    numbers[source, default: 0] += 1
    input(.stream, Self.frame(message), source: source, first: numbers[source]!, count: 1)
  }
  mutating func from(_ shard: Int, _ message: some StreamMessage) { from(.shard(ShardID(UInt16(shard))), message) }

  mutating func deposit(_ account: UInt32, _ amount: Money, in currency: Currency = .usd) {
    deposits += 1
    from(
      .settlement,
      Deposit(
        number: deposits, account: AccountID(account), owner: TestMarket.owner(account), currency: currency,
        amount: amount))
  }

  mutating func mark(_ underlying: UInt8 = 0, index: Int64) {
    versions[Int(underlying)] += 1
    let marks = TestMarket.marks(
      definition, underlying: UnderlyingID(underlying), index: Price(whole: index),
      version: versions[Int(underlying)], at: now)
    input(.marks, marks.encoded)
  }

  /// A fill at `price`, with the cash that follows from it.
  mutating func fill(
    _ account: UInt32, _ instrument: InstrumentID, lots: Int64, at price: Price, fee: Money = .zero,
    consumed: Money = .zero, kind: Fill.Kind = .taker
  ) {
    let contract = definition[instrument]!
    let shard = Int(contract.shard.rawValue)
    let flow = lots == 0 ? .zero : contract.buyerCashFlow(Lots(abs(lots)), at: price)!
    fillNumbers[shard] += 1
    from(
      shard,
      Fill(
        number: fillNumbers[shard], kind: kind, instrument: instrument,
        order: OrderID(account: AccountID(account), key: .owner, nonce: 1, index: 0), lots: Lots(lots), price: price,
        cash: lots < 0 ? -flow : flow, fee: fee, consumed: consumed))
  }

  mutating func heartbeats() {
    for shard in 0..<Int(definition.shardCount) { from(shard, Heartbeat(number: 1, stamp: now)) }
  }

  mutating func advance(_ interval: Interval) { now = now + interval }
  mutating func tick(after interval: Interval) {
    advance(interval)
    input(.tick)
  }

  /// What was sent since the last call.
  mutating func take() -> [Sent] {
    defer { sent.removeAll() }
    return sent
  }
  mutating func take<Message: StreamMessage>(_ type: Message.Type) -> [Message] { take().compactMap { $0.read(type) } }

  /// Answers every credit sent so far as a shard without orders would: the ceiling as sent.
  mutating func acknowledgeCredits() {
    let credits = sent.compactMap { sent in sent.read(Credit.self).map { (sent.destination, $0) } }
    sent.removeAll()
    for (destination, credit) in credits {
      let line = view(credit.account.rawValue).credit[Int(destination.index)]
      from(
        destination,
        CreditTaken(
          account: credit.account, version: credit.version, ceiling: max(credit.ceiling, line.consumed),
          consumed: line.consumed))
    }
  }

  func view(_ account: UInt32) -> AccountView { machine.view(of: AccountID(account))! }

  mutating func seal(_ epoch: UInt32) {
    input(
      .seal,
      Seal(
        epoch: Epoch(epoch), term: Term(1), firstSequence: SequenceNumber(1), lastSequence: SequenceNumber(sequence),
        chainHead: .zero, entryRoot: .zero
      ).encoded)
  }

  mutating func withdraw(
    _ account: UInt32, _ amount: Money, in currency: Currency = .usd, nonce: UInt64, owner: Address? = nil,
    seconds: Int64 = 60
  ) {
    input(.action, Self.withdrawal(account, amount, currency, nonce, owner: owner, expiry: now.seconds + seconds))
  }

  static func withdrawal(
    _ account: UInt32, _ amount: Money, _ currency: Currency, _ nonce: UInt64, owner: Address? = nil, expiry: Int64
  ) -> [UInt8] {
    let signer = owner ?? TestMarket.owner(account)
    let header = SignedActionHeader(
      module: .withdrawal, operationCount: 1, account: AccountID(account), nonce: nonce,
      expiry: UInt64(bitPattern: expiry),
      underlying: UnderlyingID(0), signer: signer, owner: signer,
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
    let withdrawal = Withdrawal(
      currency: currency, amount: amount, recipient: TestMarket.owner(account), maximumFee: .zero)
    return header.encoded + withdrawal.encoded
  }
}
