import Bytes
import Glibc
import Market
import Testing

@testable import Pricing

@Suite struct MarkCalculatorTests {
  static func marks(
    _ index: Int64 = 100_000, underlying: UnderlyingID = Fixture.bitcoin, now: Timestamp = Fixture.now,
    previous: Timestamp? = nil
  ) throws -> UnderlyingMarks {
    try Fixture.calculator().marks(
      of: underlying, index: Price(whole: index), now: now, previous: previous, version: 9)
  }

  @Test func everyLiveInstrumentIsMarkedOnceForRiskAndOnceForItsShard() throws {
    let marks = try Self.marks()
    let listed = Fixture.market.instruments.filter { $0.underlying == Fixture.bitcoin }
    #expect(marks.risk.entries.map(\.instrument) == listed.map(\.id))
    #expect(marks.shards.map(\.shard) == [ShardID(0), ShardID(1)])
    #expect(marks.leftOut.isEmpty)
    for (shard, marks) in marks.shards {
      #expect(marks.entries.map(\.instrument) == listed.filter { $0.shard == shard }.map(\.id))
      #expect(marks.version == 9 && marks.stamp == Fixture.now && marks.index == Price(whole: 100_000))
      #expect(try ShardMarks(decoding: marks.encoded) == marks)
    }
    #expect(try RiskMarks(decoding: marks.risk.encoded) == marks.risk)
  }

