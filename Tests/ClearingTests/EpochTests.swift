import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct EpochTests {
  @Test func aSealCommitsToDepositsAndWithdrawalsOnly() throws {
    var driver = CreditTests.open()
    driver.deposit(2, Money(whole: 10))
    driver.deposit(1, Money(whole: 5))
    driver.fill(1, TestMarket.perpetual, lots: 1, at: Price(whole: 100_000), fee: Money(whole: 1))
    driver.withdraw(1, Money(whole: 7), nonce: 4)
    _ = driver.take()
    driver.seal(1)
    let commitment = try #require(driver.take(Commitment.self).first)
    #expect(
      commitment.ledger == [
        .init(account: AccountID(1), currency: .usd, amount: Money(whole: 4_000 + 5 - 7)),
        .init(account: AccountID(2), currency: .usd, amount: Money(whole: 10)),
      ])
    #expect(commitment.depositCursor == 3)
    #expect(
      commitment.withdrawals == [
        .init(
          account: AccountID(1), currency: .usd, amount: Money(whole: 7), recipient: TestMarket.owner(1), nonce: 4)
      ])
    #expect(commitment.positions.isEmpty && commitment.fillRoot == .zero)
    #expect(commitment.marks.map(\.instrument) == (0..<6).map { InstrumentID($0) })
    #expect(commitment.indices == [Price(whole: 100_000), .zero])
    #expect(commitment.stateHash == driver.machine.stateHash())
    #expect(driver.machine.epoch == Epoch(2))
  }

  @Test func onlyWhatChangedIsCommittedAgain() throws {
    var driver = CreditTests.open()
    driver.seal(1)
    driver.mark(1, index: 4_000)
    _ = driver.take()
    driver.seal(2)
    let commitment = try #require(driver.take(Commitment.self).first)
    #expect(commitment.ledger.isEmpty && commitment.withdrawals.isEmpty)
    #expect(commitment.marks.map(\.instrument) == [TestMarket.etherPerpetual, TestMarket.etherCall])
  }

  @Test func anEpochIsSealedOnceAndInOrder() {
    var driver = CreditTests.open()
    driver.seal(2)
    driver.seal(0)
    #expect(driver.take(Commitment.self).isEmpty)
    driver.seal(1)
    driver.seal(1)
    #expect(driver.take(Commitment.self).count == 1)
  }

  @Test func tradingHaltsWhenSettlementIsFarBehindAndResumesByItself() {
    var driver = RiskDriver(TestMarket.definition { $0.haltAfterEpochs = 6 })
    for epoch: UInt32 in 1...5 { driver.seal(epoch) }
    #expect(driver.take(Halt.self).isEmpty)
    driver.seal(6)
    #expect(driver.take(Halt.self) == Array(repeating: Halt(isHalted: true), count: 4))
    driver.seal(7)
    #expect(driver.take(Halt.self).isEmpty, "said once")
    driver.from(.settlement, EpochFinal(epoch: Epoch(4), root: .zero))
    #expect(driver.take(Halt.self).isEmpty, "half as old is not yet recent")
    driver.from(.settlement, EpochFinal(epoch: Epoch(5), root: .zero))
    #expect(driver.take(Halt.self) == Array(repeating: Halt(isHalted: false), count: 4))
  }

  @Test func tradingHaltsByTheClockToo() {
    var driver = RiskDriver(TestMarket.definition { $0.haltAfterEpochs = 6 })
    driver.tick(after: .milliseconds(5_999))
    #expect(driver.take(Halt.self).isEmpty)
    driver.tick(after: .milliseconds(300))
    #expect(driver.take(Halt.self).count == 4)
  }

  @Test func anEpochThatWasNeverSealedCannotBeFinal() {
    var driver = RiskDriver()
    driver.from(.settlement, EpochFinal(epoch: Epoch(1), root: .zero))
    #expect(driver.machine.refusals == 1)
  }

  @Test func heartbeatsGoToEveryShardAndToSettlementOnTime() {
    var driver = RiskDriver()
    #expect(driver.machine.nextDeadline == driver.now + .milliseconds(250))
    driver.tick(after: .milliseconds(250))
    let sent = driver.take()
    #expect(sent.map(\.destination) == (0..<4).map { .shard(ShardID($0)) } + [.settlement])
    #expect(sent.allSatisfy { $0.read(Heartbeat.self) == Heartbeat(number: 1, stamp: driver.now) })
    driver.tick(after: .seconds(5))
    #expect(driver.take(Heartbeat.self).map(\.number) == [2, 2, 2, 2, 2], "no catching up")
    #expect(driver.machine.nextDeadline == driver.now + .milliseconds(250))
  }
}
