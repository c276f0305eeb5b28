import Bytes
import Machine
import Market
import Testing

@testable import Matching

/// What one input made a shard say, decoded.
struct Said {
  var replies: [ActionReply] = []
  var fills: [Fill] = []
  var reports: [ExecutionReport] = []
  var deltas: [BookDelta] = []
  var statuses: [InstrumentStatus] = []
  var protectionTripped: [ProtectionTripped] = []
  var creditTaken: [CreditTaken] = []
  var creditRequests: [CreditRequest] = []
  var grantsClosed: [GrantClosed] = []
  var freezesTaken: [FreezeTaken] = []
  var liquidations: [LiquidationResult] = []
  var commitments: [Commitment] = []
  var heartbeats: [(to: MachineID, Heartbeat)] = []
  /// Every record's raw bytes, for comparing two machines.
  var bytes: [UInt8] = []

  var results: [ActionReply.Result] { replies.last?.results ?? [] }
  var outcome: Outcome? { results.first?.outcome }
  var filled: Int64 { results.first?.filled.count ?? 0 }
}

/// A shard with the inputs that tests need, spoken in the field's words.
final class Venue {
  static let linear = InstrumentID(0)
  static let inverse = InstrumentID(1)
  static let option = InstrumentID(2)
  static let future = InstrumentID(3)
  static let elsewhere = InstrumentID(4)
  static let start = Timestamp(seconds: 1_700_000_000)
  static let expiry = Timestamp(seconds: 1_700_001_000)

  var machine: ShardMachine
  let market: MarketDefinition
  var now = Venue.start
  var sequence: UInt64 = 0
  var nonce: UInt64 = 0
  var riskNumber: UInt64 = 0
  var marksVersion: UInt64 = 0
  var creditVersions: [UInt32: UInt64] = [:]
  /// Beat and mark before every input, so that neither ever falls silent.
  var isLively = true

  static func owner(_ account: UInt32) -> Address {
    Address((0..<20).map { UInt8(truncatingIfNeeded: account &* 31 &+ UInt32($0)) })
  }

