import Bytes
import Market
import Pricing
import Testing

@testable import Listing

@Suite struct ShippedListingTests {
  static let now = Timestamp(seconds: 1_798_797_600)  // 2027-01-01T10:00:00Z

  static func open(shards: Int? = nil) throws -> Listing {
    try ListingFile.load(Place.shipped).open(at: now, shards: shards)
  }

  @Test func theShippedFileOpensAMarketOfEveryKind() throws {
    let market = try Self.open().market
    #expect((200...300).contains(market.instruments.count), "\(market.instruments.count)")
    for underlying in ["BTC", "ETH"] {
      let id = UnderlyingID(underlying == "BTC" ? 0 : 1)
      let own = market.instruments.filter { $0.underlying == id }
      let coin = own.filter { $0.kind.isOption && $0.settlement == .coin }
      #expect(Set(coin.map(\.expiry)).count >= 4)
      for expiry in Set(coin.map(\.expiry)) {
        let calls = coin.filter { $0.expiry == expiry && $0.kind == .call }
        #expect(calls.count >= 9 && coin.filter { $0.expiry == expiry && $0.kind == .put }.count == calls.count)
      }
      #expect(
        coin.allSatisfy { $0.tickSize == Price("0.0001") && $0.lotSize == Quantity(id.rawValue == 0 ? "0.1" : "1") })
      #expect(own.contains { $0.kind.isOption && $0.settlement == .linear })
      #expect(own.contains { $0.kind == .future && $0.settlement == .inverse })
      #expect(own.allSatisfy { ($0.settlement == .linear) == ($0.settlementCurrency == .usd) })
    }
    let option = try #require(market.instruments.first { $0.settlement == .coin && $0.kind.isOption })
    #expect(option.tick(at: Price("0.0049")!) == Price("0.0001") && option.tick(at: Price("0.005")!) == Price("0.0005"))
    #expect(market.instruments.allSatisfy { $0.minimumOrder == Lots(1) })
    let perpetual = try #require(market.instrument(named: "BTC-PERPETUAL"))
    #expect(perpetual.tickSteps.isEmpty)
    #expect(perpetual.settlement == .inverse && perpetual.lotSize == Quantity(whole: 10))
    #expect(market.instrument(named: "ETH-PERPETUAL")?.lotSize == Quantity(whole: 1))
    #expect(market.instrument(named: "BTC_USDC-PERPETUAL")?.settlement == .linear)
    #expect(market.instrument(named: "BTC-2JAN27-100000-C")?.expiry == Timestamp(seconds: 1_798_876_800))
    #expect(market.instrument(named: "BTC_USDC-8JAN27-100000-P")?.settlement == .linear)
    #expect(market.instrument(named: "ETH-29JAN27")?.kind == .future)
    #expect(Set(market.instruments.map(\.name)).count == market.instruments.count)
    #expect(Set(market.instruments.map { "\($0.asset)\($0.subID)" }).count == market.instruments.count)
    #expect(try MarketDefinition(decoding: market.encoded) == market)
  }

  @Test func theShippedParametersAreTheDefaults() throws {
    let file = try ListingFile.load(Place.shipped)
    #expect(try file.parameters == MarketParameters(reading: nil))
    #expect(file.marks == MarkSettings())
  }

  @Test func everyInstrumentOfTheShippedMarketIsMarked() throws {
    let listing = try Self.open()
    let calculator = try listing.markCalculator()
    var marked = 0
    for (index, underlying) in listing.market.underlyings.enumerated() {
      let marks = try calculator.marks(
        of: UnderlyingID(UInt8(index)), index: underlying.openingIndex, now: Self.now, version: 1)
      #expect(marks.leftOut.isEmpty, "\(marks.leftOut)")
      marked += marks.risk.entries.count
    }
    #expect(marked == listing.market.instruments.count)
  }

  @Test func theSameOpeningGivesTheSameBytesAndReadsBack() throws {
    let listing = try Self.open()
    #expect(try listing.encoded == Self.open().encoded)
    #expect(try Listing(decoding: listing.encoded) == listing)
    var bytes = listing.encoded
    bytes[0] = 9
    #expect(throws: MalformedBytes.self) { try Listing(decoding: bytes) }
  }

  @Test func theIndexWalkStartsAtTheOpening() throws {
    let listing = try Self.open()
    var walk = try listing.indexWalk(of: UnderlyingID(1), seed: 5)
    #expect(walk.advance(to: Self.now) == Price(whole: 4_000))
    #expect(throws: PricingRefusal.self) { try listing.indexWalk(of: UnderlyingID(2), seed: 5) }
  }
}

