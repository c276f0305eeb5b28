import Bytes
import Market
import Testing

/// One of each layout that travels or is journalled, with every field told apart.
enum Samples {
  static let account = AccountID(0x0A0B)
  static let address = Address([UInt8](1...20))
  static let digest = Digest([UInt8](101...132))
  static let order = OrderID(account: account, key: KeyID(2), nonce: 0x1122_3344_5566, index: 7)
  static let signature = RecoverableSignature(r: digest, s: Digest([UInt8](1...32)), recoveryID: 1)
  static let seal = Seal(
    epoch: Epoch(9), term: Term(2), firstSequence: SequenceNumber(100), lastSequence: SequenceNumber(180),
    chainHead: digest, entryRoot: Digest([UInt8](33...64)))

  static var commitment: Commitment {
    var commitment = Commitment(machine: .risk, seal: seal)
    commitment.stateHash = 0xDEAD
    commitment.fillNumber = 55
    commitment.fillRoot = digest
    commitment.ledger = [.init(account: account, currency: Currency(1), amount: Money(units: -5))]
    commitment.positions = [
      .init(account: account, instrument: InstrumentID(3), lots: Lots(-4)),
      .init(account: AccountID(0xFFFF), instrument: InstrumentID(0), lots: Lots(4)),
    ]
    commitment.depositCursor = 3
    commitment.withdrawals = [
      .init(account: account, currency: .usd, amount: Money(units: 9), recipient: address, nonce: 77)
    ]
    commitment.marks = [.init(instrument: InstrumentID(3), price: Price(units: 12))]
    commitment.indices = [Price(whole: 1), .zero]
    return commitment
  }

  static let listed: Instrument = {
    var listed = MarketDefinitionTests.instrument(4)
    listed.minimumOrder = Lots(3)
    listed.tickSteps = [.init(from: Price(whole: 5), tick: Price(whole: 1))]
    return listed
  }()

  static let delta = BookDelta(
    instrument: InstrumentID(4), event: .reduced, side: .sell, price: Price(units: 99), lots: Lots(5),
    order: 0x0102_0304_0506, orderLots: Lots(2), sequence: 22, checksum: 0xDEAD_BEEF)

  static let fill = Fill(
    number: 8, kind: .taker, instrument: InstrumentID(4), order: order, lots: Lots(-2), price: Price(units: 99),
    cash: Money(units: 198), fee: Money(units: 1), consumed: Money(units: 500))

  static let streamMessages: [any StreamMessage] = [
    fill,
    CreditTaken(account: account, version: 4, ceiling: Money(units: 10), consumed: Money(units: 3)),
    CreditRequest(
      request: 5, account: account, instrument: InstrumentID(1), lots: Lots(-6), price: Price(units: 7),
      charge: Money(units: 8), shortfall: Money(units: 9)),
    FreezeTaken(account: account, id: 6, fillNumber: 70, consumed: Money(units: 11)),
    LiquidationResult(account: account, step: 12, filled: Lots(-3), outcome: .residualCancelled),
    GrantClosed(account: account, request: 5, wasUsed: true, ceiling: Money(units: 1), consumed: Money(units: 2)),
    Heartbeat(number: 13, stamp: Timestamp(seconds: 14)),
    Credit(
      account: account, owner: address, version: 4, ceiling: Money(units: 10), isForced: true,
      chargeMultiplier: 1_500_000),
    Grant(account: account, request: 5, charge: Money(units: 8)),
    CreditRefused(account: account, request: 5, outcome: .insufficientCredit),
    Freeze(account: account, id: 6), Release(account: account, id: 6),
    Liquidate(
      account: account, id: 6, step: 12, instrument: InstrumentID(1), lots: Lots(4), limit: Price(units: 15)),
    Settle(instrument: InstrumentID(1), index: Price(whole: 16)), Halt(isHalted: true),
    ProtectionTripped(account: account, underlying: UnderlyingID(1), until: Timestamp(seconds: 18)),
    ProtectionFreeze(account: account, until: .never), InstrumentListing(instrument: listed),
    commitment,
    Deposit(number: 1, account: account, owner: address, currency: Currency(2), amount: Money(units: 17)),
    EpochFinal(epoch: Epoch(9), root: digest),
  ]

