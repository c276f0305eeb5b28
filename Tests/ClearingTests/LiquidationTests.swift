import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct LiquidationTests {
  /// 4,000 USD and 0.12 BTC long at 100,000: maintenance margin breaks near 86,000.
  static func falling() -> RiskDriver {
    var driver = CreditTests.open()
    driver.fill(1, TestMarket.perpetual, lots: 120, at: Price(whole: 100_000), consumed: Money(whole: 100))
    driver.acknowledgeCredits()
    driver.mark(index: 86_000)
    return driver
  }

  static func takeFreeze(_ driver: inout RiskDriver, _ shards: Range<Int> = 0..<4, id: UInt64 = 1) {
    for shard in shards {
      driver.from(
        shard,
        FreezeTaken(
          account: AccountID(1), id: id, fillNumber: driver.machine.consumedFills[shard],
          consumed: driver.view(1).credit[shard].consumed))
    }
  }

  @Test func anAccountBelowMaintenanceIsFrozenEverywhere() {
    var driver = Self.falling()
    #expect(driver.view(1).standing!.isBelowMaintenance)
    #expect(driver.view(1).isFrozen)
    #expect(driver.machine.totals().underLiquidation == 1)
    #expect(driver.take(Freeze.self) == Array(repeating: Freeze(account: AccountID(1), id: 1), count: 4))
  }

  @Test func nothingIsReducedBeforeEveryLiveShardHasFrozenIt() {
    var driver = Self.falling()
    _ = driver.take()
    Self.takeFreeze(&driver, 0..<3)
    #expect(driver.take(Liquidate.self).isEmpty)
    Self.takeFreeze(&driver, 3..<4)
    #expect(driver.take(Liquidate.self).count == 1)
  }

  @Test func aSilentShardDoesNotBlock() {
    var driver = Self.falling()
    _ = driver.take()
    driver.advance(.milliseconds(1_900))
    for shard in 0..<3 { driver.from(shard, Heartbeat(number: 2, stamp: driver.now)) }
    Self.takeFreeze(&driver, 0..<3)
    #expect(driver.take(Liquidate.self).isEmpty)
    driver.tick(after: .milliseconds(250))
    #expect(driver.take(Liquidate.self).count == 1)
  }

  @Test func fillsBehindTheFreezeAreAwaited() {
    var driver = Self.falling()
    _ = driver.take()
    Self.takeFreeze(&driver, 1..<4)
    driver.from(0, FreezeTaken(account: AccountID(1), id: 1, fillNumber: 2, consumed: Money(whole: 100)))
    #expect(driver.take(Liquidate.self).isEmpty)
    driver.fill(1, TestMarket.perpetual, lots: -10, at: Price(whole: 86_000), consumed: Money(whole: 100))
    driver.tick(after: .milliseconds(250))
    #expect(driver.take(Liquidate.self).count == 1)
  }

  @Test func theStepIsTheFewestLotsThatRestoreInitialMarginWithinTheBand() throws {
    var driver = Self.falling()
    _ = driver.take()
    Self.takeFreeze(&driver)
    let step = try #require(driver.take(Liquidate.self).first)
    // equity 4,000 − 0.12·14,000 = 2,320; initial margin 25.80 a lot: 89 lots may stay.
    #expect(step.lots == Lots(-31))
    #expect(step.instrument == TestMarket.perpetual)
    #expect(step.limit == Price(units: Price(whole: 86_000).units * 95 / 100))
    driver.fill(
      1, TestMarket.perpetual, lots: -31, at: Price(whole: 86_000), consumed: Money(whole: 100), kind: .liquidation)
    driver.from(
      0, LiquidationResult(account: AccountID(1), step: step.step, filled: Lots(-31), outcome: .filled))
    #expect(driver.view(1).standing!.free >= .zero)
    #expect(!driver.view(1).isFrozen)
    #expect(driver.take(Release.self).count == 4)
  }

  @Test func anAccountFoundHealthyBehindTheBarrierIsReleasedUntouched() {
    var driver = Self.falling()
    _ = driver.take()
    driver.mark(index: 100_000)
    Self.takeFreeze(&driver)
    let sent = driver.take()
    #expect(sent.compactMap { $0.read(Liquidate.self) }.isEmpty)
    #expect(sent.compactMap { $0.read(Release.self) }.count == 4)
  }

  @Test func aDepositInTheMidstReleases() {
    var driver = Self.falling()
    Self.takeFreeze(&driver)
    let step = driver.take(Liquidate.self)[0]
    driver.from(
      0, LiquidationResult(account: AccountID(1), step: step.step, filled: .zero, outcome: .residualCancelled))
    #expect(driver.view(1).isFrozen)
    driver.deposit(1, Money(whole: 2_000))
    #expect(!driver.view(1).isFrozen)
    let sent = driver.take()
    #expect(sent.compactMap { $0.read(Release.self) }.count == 4)
    #expect(sent.compactMap { $0.read(Liquidate.self) }.isEmpty)
  }

  @Test func aStepThatFilledNothingIsTriedAgainByTime() {
    var driver = Self.falling()
    Self.takeFreeze(&driver)
    let first = driver.take(Liquidate.self)[0]
    driver.from(0, LiquidationResult(account: AccountID(1), step: first.step, filled: .zero, outcome: .riskSilent))
    #expect(driver.take(Liquidate.self).isEmpty)
    driver.heartbeats()
    driver.tick(after: .milliseconds(250))
    driver.tick(after: .milliseconds(250))
    let second = driver.take(Liquidate.self)
    #expect(second.count == 1)
    #expect(second.first!.step > first.step)
  }

  @Test func ordersAndWithdrawalsOfAFrozenAccountAreRefused() {
    var driver = Self.falling()
    _ = driver.take()
    driver.from(0, CreditTests.request(1, 1, TestMarket.perpetual, lots: -1, charge: 10))
    #expect(driver.take(CreditRefused.self).map(\.outcome) == [.accountFrozen])
    driver.withdraw(1, Money(whole: 1), nonce: 1)
    #expect(WithdrawalTests.outcomes(driver) == [.accountFrozen])
  }

  @Test func theLargestRiskIsReducedFirstAndAHedgeIsLeft() throws {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 3_000))
    driver.mark(index: 100_000)
    driver.mark(1, index: 4_000)
    driver.heartbeats()
    // BTC is hedged by its future; the risk lies in ether.
    driver.fill(1, TestMarket.perpetual, lots: 100, at: Price(whole: 100_000))
    driver.fill(1, TestMarket.future, lots: -100, at: Price(whole: 100_000))
    driver.fill(1, TestMarket.etherPerpetual, lots: 200, at: Price(whole: 4_000))
    driver.acknowledgeCredits()
    driver.mark(1, index: 3_000)
    #expect(driver.view(1).isFrozen)
    _ = driver.take()
    Self.takeFreeze(&driver)
    let step = try #require(driver.take(Liquidate.self).first)
    #expect(step.instrument == TestMarket.etherPerpetual)
    #expect(step.lots < .zero)
  }

  @Test func aLimitIsNeverBelowOneTick() throws {
    let definition = TestMarket.definition { $0.liquidationBand = 3_000_000 }
    var driver = RiskDriver(definition)
    driver.deposit(1, Money(whole: 4_000))
    driver.mark(index: 100_000)
    driver.heartbeats()
    driver.fill(1, TestMarket.perpetual, lots: 120, at: Price(whole: 100_000))
    driver.mark(index: 80_000)
    _ = driver.take()
    Self.takeFreeze(&driver)
    let step = try #require(driver.take(Liquidate.self).first)
    #expect(step.limit == Price(units: 10_000_000))
  }
}
