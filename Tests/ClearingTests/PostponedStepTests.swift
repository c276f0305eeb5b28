import Bytes
import Machine
import Market
import Testing

@testable import Clearing

/// Steps that a shard could not try, and steps that take their time.
@Suite struct PostponedStepTests {
  /// 3,000 USD, long in ether and in a perpetual of bitcoin, both losing; ether is the larger risk.
  static func falling() -> RiskDriver {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 3_000))
    driver.mark(index: 100_000)
    driver.mark(1, index: 4_000)
    driver.heartbeats()
    driver.fill(1, TestMarket.perpetual, lots: 20, at: Price(whole: 100_000))
    driver.fill(1, TestMarket.etherPerpetual, lots: 160, at: Price(whole: 4_000))
    driver.acknowledgeCredits()
    driver.mark(1, index: 3_000)
    _ = driver.take()
    LiquidationTests.takeFreeze(&driver)
    return driver
  }

  static func answer(
    _ step: Liquidate, _ outcome: Outcome, filled: Int64 = 0, _ driver: inout RiskDriver
  ) {
    driver.from(
      Int(driver.definition[step.instrument]!.shard.rawValue),
      LiquidationResult(account: step.account, step: step.step, filled: Lots(filled), outcome: outcome))
  }

  static let later: [Outcome] = [.busy, .instrumentHalted, .inAuction, .riskSilent, .marksSilent]

  @Test(arguments: later) func aStepThatCouldNotBeTriedIsTriedAgainByTimeAndNotBefore(outcome: Outcome) throws {
    var driver = LiquidationTests.falling()
    LiquidationTests.takeFreeze(&driver)
    var step = try #require(driver.take(Liquidate.self).first)
    for _ in 0..<5 {
      Self.answer(step, outcome, &driver)
      #expect(driver.take(Liquidate.self).isEmpty)
      driver.heartbeats()
      driver.tick(after: .milliseconds(100))
      #expect(driver.take(Liquidate.self).isEmpty)
      driver.tick(after: .milliseconds(150))
      let again = driver.take(Liquidate.self)
      #expect(again.count == 1)
      #expect(again.first?.instrument == step.instrument && again.first?.lots == step.lots)
      step = try #require(again.first)
    }
    #expect(driver.machine.refusals == 0)
  }

  @Test(arguments: later) func whatElseLowersTheMarginNeedNotWait(outcome: Outcome) throws {
    var driver = Self.falling()
    let first = try #require(driver.take(Liquidate.self).first)
    #expect(first.instrument == TestMarket.etherPerpetual)
    Self.answer(first, outcome, &driver)
    let second = try #require(driver.take(Liquidate.self).first)
    #expect(second.instrument == TestMarket.perpetual)
    Self.answer(second, outcome, &driver)
    #expect(driver.take(Liquidate.self).isEmpty)
    driver.heartbeats()
    driver.tick(after: .milliseconds(250))
    #expect(driver.take(Liquidate.self).map(\.instrument) == [TestMarket.etherPerpetual])
  }

  @Test func aBookFoundEmptyIsNotTriedBeforeOneThatWasBusy() throws {
    var driver = Self.falling()
    Self.answer(driver.take(Liquidate.self)[0], .residualCancelled, &driver)
    #expect(driver.take(Liquidate.self).isEmpty)
    driver.tick(after: .milliseconds(250))
    let second = try #require(driver.take(Liquidate.self).first)
    #expect(second.instrument == TestMarket.perpetual)
    Self.answer(second, .busy, &driver)
    driver.tick(after: .milliseconds(250))
    let third = try #require(driver.take(Liquidate.self).first)
    // Nothing else was left to try, so both books are open to trial again; the larger risk goes first.
    #expect(third.instrument == TestMarket.etherPerpetual)
  }

  @Test func aHedgeIsNotClosedBecauseTheRiskCannotTrade() throws {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 6_000))
    driver.mark(index: 100_000)
    driver.heartbeats()
    driver.fill(1, TestMarket.perpetual, lots: 300, at: Price(whole: 100_000))
    driver.fill(1, TestMarket.future, lots: -100, at: Price(whole: 100_000))
    driver.acknowledgeCredits()
    driver.mark(index: 75_000)
    _ = driver.take()
    LiquidationTests.takeFreeze(&driver)
    let step = try #require(driver.take(Liquidate.self).first)
    #expect(step.instrument == TestMarket.perpetual)
    Self.answer(step, .instrumentHalted, &driver)
    #expect(driver.take(Liquidate.self).isEmpty)
    #expect(driver.view(1).isFrozen)
  }

  @Test func aResultMayComeManyInputsAfterItsStep() throws {
    var driver = LiquidationTests.falling()
    LiquidationTests.takeFreeze(&driver)
    let step = try #require(driver.take(Liquidate.self).first)
    for _ in 0..<20 {
      driver.heartbeats()
      driver.fill(
        1, TestMarket.perpetual, lots: -1, at: Price(whole: 86_000), consumed: Money(whole: 100), kind: .liquidation)
      driver.tick(after: .milliseconds(100))
      #expect(driver.take(Liquidate.self).isEmpty)
    }
    driver.fill(
      1, TestMarket.perpetual, lots: -11, at: Price(whole: 86_000), consumed: Money(whole: 100), kind: .liquidation)
    #expect(driver.view(1).isFrozen)
    Self.answer(step, .filled, filled: -31, &driver)
    #expect(!driver.view(1).isFrozen)
    #expect(driver.take(Release.self).count == 4)
    #expect(driver.machine.refusals == 0)
  }

  @Test func aStepThatWasPartlyFilledGoesOnAtOnceWhateverEndedIt() throws {
    var driver = LiquidationTests.falling()
    LiquidationTests.takeFreeze(&driver)
    let step = try #require(driver.take(Liquidate.self).first)
    driver.fill(
      1, TestMarket.perpetual, lots: -10, at: Price(whole: 86_000), consumed: Money(whole: 100), kind: .liquidation)
    Self.answer(step, .instrumentHalted, filled: -10, &driver)
    #expect(driver.take(Liquidate.self).map(\.lots) == [Lots(-21)])
  }

  @Test func theAnswerOfAShardThatWasGivenUpComesTooLate() throws {
    var driver = Self.falling()
    let first = try #require(driver.take(Liquidate.self).first)
    #expect(first.instrument == TestMarket.etherPerpetual)
    for _ in 0..<25 {
      driver.advance(.milliseconds(100))
      for shard in [0, 1, 3] { driver.from(shard, Heartbeat(number: 2, stamp: driver.now)) }
      driver.input(.tick)
    }
    let second = try #require(driver.take(Liquidate.self).first)
    #expect(second.instrument == TestMarket.perpetual)
    // It had begun the step, and its fills count; its word on how the step ended does not.
    driver.fill(1, TestMarket.etherPerpetual, lots: -5, at: Price(whole: 3_000), kind: .liquidation)
    #expect(driver.view(1).positions.last?.lots == Lots(155))
    let refusals = driver.machine.refusals
    Self.answer(first, .residualCancelled, filled: -5, &driver)
    #expect(driver.machine.refusals == refusals + 1)
    #expect(driver.take(Liquidate.self).isEmpty)
    Self.answer(second, .busy, &driver)
    #expect(driver.machine.refusals == refusals + 1)
  }

  @Test func aRestoredMachineKeepsWhatIsPostponed() throws {
    var driver = Self.falling()
    Self.answer(driver.take(Liquidate.self)[0], .inAuction, &driver)
    let step = try #require(driver.take(Liquidate.self).first)
    var restored = SnapshotTests.Restored(SnapshotTests.snapshot(driver.machine))
    #expect(Bool(restored.isWhole))
    #expect(restored.machine.stateHash() == driver.machine.stateHash())
    swap(&driver.machine, &restored.machine)
    Self.answer(step, .busy, &driver)
    #expect(driver.take(Liquidate.self).isEmpty)
  }
}
