import Market
import Testing

@testable import Pricing

/// A portfolio as clearing holds it: lots per instrument and a ledger per currency.
private struct Portfolio {
  var lots: [InstrumentID: Int64] = [:]
  var coins: Int64 = 0

  /// Initial margin of one underlying in units of 1e-8 dollars, in integers: worst loss times factor, the contingency
  /// of short options, and the haircut on the coins of ledger and positions taken together.
  func initialMargin(_ marks: RiskMarks, in market: MarketDefinition, weight: Int128) throws -> Int128 {
    var worst: Int128 = 0
    for scenario in 0..<Int(marks.scenarioCount) {
      var sum = Self.floor(Int128(coins) * Int128(marks.coinProfitAndLoss[scenario].units), 100_000_000)
      for entry in marks.entries {
        sum += Int128(lots[entry.instrument] ?? 0) * Int128(entry.profitAndLoss[scenario].units)
      }
      worst = max(worst, -sum)
    }
    var net = Int128(coins)
    var contingency: Int128 = 0
    for entry in marks.entries {
      guard let held = lots[entry.instrument], let instrument = market[entry.instrument] else { continue }
      if instrument.settlement != .linear {
        net += Int128(try #require(instrument.positionValue(Lots(held), at: entry.mark)).units)
      }
      if held < 0, instrument.kind.isOption {
        let notional = Int128(instrument.lotSize.units) * Int128(marks.index.units) / 100_000_000
        contingency += Int128(-held) * (notional / 200 + 1)
      }
    }
    let haircut = -Self.floor(-max(0, net) * Int128(marks.index.units) * (1_000_000 - weight), 100_000_000_000_000)
    let factor = Int128(market.parameters.initialMarginFactor)
    return -Self.floor(-worst * factor, 1_000_000) + contingency + haircut
  }

  private static func floor(_ a: Int128, _ divisor: Int128) -> Int128 {
    a >= 0 ? a / divisor : -((-a + divisor - 1) / divisor)
  }
}

@Suite struct CoveringMarginTests {
  /// What a fill adds to the margin of any portfolio is at most what its shard charges for it.
  @Test(arguments: [700_000, 1_000_000, 1_300_000] as [UInt32])
  func theChargeOfALotCoversTheMarginItAddsToAnyPortfolio(_ factor: UInt32) throws {
    var random = Random(seed: UInt64(factor))
    var market = Fixture.market
    market.parameters.initialMarginFactor = factor
    let calculator = try MarkCalculator(market: market, surface: Fixture.surface)
    var checks = 0
    var tightest = Double.infinity
    for underlying in [Fixture.bitcoin, Fixture.ether] {
      for round in 0..<6 {
        let index = Price(units: market.underlyings[Int(underlying.rawValue)].openingIndex.units / 8 * Int64(5 + round))
        let published = try calculator.marks(
          of: underlying, index: index, now: Fixture.now + .days(Int64(round)), version: 1)
        let entries = published.shards.flatMap { $0.marks.entries }
        let weight = Int128(market.currencies[Int(underlying.rawValue) + 1].collateralWeight)
        for _ in 0..<300 {
          var portfolio = Portfolio(coins: random.whole(-5_000_000_000...5_000_000_000))
          for _ in 0..<random.whole(0...8) {
            portfolio.lots[entries.randomElement(using: &random)!.instrument] = random.whole(-500...500)
          }
          let entry = entries.randomElement(using: &random)!
          let instrument = try #require(market[entry.instrument])
          let lots = random.whole(1...100)
          let price = Price(units: random.whole(entry.bandLow.units...entry.bandHigh.units))
          let flow = try #require(instrument.buyerCashFlow(Lots(lots), at: price))
          let before = try portfolio.initialMargin(published.risk, in: market, weight: weight)
          for side in Side.allCases {
            var after = portfolio
            after.lots[instrument.id, default: 0] += side.sign * lots
            if instrument.settlement != .linear { after.coins += side.sign * flow.units }
            let added = try after.initialMargin(published.risk, in: market, weight: weight) - before
            let charge = Int128((side == .buy ? entry.marginToBuy : entry.marginToSell).units) * Int128(lots)
            #expect(added <= charge, "\(instrument.name) \(side) \(lots) at \(price): adds \(added), charged \(charge)")
            if added > 0 { tightest = min(tightest, Double(charge) / Double(added)) }
            checks += 1
          }
        }
      }
    }
    #expect(checks == 7_200)
    #expect(tightest < 1.5, "a charge that is never nearly needed would be a test that cannot fail")
  }

  @Test func everyChargeHasRoomForRoundings() throws {
    let published = try MarkCalculatorTests.marks()
    let entries = published.shards.flatMap { $0.marks.entries }
    for risk in published.risk.entries {
      let instrument = try #require(Fixture.market[risk.instrument])
      guard instrument.settlement == .linear else { continue }
      let entry = try #require(entries.first { $0.instrument == risk.instrument })
      let values = risk.profitAndLoss.map(\.units)
      #expect(entry.marginToBuy.units > -(values.min() ?? 0), "\(instrument.name)")
      #expect(entry.marginToSell.units > values.max() ?? 0, "\(instrument.name)")
    }
  }

  @Test func aBoughtOptionNeverNeedsMoreThanItsWorstPremiumAndItsCoins() throws {
    let marks = try MarkCalculatorTests.marks()
    for entry in marks.shards.flatMap({ $0.marks.entries }) {
      let instrument = try #require(Fixture.market[entry.instrument])
      guard instrument.kind.isOption, instrument.settlement == .linear else { continue }
      let premium = try #require(instrument.notional(Lots(1), at: entry.mark))
      #expect(entry.marginToBuy.units <= premium.units + 1_000, "\(instrument.name)")
    }
  }

  @Test func sellingAnOptionCostsTheContingencyOnTop() throws {
    var settings = MarkSettings()
    settings.shortOptionContingency = 0.005
    let index = Price(whole: 100_000)
    let without = try Fixture.calculator(settings).marks(
      of: Fixture.bitcoin, index: index, now: Fixture.now, version: 1)
    settings.shortOptionContingency = 0.015
    let with = try Fixture.calculator(settings).marks(of: Fixture.bitcoin, index: index, now: Fixture.now, version: 1)
    for (a, b) in zip(without.shards.flatMap { $0.marks.entries }, with.shards.flatMap { $0.marks.entries }) {
      let instrument = try #require(Fixture.market[a.instrument])
      let expected = instrument.kind.isOption ? instrument.lotSize.units * 1_000 : 0
      #expect(abs(b.marginToSell.units - a.marginToSell.units - expected) <= 1)
      #expect(b.marginToBuy == a.marginToBuy)
    }
  }
}
