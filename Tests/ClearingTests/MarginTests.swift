import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct MarginTests {
  @Test func aLinearPositionIsMarginedByItsWorstScenario() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 100_000))
    driver.mark(index: 100_000)
    driver.fill(1, TestMarket.perpetual, lots: 1_000, at: Price(whole: 100_000))
    // One BTC long; the worst of the moves is −30 %.
    let standing = driver.view(1).standing
    #expect(standing?.equity == Money(whole: 100_000))
    #expect(standing?.initialMargin == Money(whole: 30_000))
    #expect(standing?.maintenanceMargin == Money(whole: 22_500))
  }

  @Test func aSpreadOverTwoShardsIsMarginedAsASpread() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 100_000))
    driver.mark(index: 100_000)
    driver.fill(1, TestMarket.perpetual, lots: 1_000, at: Price(whole: 100_000))
    driver.fill(1, TestMarket.future, lots: -1_000, at: Price(whole: 100_000))
    #expect(driver.view(1).standing?.initialMargin == .zero)
    #expect(driver.view(1).positions.count == 2)
  }

  @Test func underlyingsDoNotOffsetEachOther() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 100_000))
    driver.mark(index: 100_000)
    driver.mark(1, index: 4_000)
    driver.fill(1, TestMarket.perpetual, lots: 1_000, at: Price(whole: 100_000))
    driver.fill(1, TestMarket.etherPerpetual, lots: -2_500, at: Price(whole: 4_000))
    #expect(driver.view(1).standing?.initialMargin == Money(whole: 60_000))
  }

  @Test func aShortOptionPaysContingencyAndAnEqualLongDoesNotFreeIt() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 100_000))
    driver.mark(index: 100_000)
    let before = driver.view(1).standing!
    driver.fill(1, TestMarket.call, lots: -10, at: Price(units: driver.machine.board.marks[2]))
    let short = driver.view(1).standing!
    let worst = (0..<TestMarket.scenarios).map { 10 * driver.machine.board.profitAndLoss[2 * scenarioLanes + $0] }
      .max()!
    // 10 lots of 0.01 BTC are 10,000 USD of notional: contingency 50 USD at 5,000 per million.
    #expect(short.initialMargin.units == worst + Money(whole: 50).units)
    #expect(short.equity == before.equity)
    #expect(short.initialMargin > short.maintenanceMargin)
  }

  @Test func equityConvertsCoinsAtTheIndexAndHaircutsBelongToMarginOnly() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 2), in: TestMarket.btc)
    #expect(driver.view(1).standing == nil)
    driver.mark(index: 100_000)
    let standing = driver.view(1).standing!
    #expect(standing.equity == Money(whole: 200_000))
    // 5 % haircut and a 30 % fall.
    #expect(standing.initialMargin == Money(whole: 10_000 + 60_000))
    #expect(standing.maintenanceMargin == Money(whole: 10_000 + 45_000))
  }

  @Test func anInverseShortAgainstItsCoinIsHedged() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1), in: TestMarket.btc)
    driver.mark(index: 100_000)
    let alone = driver.view(1).standing!
    // 100,000 USD of the inverse perpetual sold: the coin's fall is the short's gain.
    driver.fill(1, TestMarket.inverse, lots: -10_000, at: Price(whole: 100_000))
    let hedged = driver.view(1).standing!
    #expect(hedged.equity == alone.equity)
    #expect(hedged.initialMargin.units < alone.initialMargin.units / 4)
  }

  @Test func aPositionWithoutAMarkCannotBeMeasuredAndGetsNoCredit() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1_000))
    driver.fill(1, TestMarket.perpetual, lots: 1, at: Price(whole: 100_000))
    #expect(driver.view(1).standing == nil)
    _ = driver.take()
    driver.deposit(1, Money(whole: 1_000_000))
    #expect(driver.take(Credit.self).isEmpty)
    driver.mark(index: 100_000)
    #expect(driver.view(1).standing != nil)
    #expect(!driver.take(Credit.self).isEmpty)
  }

  @Test func sumsBeyondTheirBoundsAreNeverAWrongMargin() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1_000_000))
    var marks = TestMarket.marks(
      driver.definition, underlying: UnderlyingID(0), index: Price(whole: 100_000), version: 1, at: driver.now)
    for lane in 0..<scenarioLanes { marks.entries[0].profitAndLoss[lane] = Money(units: .min) }
    driver.input(.marks, marks.encoded)
    driver.fill(1, TestMarket.perpetual, lots: 5, at: Price(whole: 100_000))
    #expect(driver.view(1).standing == nil)
  }

  @Test func scenariosAreShownPerExpiryAndAddUp() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 100_000))
    driver.mark(index: 100_000)
    driver.fill(1, TestMarket.perpetual, lots: 10, at: Price(whole: 100_000))
    driver.fill(1, TestMarket.call, lots: -3, at: Price(whole: 10_000))
    driver.fill(1, TestMarket.put, lots: 4, at: Price(whole: 5_000))
    let profile = driver.machine.scenarios(of: AccountID(1))
    #expect(profile.count == 1)
    #expect(profile[0].buckets.map(\.expiry) == [TestMarket.expiry, TestMarket.later, .never])
    for lane in 0..<TestMarket.scenarios {
      #expect(profile[0].buckets.reduce(0) { $0 + $1.profitAndLoss[lane].units } == profile[0].total[lane].units)
    }
  }

  @Test func onlyNewerMarksFromThePastAreTaken() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1), in: TestMarket.btc)
    driver.mark(index: 100_000)
    func offer(_ driver: inout RiskDriver, version: UInt64, at stamp: Timestamp) -> Bool {
      let marks = TestMarket.marks(
        driver.definition, underlying: UnderlyingID(0), index: Price(whole: 50_000), version: version, at: stamp)
      driver.input(.marks, marks.encoded)
      return driver.view(1).standing!.equity == Money(whole: 50_000)
    }
    #expect(!offer(&driver, version: 1, at: driver.now))
    #expect(!offer(&driver, version: 2, at: driver.now + .seconds(3)))
    #expect(!offer(&driver, version: 2, at: Timestamp(nanoseconds: driver.now.nanoseconds - 1)))
    #expect(offer(&driver, version: 2, at: driver.now))
  }
}