  static let reply = ActionReply(
    machine: .shard(ShardID(3)), account: account, key: KeyID(2), nonce: 18, term: Term(2),
    sequence: SequenceNumber(19), stamp: Timestamp(seconds: 20), isRepeated: true,
    results: [.init(outcome: .filled, filled: Lots(21)), .init(outcome: .priceOffTick)])

  static let others: [any ByteCodable & Sendable] = [
    seal, reply, order,
    ExecutionReport(
      event: .fill, shard: ShardID(3), sequence: SequenceNumber(19), stamp: Timestamp(seconds: 20), order: order,
      instrument: InstrumentID(4), outcome: .filled, fillNumber: 8, lots: Lots(2), price: Price(units: 99),
      fee: Money(units: 1), remaining: Lots(5), isMaker: true),
    delta,
    BookImage(
      instrument: InstrumentID(4), sequence: 22, checksum: 0xDEAD_BEEF,
      orders: [
        BookOrder(side: .sell, price: Price(units: 99), number: 6, lots: Lots(2)),
        BookOrder(side: .buy, price: Price(units: 98), number: 5, lots: Lots(1)),
      ]),
    BookLevelsImage(
      instrument: InstrumentID(4), sequence: 22, checksum: 0xDEAD_BEEF,
      levels: [BookLevelImage(side: .sell, price: Price(units: 99), lots: Lots(2))]),
    InstrumentStatus(
      instrument: InstrumentID(4), state: .auction, until: Timestamp(seconds: 21), price: Price(units: 99),
      volume: Lots(6), imbalance: Lots(-7), sequence: 22),
    ShardMarks(
      version: 23, stamp: Timestamp(seconds: 24), index: Price(whole: 25),
      entries: [
        .init(
          instrument: InstrumentID(4), mark: Price(units: 26), marginToBuy: Money(units: 27),
          marginToSell: Money(units: 28), bandLow: Price(units: 29), bandHigh: Price(units: 30), delta: -35, vega: 36)
      ]),
    RiskMarks(
      version: 31, stamp: Timestamp(seconds: 32), underlying: UnderlyingID(1), index: Price(whole: 33),
      scenarioCount: 16, coinProfitAndLoss: (0..<scenarioLanes).map { Money(units: Int64($0) - 5) },
      entries: [
        .init(
          instrument: InstrumentID(4), mark: Price(units: 34),
          profitAndLoss: (0..<scenarioLanes).map { Money(units: -Int64($0)) })
      ]),
    header,
    Attestation(verifier: 3, epoch: Epoch(9), headerHash: digest, agrees: false, signature: signature),
    SettlementEvent.deposit(
      Deposit(number: 1, account: account, owner: address, currency: .usd, amount: Money(units: 17))),
    SettlementEvent.posted(Epoch(9), headerHash: digest), SettlementEvent.final(Epoch(9), root: digest),
    Timestamp(nanoseconds: -1), Interval.days(2), MachineID(.gateway, 7),
  ]

  static let header = EpochHeader(
    epoch: Epoch(9), previousRoot: digest, root: Digest([UInt8](2...33)), fillsRoot: Digest([UInt8](3...34)),
    marksRoot: Digest([UInt8](4...35)), inputRoot: Digest([UInt8](5...36)), withdrawalsRoot: Digest([UInt8](6...37)),
    parameterVersion: 38, depositCursor: 39, totalPositiveEquity: Money(units: 40))
}