  @Test func marksAreTheFormulasInTheContractsOwnQuotation() throws {
    let marks = try Self.marks()
    func mark(_ name: String) throws -> Double {
      let id = try #require(Fixture.market.instrument(named: name)).id
      return try #require(marks.risk.entries.first { $0.instrument == id }).mark.dollars
    }
    #expect(try mark("BTC-PERPETUAL") == 100_000)
    #expect(try mark("BTC_USDC-PERPETUAL") == 100_000)
    let forward = 100_000 * exp(0.04 * 7 / 365)
    #expect(try abs(mark("BTC-7") - forward) < 1e-6)
    let option = try #require(
      Black76(.call, forward: forward, strike: 100_000, volatility: 0.5, years: 7.0 / 365))
    #expect(try abs(mark("BTC_USDC-7-100000-C") - option.price) < 1e-6)
    #expect(try abs(mark("BTC-7-100000-C") - option.price / forward) <= 0.5e-8)
  }

  /// Of one lot: coins of the underlying, and USD per volatility point.
  @Test func deltaAndVegaAreOfOneLotInEveryQuotation() throws {
    let marks = try Self.marks()
    func entry(_ name: String) throws -> (instrument: Instrument, delta: Double, vega: Double) {
      let listed = try #require(Fixture.market.instrument(named: name))
      let entry = try #require(marks.shards.flatMap(\.marks.entries).first { $0.instrument == listed.id })
      return (listed, Double(entry.delta) / 1e8, Double(entry.vega) / 1e8)
    }
    let forward = 100_000 * exp(0.04 * 7 / 365)
    let inverse = try entry("BTC-PERPETUAL")
    #expect(abs(inverse.delta - inverse.instrument.lotSize.amount / 100_000) <= 1e-8 && inverse.vega == 0)
    let dated = try entry("BTC-7")
    #expect(abs(dated.delta - dated.instrument.lotSize.amount / forward) <= 1e-8 && dated.vega == 0)
    let linear = try entry("BTC_USDC-PERPETUAL")
    #expect(abs(linear.delta - linear.instrument.lotSize.amount) <= 1e-8 && linear.vega == 0)
    let call = try #require(Black76(.call, forward: forward, strike: 100_000, volatility: 0.5, years: 7.0 / 365))
    // A volatility point by revaluation, not by the formula that is checked.
    let up = try #require(Black76(.call, forward: forward, strike: 100_000, volatility: 0.505, years: 7.0 / 365))
    let down = try #require(Black76(.call, forward: forward, strike: 100_000, volatility: 0.495, years: 7.0 / 365))
    let point = up.price - down.price
    let dollar = try entry("BTC_USDC-7-100000-C")
    #expect(abs(dollar.delta - call.delta * dollar.instrument.lotSize.amount) <= 1e-8)
    #expect(abs(dollar.vega / (point * dollar.instrument.lotSize.amount) - 1) < 1e-4)
    let coin = try entry("BTC-7-100000-C")
    #expect(abs(coin.delta - call.delta * coin.instrument.lotSize.amount) <= 1e-8)
    #expect(abs(coin.vega / (point * coin.instrument.lotSize.amount * 100_000 / forward) - 1) < 1e-4)
    for entry in marks.shards.flatMap(\.marks.entries) {
      let listed = try #require(Fixture.market[entry.instrument])
      #expect(listed.kind == .put ? entry.delta <= 0 : entry.delta >= 0, "\(listed.name)")
      #expect(entry.vega >= 0)
    }
  }

  @Test func arraysAreTheRevaluedContractInDollars() throws {
    let marks = try Self.marks()
    let grid = ScenarioGrid.standard
    func array(_ name: String) throws -> [Money] {
      let id = try #require(Fixture.market.instrument(named: name)).id
      return try #require(marks.risk.entries.first { $0.instrument == id }).profitAndLoss
    }
    let forward = 100_000 * exp(0.04 * 7 / 365)
    for (lane, scenario) in grid.scenarios.enumerated() {
      let change = 100_000 * (scenario.priceFactor - 1) * scenario.damping
      #expect(abs(marks.risk.coinProfitAndLoss[lane].units - Int64((change * 1e8).rounded())) <= 1)
      #expect(try array("BTC-PERPETUAL")[lane] == .zero, "an inverse contract's risk lies in the coins that paid it")
      #expect(try abs(Double(array("BTC_USDC-PERPETUAL")[lane].units) - change * 1e5) <= 1)
      let volatility = grid.shocks.shocked(0.5, scenario.volatility, days: 7)
      func price(_ factor: Double, _ volatility: Double) throws -> Double {
        try #require(
          Black76(.call, forward: forward * factor, strike: 100_000, volatility: volatility, years: 7.0 / 365)
        ).price
      }
      let dollars = try (price(scenario.priceFactor, volatility) - price(1, 0.5)) * scenario.damping
      #expect(try abs(Double(array("BTC_USDC-7-100000-C")[lane].units) - dollars * 1e6) <= 2)
      // In coin: what it is worth there at the scenario's coin price, less what it is worth here.
      let here = try price(1, 0.5) / forward * 100_000
      let there =
        try price(scenario.priceFactor, volatility) / (forward * scenario.priceFactor) * 100_000
        * scenario.priceFactor
      let coins = try Double(array("BTC-7-100000-C")[lane].units)
      #expect(abs(coins - (there - here) * scenario.damping * 1e7) <= 2)
    }
    for lane in grid.scenarios.count..<scenarioLanes {
      #expect(marks.risk.coinProfitAndLoss[lane] == .zero)
      #expect(marks.risk.entries.allSatisfy { $0.profitAndLoss[lane] == .zero })
    }
  }

  @Test func theSameArgumentsGiveTheSameIntegers() throws {
    #expect(try Self.marks().risk.encoded == Self.marks().risk.encoded)
    #expect(try Self.marks() == Self.marks())
    #expect(try Self.marks(100_001) != Self.marks())
  }

  @Test func bandsAreWholeTicksWithinTheLadderAndHoldTheMark() throws {
    for index in [1_000, 60_000, 100_000, 900_000] as [Int64] {
      for (_, marks) in try Self.marks(index).shards {
        for entry in marks.entries {
          let instrument = try #require(Fixture.market[entry.instrument])
          #expect(entry.bandLow.units >= instrument.tickSize.units)
          #expect(entry.bandLow.units % instrument.tickSize.units == 0)
          #expect(entry.bandHigh.units % instrument.tickSize.units == 0)
          #expect(entry.bandHigh.units / instrument.tickSize.units < PriceBand.tickLimit)
          #expect(entry.bandLow <= max(entry.mark, instrument.tickSize) && entry.mark <= entry.bandHigh)
          #expect(entry.marginToBuy > .zero && entry.marginToSell > .zero)
        }
      }
    }
  }

  @Test func whatCannotBeMarkedIsLeftOutWithItsReason() throws {
    // At 3,000,000 dollars half-dollar ticks do not reach the mark.
    let marks = try Self.marks(3_000_000)
    let reasons = Dictionary(uniqueKeysWithValues: marks.leftOut.map { ($0.name, $0.reason) })
    #expect(reasons["BTC-PERPETUAL"]?.field == "mark")
    #expect(reasons["BTC-7"] == nil)
    let missing = Set(marks.leftOut.map(\.instrument))
    #expect(!marks.risk.entries.contains { missing.contains($0.instrument) })
    #expect(!marks.shards.contains { $0.marks.entries.contains { missing.contains($0.instrument) } })
  }

  @Test func anOptionWithoutASmileIsLeftOut() throws {
    let bare = VolatilitySurface(
      underlyings: [try UnderlyingSurface(carry: 0, slices: []), try UnderlyingSurface(carry: 0, slices: [])])
    let marks = try MarkCalculator(market: Fixture.market, surface: bare).marks(
      of: Fixture.ether, index: Price(whole: 4_000), now: Fixture.now, version: 1)
    #expect(marks.risk.entries.count == 1 && marks.leftOut.count == 6)
    #expect(marks.leftOut.allSatisfy { $0.reason.field == "volatility" })
  }

  @Test func aLotTooLargeForTheRiskArrayIsLeftOut() throws {
    var market = Fixture.market
    market.instruments[1].lotSize = Quantity(whole: 10_000)
    let marks = try MarkCalculator(market: market, surface: Fixture.surface).marks(
      of: Fixture.bitcoin, index: Price(whole: 100_000), now: Fixture.now, version: 1)
    #expect(marks.leftOut.map(\.name) == ["BTC_USDC-PERPETUAL"])
  }

  @Test func anIndexThatIsNoPriceIsRefused() throws {
    for units in [0, -1, Int64.min, 1, .max] {
      #expect(throws: PricingRefusal.self) {
        try Fixture.calculator().marks(of: Fixture.bitcoin, index: Price(units: units), now: Fixture.now, version: 1)
      }
    }
    #expect(throws: PricingRefusal.self) { try Self.marks(underlying: UnderlyingID(7)) }
  }

  @Test func anExpiredInstrumentAppearsOnceMoreAtItsSettlementPrice() throws {
    let expiry = Fixture.now + .days(7)
    let last = try Self.marks(now: expiry, previous: expiry + .milliseconds(-1))
    for entry in last.risk.entries {
      let instrument = try #require(Fixture.market[entry.instrument])
      guard instrument.expiry == expiry else { continue }
      let settled = try #require(instrument.settlementPrice(index: Price(whole: 100_000)))
      #expect(abs(entry.mark.units - settled.units) <= 1, "\(instrument.name)")
    }
    let before = try Self.marks(now: expiry + .milliseconds(-1)).risk.entries.count
    #expect(last.risk.entries.count == before)
    #expect(try Self.marks(now: expiry + .seconds(1), previous: expiry).risk.entries.count < before)
    #expect(try Self.marks(now: expiry, previous: nil).risk.entries.count < before)
    // Its shard keeps hearing the index when nothing of it is left.
    let end = try Self.marks(now: Fixture.now + .days(91), previous: Fixture.now + .days(90))
    #expect(end.shards.map(\.shard) == [ShardID(0), ShardID(1)] && end.shards[1].marks.entries.isEmpty)
  }

  @Test func aMarketThatContradictsItsSurfaceOrItsCurrenciesIsRefused() throws {
    #expect(throws: PricingRefusal.self) {
      try MarkCalculator(market: Fixture.market, surface: VolatilitySurface(underlyings: []))
    }
    var market = Fixture.market
    market.instruments[0].settlementCurrency = .usd
    #expect(throws: PricingRefusal.self) { try MarkCalculator(market: market, surface: Fixture.surface) }
    for (name, settlement) in [("BTC_USDC-PERPETUAL", Instrument.Settlement.coin), ("BTC_USDC-7-60000-C", .inverse)] {
      market = Fixture.market
      let index = try #require(market.instruments.firstIndex { $0.name == name })
      market.instruments[index].settlement = settlement
      market.instruments[index].settlementCurrency = Currency(1)
      #expect(throws: PricingRefusal.self) { try MarkCalculator(market: market, surface: Fixture.surface) }
    }
    var settings = MarkSettings()
    settings.futureBand = .nan
    #expect(throws: PricingRefusal.self) { try Fixture.calculator(settings) }
  }
}