@Suite struct ShardPlanTests {
  @Test func byDefaultEveryUnderlyingHasTwoShardsOfComparableLoad() throws {
    let market = try ShippedListingTests.open().market
    #expect(market.shardCount == 4)
    let loads = market.shards.map { market.instruments(of: $0).count }
    #expect(loads.allSatisfy { $0 >= 40 }, "\(loads)")
  }

  @Test(arguments: [2, 3, 4, 7, 10])
  func everyShardIsOfOneUnderlyingAndNoExpiryIsSplit(_ count: Int) throws {
    let market = try ShippedListingTests.open(shards: count).market
    #expect(Int(market.shardCount) == count)
    for shard in market.shards {
      let own = market.instruments(of: shard)
      #expect(!own.isEmpty && Set(own.map(\.underlying)).count == 1)
    }
    for instrument in market.instruments where instrument.kind != .perpetual {
      let siblings = market.instruments.filter {
        $0.underlying == instrument.underlying && $0.expiry == instrument.expiry
      }
      #expect(Set(siblings.map(\.shard)).count == 1)
    }
    // The perpetuals live with the nearest future, so that a basis trade stays in one shard.
    let future = try #require(market.instrument(named: "BTC-8JAN27"))
    for name in ["BTC-PERPETUAL", "BTC_USDC-PERPETUAL"] {
      #expect(market.instrument(named: name)?.shard == future.shard)
    }
  }

  @Test(arguments: [0, 1, 11, 70_000, -4])
  func tooFewOrTooManyShardsAreRefusedWithTheReason(_ count: Int) {
    #expect {
      try ShippedListingTests.open(shards: count)
    } throws: { error in
      let error = error as? ListingError
      return error?.field == "shards" && error?.rule.contains("must be 2 to 10") == true
    }
  }

  @Test func shardsGoWhereTheLoadIs() {
    let plan = ShardPlan(loads: [[100, 90, 80, 10], [20, 20]], count: 4)
    #expect(plan.shards == [[0, 1, 2, 2], [3, 3]])
  }
}

@Suite struct ContractAddressTests {
  @Test func theSubIDIsDerivesOptionEncoding() throws {
    // The published sub-ids of ETH-20270625-6000-P and -C.
    let expiry = try #require(CalendarDay("2027-06-25")).expiry
    let put = ContractAddress.subID(kind: .put, expiry: expiry, strike: Price(whole: 6_000))
    #expect(put.description == "0x" + String(repeating: "0", count: 46) + "8bb2c970006c1e1380")
    let call = ContractAddress.subID(kind: .call, expiry: expiry, strike: Price(whole: 6_000))
    #expect(call.description == "0x" + String(repeating: "0", count: 40) + "80000" + "08bb2c970006c1e1380")
    #expect(ContractAddress.subID(kind: .perpetual, expiry: .never, strike: .zero) == .zero)
  }

  @Test func theAssetTellsUnderlyingAndSettlement() {
    #expect(
      ContractAddress.asset(underlying: "BTC", settlement: .coin).description
        == "0x6e6f766174696f6e425443000000000000000002")
  }
}

@Suite struct CalendarDayTests {
  @Test func datesAndNumbersAgreeOverTheWholeRange() {
    var previous: CalendarDay?
    for number in CalendarDay.numbers {
      let day = CalendarDay(number: number)
      let (year, month, date) = day.civil
      #expect(CalendarDay(year: year, month: month, day: date) == day)
      #expect(CalendarDay(day.description) == day)
      if let previous { #expect(previous < day) }
      previous = day
    }
    #expect(CalendarDay("2027-03-27")?.contractName == "27MAR27")
    #expect(CalendarDay("2026-02-06")?.contractName == "6FEB26")
    #expect(CalendarDay("2026-02-06")?.expiry == Timestamp(seconds: 1_770_364_800))
    #expect(CalendarDay(of: Timestamp(seconds: 1_770_364_800)) == CalendarDay("2026-02-06"))
  }

  @Test(arguments: ["2027-02-29", "2027-13-01", "2027-00-10", "1969-12-31", "27-03-2027", "2027-3-7", "", "2027-03-"])
  func datesThatDoNotExistAreRefused(_ text: String) { #expect(CalendarDay(text) == nil) }
}