struct MessageTests {
  private func roundTrips<Value: ByteCodable>(_ value: Value) throws {
    let bytes = value.encoded
    #expect(try Value(decoding: bytes).encoded == bytes, "\(Value.self)")
    for length in bytes.indices {
      #expect(throws: MalformedBytes.self, "\(Value.self) of \(length) bytes") {
        try Value(decoding: Array(bytes[..<length]))
      }
    }
    #expect(throws: MalformedBytes.self, "\(Value.self) and a byte") { try Value(decoding: bytes + [0]) }
  }

  @Test func everyStreamMessageRoundTripsAndNoTruncationPasses() throws {
    for message in Samples.streamMessages { try roundTrips(message) }
  }

  @Test func everyOtherLayoutRoundTripsAndNoTruncationPasses() throws {
    for value in Samples.others { try roundTrips(value) }
  }

  @Test func fieldsComeBackAsTheyWere() throws {
    #expect(try Commitment(decoding: Samples.commitment.encoded) == Samples.commitment)
    #expect(try Fill(decoding: Samples.fill.encoded) == Samples.fill)
    #expect(try ActionReply(decoding: Samples.reply.encoded) == Samples.reply)
    #expect(try EpochHeader(decoding: Samples.header.encoded) == Samples.header)
    #expect(try Seal(decoding: Samples.seal.encoded) == Samples.seal)
  }

  @Test func everyKindOfStreamMessageIsSampledOnce() {
    #expect(Samples.streamMessages.map { type(of: $0).kind.rawValue }.sorted() == MessageKind.allCases.map(\.rawValue))
  }

  @Test func sizesAreTheDocumentedOnes() {
    #expect(Samples.fill.encoded.count == Fill.byteCount)
    #expect(Samples.seal.encoded.count == 88)
    #expect(Samples.header.encoded.count == 216 && EpochHeader.byteCount == 216)
    #expect(Samples.delta.encoded.count == 56 && BookDelta.byteCount == 56)
    #expect(ShardMarks.Entry.byteCount == 60)
    #expect(Samples.order.encoded.count == 16)
  }

  @Test func randomBytesNeverTrap() {
    func decode<Value: ByteCodable>(_ sample: Value, _ bytes: [UInt8]) {
      if let value = try? Value(decoding: bytes) { #expect(value.encoded.count == bytes.count, "\(Value.self)") }
    }
    var state: UInt64 = 99
    func random() -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33)
    }
    for value in Samples.others + Samples.streamMessages.map({ $0 as any ByteCodable & Sendable }) {
      let bytes = value.encoded
      for _ in 0..<300 {
        var hostile = bytes
        for _ in 0...(random() % 3) { hostile[random() % bytes.count] = UInt8(truncatingIfNeeded: random()) }
        decode(value, hostile)
        decode(value, Array(hostile[..<(random() % bytes.count)]))
      }
    }
  }

  @Test func marksThatMakeNoSenseAreRefused() throws {
    let entry = ShardMarks.Entry(
      instrument: InstrumentID(4), mark: Price(units: 26), marginToBuy: Money(units: 27),
      marginToSell: Money(units: 28),
      bandLow: Price(units: 29), bandHigh: Price(units: 30))
    let sound = ShardMarks(version: 1, stamp: .zero, index: Price(whole: 1), entries: [entry])
    let flaws: [(inout ShardMarks) -> Void] = [
      { $0.index = .zero }, { $0.index = Price(units: -1) }, { $0.entries[0].mark = Price(units: -1) },
      { $0.entries[0].marginToBuy = Money(units: -1) }, { $0.entries[0].marginToSell = Money(units: -1) },
      { $0.entries[0].bandLow = Price(units: 31) },
      { $0.entries[0].delta = Int64(ShardMarks.largestGreek) + 1 }, { $0.entries[0].vega = .min },
    ]
    #expect(throws: Never.self) { try ShardMarks(decoding: sound.encoded) }
    for flaw in flaws {
      var flawed = sound
      flaw(&flawed)
      #expect(throws: MalformedBytes.self) { try ShardMarks(decoding: flawed.encoded) }
    }
    let lanes = [Money](repeating: .zero, count: scenarioLanes)
    for (index, count) in [(Price.zero, 16), (Price(whole: 1), 0), (Price(whole: 1), 33)] as [(Price, UInt8)] {
      let marks = RiskMarks(
        version: 1, stamp: .zero, underlying: UnderlyingID(0), index: index, scenarioCount: count,
        coinProfitAndLoss: lanes, entries: [])
      #expect(throws: MalformedBytes.self) { try RiskMarks(decoding: marks.encoded) }
    }
  }
}