@Suite struct ScenarioGridTests {
  @Test func theStandardGridIsThatOfPMRM2() {
    let grid = ScenarioGrid.standard
    #expect(grid.scenarios.count == 29 && grid.scenarios.count <= scenarioLanes - 2)
    #expect(grid.scenarios.first == Scenario(priceFactor: 1.18, volatility: .up))
    #expect(grid.scenarios[22] == Scenario(priceFactor: 0.82, volatility: .up))
    #expect(grid.scenarios.contains(.unmoved))
  }

  @Test func volatilityShocksFadeWithTime() {
    let shocks = VolatilityShocks()
    #expect(shocks.shocked(0.6, .none, days: 3) == 0.6)
    #expect(abs(shocks.shocked(0.6, .up, days: 30) - 0.9) < 1e-12)
    #expect(abs(shocks.shocked(0.6, .down, days: 30) - 0.6 * 0.725) < 1e-12)
    #expect(abs(shocks.shocked(0.6, .up, days: 0.1) - 0.6 * (1 + 0.5 * pow(30, 0.3))) < 1e-12)
    #expect(abs(shocks.shocked(0.6, .up, days: 365) - 0.6 * (1 + 0.5 * pow(30 / 365.0, 0.13))) < 1e-12)
    #expect(shocks.shocked(0.1, .up, days: 30) == 0.45)
  }

  @Test func aGridThatIsTooSmallTooLargeOrWithoutTheUnmovedIsRefused() {
    let unmoved = [Scenario](repeating: .unmoved, count: 16)
    #expect((try? ScenarioGrid(scenarios: unmoved)) != nil)
    #expect(throws: PricingRefusal.self) { try ScenarioGrid(scenarios: Array(unmoved.dropLast())) }
    #expect(throws: PricingRefusal.self) { try ScenarioGrid(scenarios: unmoved + unmoved + [.unmoved]) }
    let moved = [Scenario](repeating: Scenario(priceFactor: 1.1, volatility: .up), count: 16)
    #expect(throws: PricingRefusal.self) { try ScenarioGrid(scenarios: moved) }
    let absurd = unmoved + [Scenario(priceFactor: .nan, volatility: .up)]
    #expect(throws: PricingRefusal.self) { try ScenarioGrid(scenarios: absurd) }
  }
}
