import Bytes
import Market
import Testing

@testable import Clearing

@Suite struct CoveringTests {
  /// A charge for `lots` at `price` as shards compute it: stand-alone margin, loss to mark and fee, each rounded up.
  static func charge(
    _ instrument: Instrument, lots: Int64, at price: Price, mark: Price, currencyIndex: Price,
    margin: PublishedMargin, fee: UInt32
  ) -> (charge: Int128, cash: Int64, fee: Int64) {
    let size = Lots(abs(lots))
    let flow = instrument.buyerCashFlow(size, at: price)!.units
    let fair = instrument.buyerCashFlow(size, at: mark)!.units
    // What is paid beyond the mark, in the settlement currency.
    let lost = max(0, lots > 0 ? fair - flow : flow - fair)
    let paid = Int64((Int128(flow.magnitude) * Int128(fee)).ceiledQuotient(by: 1_000_000))
    let usd = ((Int128(lost) + Int128(paid)) * Int128(currencyIndex.units)).ceiledQuotient(by: Int128(fixedPointScale))
    let perLot = lots > 0 ? margin.toBuy : margin.toSell
    return (Int128(size.count) * Int128(perLot.units) + usd, lots > 0 ? flow : -flow, paid)
  }

  /// Random marks: every lane of every array is noise, so that no shape of a real surface helps.
  static func noise(_ definition: MarketDefinition, _ random: inout Seeded) -> [RiskMarks] {
    definition.underlyings.indices.map { underlying in
      let index = Price(units: random.within(100_000_000...20_000_000_000_000))
      let scenarios = Int(random.within(1...32))
      func array(_ reach: Int64) -> [Money] {
        (0..<scenarioLanes).map { $0 < scenarios ? Money(units: random.within(-reach...reach)) : .zero }
      }
      let entries = definition.instruments.filter { Int($0.underlying.rawValue) == underlying }.map { instrument in
        let mark =
          instrument.settlement == .coin
          ? random.within(1...50_000_000) : random.within(max(1, index.units / 2)...index.units * 2)
        return RiskMarks.Entry(
          instrument: instrument.id, mark: Price(units: mark),
          profitAndLoss: array(random.within(0...100_000_000_000)))
      }
      return RiskMarks(
        version: 1, stamp: TestMarket.opening, underlying: UnderlyingID(UInt8(underlying)), index: index,
        scenarioCount: UInt8(scenarios), coinProfitAndLoss: array(index.units / 2), entries: entries)
    }
  }

  @Test(arguments: 0..<40) func aChargeCoversTheMarginItCausesForEveryPortfolio(seed: UInt64) throws {
    var random = Seeded(seed)
    let factor = UInt32(random.within(500_000...2_000_000))
    let definition = TestMarket.definition { $0.initialMarginFactor = factor }
    var board = try #require(RiskBoard(definition))
    for marks in Self.noise(definition, &random) {
      #expect(board.accepts(marks, at: TestMarket.opening))
      board.replace(with: marks)
    }
    var sums = ScenarioSums()
    for _ in 0..<250 {
      var account = Account(
        id: AccountID(1), owner: .zero, currencies: 3, underlyings: 2, shards: definition.shards.count)
      for currency in 0..<3 where random.chance(60) {
        account.ledger[currency] = random.within(-1_000_000_000_000...1_000_000_000_000)
      }
      for instrument in definition.instruments where random.chance(50) {
        account.exposures[Int(instrument.underlying.rawValue)].set(random.within(-5_000...5_000), of: instrument.id)
      }
      let instrument = definition.instruments[random.below(definition.instruments.count)]
      let id = Int(instrument.id.rawValue)
      let underlying = Int(instrument.underlying.rawValue)
      let currency = Int(instrument.settlementCurrency.rawValue)
      let mark = Price(units: board.marks[id])
      let band = Price(units: max(1, mark.units / 10))
      let price = Price(units: max(1, random.within(mark.units - band.units...mark.units + band.units)))
      let currencyIndex = Price(units: board.index(of: currency))
      let margin = try PublishedMargin(instrument, on: board, band: band)
      var lots: Int64 = 0
      while lots == 0 { lots = random.chance(50) ? random.within(-3...3) : random.within(-4_000...4_000) }
      let (charge, cash, fee) = Self.charge(
        instrument, lots: lots, at: price, mark: mark, currencyIndex: currencyIndex, margin: margin,
        fee: definition.parameters.takerFee)
      account.invalidate()
      let before = try #require(board.standing(of: &account, sums: &sums))
      let held = account.exposures[underlying].lots(of: instrument.id)
      account.exposures[underlying].set(held + lots, of: instrument.id)
      account.ledger[currency] += cash - fee
      account.invalidate()
      let after = try #require(board.standing(of: &account, sums: &sums))
      let fall = Int128(before.free.units) - Int128(after.free.units)
      #expect(fall <= charge, "seed \(seed): \(instrument.name) \(lots) at \(price), mark \(mark)")
    }
  }

  @Test func aChargeWithoutContingencyDoesNotCover() throws {
    // The property can fail: the same short option, margined without its contingency, is not covered.
    let definition = TestMarket.definition()
    var board = try #require(RiskBoard(definition))
    board.replace(
      with: TestMarket.marks(
        definition, underlying: UnderlyingID(0), index: Price(whole: 100_000), version: 1, at: TestMarket.opening))
    var sums = ScenarioSums()
    var account = Account(id: AccountID(1), owner: .zero, currencies: 3, underlyings: 2, shards: 4)
    account.exposures[0].set(-1, of: TestMarket.call)
    account.ledger[0] = board.marks[2] / 100
    let after = try #require(board.standing(of: &account, sums: &sums))
    let worst = (0..<TestMarket.scenarios).map { board.profitAndLoss[2 * scenarioLanes + $0] }.max()!
    #expect(-after.free.units > worst)
  }
}
