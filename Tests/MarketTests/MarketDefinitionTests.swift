import Bytes
import Market
import Testing

struct MarketDefinitionTests {
  static func instrument(_ id: UInt32, shard: UInt16 = 0, underlying: UInt8 = 0, currency: UInt8 = 1) -> Instrument {
    Instrument(
      id: InstrumentID(id), name: "I-\(id)", kind: .perpetual, settlement: .inverse,
      underlying: UnderlyingID(underlying),
      settlementCurrency: Currency(currency), shard: ShardID(shard), expiry: .never, strike: .zero,
      tickSize: Price("0.5")!, lotSize: Quantity(whole: 10), maximumOrder: Lots(1_000))
  }

  private var market: MarketDefinition {
    var parameters = MarketParameters()
    parameters.verifiers = [Samples.address, .zero]
    parameters.attestationQuorum = 2
    parameters.chainID = 31_337
    parameters.batchModule = Samples.address
    parameters.operatorAddress = Samples.address
    parameters.queuedOperations = 77
    parameters.indicativeInterval = .milliseconds(88)
    return MarketDefinition(
      currencies: [
        .init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: Samples.address),
        .init(name: "BTC", underlying: UnderlyingID(0), collateralWeight: 950_000, token: .zero),
      ],
      underlyings: [.init(name: "BTC", openingIndex: Price(whole: 100_000))],
      instruments: [Self.instrument(0), Self.instrument(1, shard: 1)], shardCount: 2, parameters: parameters)
  }

  @Test func aMarketRoundTripsAndNoTruncationPasses() throws {
    let bytes = market.encoded
    #expect(try MarketDefinition(decoding: bytes) == market)
    for length in bytes.indices {
      #expect(throws: MalformedBytes.self) { try MarketDefinition(decoding: Array(bytes[..<length])) }
    }
  }

  @Test func manyNamelessInstrumentsStillRoundTrip() throws {
    var many = market
    many.instruments = (0..<1_000).map {
      var instrument = Self.instrument(UInt32($0))
      instrument.name = ""
      return instrument
    }
    #expect(try MarketDefinition(decoding: many.encoded) == many)
  }

  @Test func inconsistentContentIsRefused() {
    let flaws: [(String, (inout MarketDefinition) -> Void)] = [
      ("ids out of order", { $0.instruments.swapAt(0, 1) }),
      ("a gap in the ids", { $0.instruments[1].id = InstrumentID(2) }),
      ("a shard that is not there", { $0.shardCount = 1 }),
      ("an underlying that is not there", { $0.instruments[0].underlying = UnderlyingID(1) }),
      ("a currency that is not there", { $0.instruments[0].settlementCurrency = Currency(2) }),
      ("a currency of an underlying that is not there", { $0.currencies[1].underlying = UnderlyingID(1) }),
      (
        "no currency",
        {
          $0.currencies = []
          $0.instruments = []
        }
      ),
      ("a tick of nothing", { $0.instruments[0].tickSize = .zero }),
      ("no quorum", { $0.parameters.attestationQuorum = 0 }),
      ("a quorum of more than there are", { $0.parameters.attestationQuorum = 3 }),
      ("too many verifiers", { $0.parameters.verifiers = Array(repeating: .zero, count: 65) }),
    ]
    for (what, flaw) in flaws {
      var flawed = market
      flaw(&flawed)
      #expect(throws: MalformedBytes.self, "\(what)") { try MarketDefinition(decoding: flawed.encoded) }
    }
  }

  @Test func anotherFormatVersionIsRefused() {
    var bytes = market.encoded
    for version: UInt8 in [0, 1, 3] {
      bytes[0] = version
      #expect(throws: MalformedBytes.self) { try MarketDefinition(decoding: bytes) }
    }
  }

  @Test func lookupsFindWhatIsThereAndNothingElse() {
    #expect(
      market[InstrumentID(1)]?.name == "I-1" && market[InstrumentID(2)] == nil && market[InstrumentID(.max)] == nil)
    #expect(market.instrument(named: "I-0")?.id == InstrumentID(0) && market.instrument(named: "i-0") == nil)
    #expect(market.instruments(of: ShardID(1)).map(\.id) == [InstrumentID(1)])
    #expect(market.committingMachines == [.shard(ShardID(0)), .shard(ShardID(1)), .risk])
  }
}

struct VocabularyTests {
  @Test func aMachinesNumberTellsKindAndIndex() {
    #expect(MachineID.shard(ShardID(3)).rawValue == 0x1_0003)
    #expect(MachineID.shard(ShardID(3)).shard == ShardID(3) && MachineID.risk.shard == nil)
    #expect(MachineID(.verifier, 2).description == "verifier-2" && MachineID.risk.description == "risk")
    #expect(MachineID.none.kind == nil && MachineID(rawValue: 0x99_0000).description == "machine-10027008")
    #expect(MachineID.shard(ShardID(.max)) < MachineID.risk)
  }

  @Test func timeAddsUpAndNeverOverflows() {
    #expect(Timestamp(seconds: 1) + .milliseconds(500) == Timestamp(nanoseconds: 1_500_000_000))
    #expect(Timestamp.never + .seconds(1) == .never)
    #expect(Timestamp(seconds: 3) - Timestamp(seconds: 1) == .seconds(2))
    #expect(Timestamp(nanoseconds: 1_999_999_999).seconds == 1)
  }

  @Test func everyOutcomeHasANameACodeAndARemedy() {
    #expect(Set(Outcome.allCases.map(\.name)).count == Outcome.allCases.count)
    #expect(Outcome.insufficientCredit.name == "insufficient_credit")
    #expect(Outcome.duplicateClientID.name == "duplicate_client_id")
    #expect(Set(Outcome.allCases.map(\.text)).count == Outcome.allCases.count)
    for outcome in Outcome.allCases { #expect(outcome.text.hasSuffix(".") && outcome.text.count > 10) }
    #expect(Outcome.allCases.filter(\.isAccepted) == Outcome.allCases.filter { $0.rawValue < 100 })
    #expect(Outcome.priceOffTick.remedy == .client && Outcome.insufficientCredit.remedy == .account)
    #expect(Outcome.halted.remedy == .venue && Outcome.filled.remedy == .none && Outcome.expiredOrder.remedy == .none)
  }

  @Test func sidesAreOpposite() {
    #expect(Side.buy.opposite == .sell && Side.sell.opposite == .buy)
    #expect(Side.buy.sign == 1 && Side.sell.sign == -1)
  }
}