  static func market(_ parameters: MarketParameters) -> MarketDefinition {
    func listed(
      _ id: InstrumentID, _ name: String, _ kind: Instrument.Kind, _ settlement: Instrument.Settlement, shard: UInt16,
      expiry: Timestamp, strike: Int64 = 0, tick: String, lot: String
    ) -> Instrument {
      Instrument(
        id: id, name: name, kind: kind, settlement: settlement, underlying: UnderlyingID(0),
        settlementCurrency: Currency(settlement == .linear ? 0 : 1), shard: ShardID(shard), expiry: expiry,
        strike: Price(whole: strike), tickSize: Price(tick)!, lotSize: Quantity(lot)!, maximumOrder: Lots(1_000_000))
    }
    return MarketDefinition(
      currencies: [
        .init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero),
        .init(name: "BTC", underlying: UnderlyingID(0), collateralWeight: 900_000, token: .zero),
      ],
      underlyings: [.init(name: "BTC", openingIndex: Price(whole: 1_000))],
      instruments: [
        listed(linear, "BTC-USDC-PERP", .perpetual, .linear, shard: 0, expiry: .never, tick: "0.5", lot: "0.1"),
        listed(inverse, "BTC-PERPETUAL", .perpetual, .inverse, shard: 0, expiry: .never, tick: "0.5", lot: "10"),
        listed(
          option, "BTC-1000-C", .call, .coin, shard: 0, expiry: expiry, strike: 1_000, tick: "0.0005", lot: "0.1"),
        listed(future, "BTC-FUTURE", .future, .linear, shard: 0, expiry: expiry, tick: "0.5", lot: "0.1"),
        listed(elsewhere, "BTC-ELSEWHERE", .future, .linear, shard: 1, expiry: expiry, tick: "0.5", lot: "0.1"),
      ], shardCount: 2, parameters: parameters)
  }

  /// Ready to trade: marks at 1,000 with bands 500 to 1,500, and `accounts` accounts with ample ceilings.
  init(accounts: UInt32 = 4, _ adjust: (inout MarketParameters) -> Void = { _ in }) {
    var parameters = MarketParameters()
    adjust(&parameters)
    market = Self.market(parameters)
    machine = ShardMachine(id: .shard(ShardID(0)))
    apply(.genesis, market.encoded)
    marks()
    for account in 0..<accounts { credit(account + 1, ceiling: Money(whole: 1_000_000_000)) }
  }

  @discardableResult
  func apply(
    _ kind: InputKind, _ payload: [UInt8], source: MachineID = .none, firstNumber: UInt64 = 0, count: UInt16 = 0
  ) -> Said {
    sequence += 1
    let header = InputHeader(
      sequence: SequenceNumber(sequence), stamp: now, term: Term(1), kind: kind, source: source, epoch: machine.epoch,
      firstNumber: firstNumber, count: count)
    return apply(header, payload)
  }

  @discardableResult
  func apply(_ header: InputHeader, _ payload: [UInt8]) -> Said {
    var output = OutputBuffer()
    payload.withUnsafeBytes { machine.apply(header, $0, into: &output) }
    return Self.decode(output)
  }

  static func decode(_ output: borrowing OutputBuffer) -> Said {
    var said = Said()
    output.forEach { record in
      said.bytes += [record.kind.rawValue] + record.payload
      switch record.kind {
      case .reply: said.replies.append(try! ActionReply(decoding: record.payload))
      case .report: said.reports.append(try! ExecutionReport(decoding: record.payload))
      case .book: said.deltas.append(try! BookDelta(decoding: record.payload))
      case .stream:
        var body = ByteReader(record.payload)
        switch MessageKind(rawValue: body.u8())! {
        case .fill: said.fills.append(Fill(from: &body))
        case .creditTaken: said.creditTaken.append(CreditTaken(from: &body))
        case .creditRequest: said.creditRequests.append(CreditRequest(from: &body))
        case .grantClosed: said.grantsClosed.append(GrantClosed(from: &body))
        case .freezeTaken: said.freezesTaken.append(FreezeTaken(from: &body))
        case .liquidationResult: said.liquidations.append(LiquidationResult(from: &body))
        case .protectionTripped: said.protectionTripped.append(ProtectionTripped(from: &body))
        case .commitment: said.commitments.append(Commitment(from: &body))
        case .heartbeat: said.heartbeats.append((MachineID(rawValue: record.destination), Heartbeat(from: &body)))
        default: Issue.record("a shard never sends this")
        }
        #expect(body.isExhausted)
      case .status: said.statuses.append(try! InstrumentStatus(decoding: record.payload))
      case .effect: Issue.record("a shard has no edge of its own")
      }
    }
    return said
  }

  // MARK: - Machines' words

  @discardableResult
  func risk(_ messages: [any StreamMessage]) -> Said {
    var writer = ByteWriter()
    for message in messages {
      var body = ByteWriter()
      body.u8(type(of: message).kind.rawValue)
      message.write(to: &body)
      writer.blob(body.bytes)
    }
    let first = riskNumber + 1
    riskNumber += UInt64(messages.count)
    return apply(.stream, writer.array, source: .risk, firstNumber: first, count: UInt16(messages.count))
  }

  @discardableResult
  func risk(_ message: any StreamMessage) -> Said { risk([message]) }

  @discardableResult
  func credit(_ account: UInt32, ceiling: Money, isForced: Bool = false, multiplier: UInt32 = 1_000_000) -> Said {
    creditVersions[account, default: 0] += 1
    return risk(
      Credit(
        account: AccountID(account), owner: Self.owner(account), version: creditVersions[account]!, ceiling: ceiling,
        isForced: isForced, chargeMultiplier: multiplier))
  }

  /// Fresh marks: 1,000 (0.05 for the option), margin `margin` a lot either way, and a heartbeat of risk.
  func marks(margin: Money = .zero, low: Int64 = 500, high: Int64 = 1_500) {
    marksVersion += 1
    let entries = market.instruments.filter { $0.shard == ShardID(0) }.map { instrument in
      let isCoin = instrument.settlement == .coin
      return ShardMarks.Entry(
        instrument: instrument.id, mark: isCoin ? Price("0.05")! : Price(whole: 1_000), marginToBuy: margin,
        marginToSell: margin, bandLow: isCoin ? .zero : Price(whole: low),
        bandHigh: isCoin ? Price("0.1")! : Price(whole: high))
    }
    apply(
      .marks, ShardMarks(version: marksVersion, stamp: now, index: Price(whole: 1_000), entries: entries).encoded)
    risk(Heartbeat(number: marksVersion, stamp: now))
  }

  func seal(_ epoch: Epoch? = nil) -> Said {
    apply(
      .seal,
      Seal(
        epoch: epoch ?? machine.epoch, term: Term(1), firstSequence: SequenceNumber(1),
        lastSequence: SequenceNumber(sequence), chainHead: .zero, entryRoot: .zero
      ).encoded)
  }

  func wait(_ interval: Interval, quietly: Bool = false) {
    now = now + interval
    if !quietly {
      risk(Heartbeat(number: 0, stamp: now))
      marksVersion += 0
    }
  }

  // MARK: - Users' words

  func action(
    _ account: UInt32, _ operations: [Market.Operation], nonce: UInt64, expiry: UInt64? = nil, session: UInt64 = 0,
    generation: UInt64 = 0
  ) -> SignedAction {
    SignedAction(
      header: SignedActionHeader(
        module: .batch, operationCount: UInt16(operations.count), account: AccountID(account), nonce: nonce,
        expiry: expiry ?? UInt64(now.seconds) + 60, underlying: UnderlyingID(0), signer: Self.owner(account),
        owner: Self.owner(account), signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0),
        session: session, sessionGeneration: generation),
      operations: operations)
  }

  @discardableResult
  func act(
    _ account: UInt32, _ operations: [Market.Operation], nonce: UInt64? = nil, expiry: UInt64? = nil,
    session: UInt64 = 0, generation: UInt64 = 0
  ) -> Said {
    self.nonce += 1
    return apply(
      .action,
      action(
        account, operations, nonce: nonce ?? self.nonce, expiry: expiry, session: session, generation: generation
      ).encoded)
  }

  @discardableResult
  func act(_ account: UInt32, _ operation: Market.Operation, nonce: UInt64? = nil) -> Said {
    act(account, [operation], nonce: nonce)
  }

  /// A limit order; its id's nonce is `venue.nonce` afterwards.
  @discardableResult
  func buy(
    _ account: UInt32, _ lots: Int64, at price: String, _ instrument: InstrumentID = Venue.linear,
    _ timeInForce: Market.Operation.TimeInForce = .goodTillCancelled, _ flags: Market.Operation.Flags = []
  ) -> Said { act(account, order(.buy, lots, price, instrument, timeInForce, flags)) }

  @discardableResult
  func sell(
    _ account: UInt32, _ lots: Int64, at price: String, _ instrument: InstrumentID = Venue.linear,
    _ timeInForce: Market.Operation.TimeInForce = .goodTillCancelled, _ flags: Market.Operation.Flags = []
  ) -> Said { act(account, order(.sell, lots, price, instrument, timeInForce, flags)) }

  func order(
    _ side: Side, _ lots: Int64, _ price: String, _ instrument: InstrumentID = Venue.linear,
    _ timeInForce: Market.Operation.TimeInForce = .goodTillCancelled, _ flags: Market.Operation.Flags = []
  ) -> Market.Operation {
    Market.Operation(
      kind: .new, side: side, timeInForce: timeInForce, flags: flags, instrument: instrument, price: Price(price)!,
      quantity: quantity(lots, instrument))
  }

  func quantity(_ lots: Int64, _ instrument: InstrumentID) -> Quantity {
    Quantity(units: lots * market.instruments[Int(instrument.rawValue)].lotSize.units)
  }

  @discardableResult
  func cancel(
    _ account: UInt32, _ target: UInt64, index: UInt16 = 0, _ instrument: InstrumentID = Venue.linear
  ) -> Said {
    act(
      account,
      Market.Operation(kind: .cancel, instrument: instrument, targetNonce: target, targetIndex: index))
  }

  // MARK: - What must hold

  func lots(_ side: Side, _ price: String, _ instrument: InstrumentID = Venue.linear) -> Int64 {
    let book = machine.bookSnapshot(instrument)!
    return (side == .buy ? book.bids : book.asks).first { $0.price == Price(price)! }?.lots.count ?? 0
  }

  func position(_ account: UInt32, _ instrument: InstrumentID = Venue.linear) -> Int64 {
    machine.position(AccountID(account), instrument).count
  }

  /// used + reserved ≤ ceiling, and reservations = Σ charges stored with open orders.
  func checkCredit() {
    for account in machine.accountIDs() {
      let standing = machine.standing(account)!
      let open = machine.openOrders(account)
      let trading = machine.waitingOrders(account).reduce(Money.zero) { $0 + $1.reserved }
      #expect(standing.consumed + standing.reserved <= standing.ceiling)
      #expect(open.reduce(trading) { $0 + $1.reserved } == standing.reserved)
      #expect(open.count == standing.openOrders)
    }
  }
}

/// Small, seeded and the same everywhere (SplitMix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
