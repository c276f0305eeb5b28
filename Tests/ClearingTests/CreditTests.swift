import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct CreditTests {
  static func request(
    _ number: UInt64, _ account: UInt32, _ instrument: InstrumentID, lots: Int64, price: Int64 = 100_000,
    charge: Int64, shortfall: Int64? = nil
  ) -> CreditRequest {
    CreditRequest(
      request: number, account: AccountID(account), instrument: instrument, lots: Lots(lots),
      price: Price(whole: price), charge: Money(whole: charge), shortfall: Money(whole: shortfall ?? charge))
  }

  static func open(_ amount: Int64 = 4_000) -> RiskDriver {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: amount))
    driver.mark(index: 100_000)
    driver.heartbeats()
    driver.acknowledgeCredits()
    return driver
  }

  @Test func aRequestThatFitsRaisesTheCeilingBeyondWhatItNeeds() {
    var driver = Self.open()
    driver.from(0, Self.request(1, 1, TestMarket.perpetual, lots: 1, charge: 400))
    let sent = driver.take()
    #expect(sent.count == 1)
    let credit = sent[0].read(Credit.self)
    #expect(sent[0].destination == .shard(ShardID(0)))
    #expect(credit?.version == 2)
    #expect(credit!.ceiling > Money(whole: 750 + 400))
    #expect(credit!.ceiling < Money(whole: 750 + 1_000))
  }

  @Test func unusedCeilingsAreRecalledAndTheOrderIsAnsweredWhenTheyAreBack() {
    var driver = Self.open()
    driver.from(0, Self.request(1, 1, TestMarket.perpetual, lots: 1, charge: 3_000))
    let recalls = driver.take().compactMap { sent in sent.read(Credit.self).map { (sent.destination, $0) } }
    #expect(recalls.map(\.0.index) == [1, 2, 3])
    #expect(recalls.allSatisfy { $0.1.ceiling < Money(whole: 750) && !$0.1.isForced })
    for (shard, recall) in recalls {
      #expect(driver.sent.isEmpty, "not before enough has come back")
      driver.from(
        shard, CreditTaken(account: AccountID(1), version: recall.version, ceiling: recall.ceiling, consumed: .zero))
    }
    let raise = driver.take()
    #expect(raise.first?.destination == .shard(ShardID(0)))
    #expect(raise.first?.read(Credit.self)?.ceiling == Money(whole: 3_875))
    #expect(driver.view(1).heldOrders == 0)
  }

  @Test func whatOpenOrdersHaveReservedElsewhereLeavesTheRequestRefused() {
    var driver = Self.open()
    driver.from(0, Self.request(1, 1, TestMarket.perpetual, lots: 1, charge: 3_000))
    let recalls = driver.take().compactMap { sent in sent.read(Credit.self).map { (sent.destination, $0) } }
    for (shard, recall) in recalls {
      // The shard's orders need what it had: it cannot give anything back.
      driver.from(
        shard,
        CreditTaken(account: AccountID(1), version: recall.version, ceiling: Money(whole: 750), consumed: .zero))
    }
    #expect(
      driver.take(CreditRefused.self) == [
        CreditRefused(account: AccountID(1), request: 1, outcome: .insufficientCredit)
      ])
  }

  @Test func aRequestThatNothingCouldServeIsRefusedAtOnce() {
    var driver = Self.open()
    driver.from(0, Self.request(1, 1, TestMarket.perpetual, lots: 1, charge: 3_500))
    #expect(driver.take(CreditRefused.self).map(\.outcome) == [.insufficientCredit])
    driver.from(0, Self.request(2, 9, TestMarket.perpetual, lots: 1, charge: 1))
    #expect(driver.take(CreditRefused.self).map(\.outcome) == [.unknownAccount])
    driver.from(0, Self.request(3, 1, TestMarket.future, lots: 1, charge: 1))
    #expect(driver.take(CreditRefused.self).map(\.outcome) == [.malformed])
  }

  @Test func aRequestIsRefusedBeforeItsShardGivesUp() {
    var driver = Self.open()
    driver.from(0, Self.request(1, 1, TestMarket.perpetual, lots: 1, charge: 3_000))
    _ = driver.take()
    driver.tick(after: .milliseconds(749))
    #expect(driver.take(CreditRefused.self).isEmpty)
    driver.tick(after: .milliseconds(1))
    #expect(driver.take(CreditRefused.self).map(\.request) == [1])
    #expect(driver.view(1).heldOrders == 0)
  }

  @Test func aUsedUpLineIsToppedUpBeforeItRunsOut() {
    var driver = Self.open()
    driver.fill(1, TestMarket.perpetual, lots: 1, at: Price(whole: 100_000), consumed: Money(whole: 300))
    #expect(driver.take(Credit.self).isEmpty, "more than half is left")
    driver.fill(1, TestMarket.perpetual, lots: -1, at: Price(whole: 100_000), consumed: Money(whole: 500))
    let credits = driver.take(Credit.self)
    #expect(credits.map(\.ceiling) == [Money(whole: 500 + 750)])
  }

  @Test func aDeficitForbidsRaisesAndRecallsThenForces() {
    var driver = Self.open()
    driver.fill(1, TestMarket.perpetual, lots: 120, at: Price(whole: 100_000), consumed: Money(whole: 100))
    driver.sent.removeAll()
    // 0.12 BTC: initial margin 3,600 of 4,000; at 99,000 equity 3,880 against 3,564.
    driver.mark(index: 97_000)
    // equity 3,640, initial margin 3,492: over-committed but in no deficit.
    let recalls = driver.sent.compactMap { $0.read(Credit.self) }
    #expect(!recalls.isEmpty && recalls.allSatisfy { !$0.isForced })
    driver.acknowledgeCredits()
    driver.mark(index: 95_000)
    // equity 3,400, initial margin 3,420, maintenance 2,565.
    #expect(driver.view(1).standing!.free < .zero)
    #expect(driver.sent.compactMap { $0.read(Credit.self) }.allSatisfy { !$0.isForced })
    driver.acknowledgeCredits()
    driver.mark(index: 94_900)
    driver.mark(index: 94_800)
    let forced = driver.take(Credit.self)
    #expect(forced.allSatisfy { $0.isForced || $0.ceiling <= Money(whole: 850) })
    #expect(!driver.view(1).isFrozen)
  }

  @Test func inDeficitOnlyAnOrderThatShrinksItRuns() {
    var driver = Self.open()
    driver.fill(1, TestMarket.perpetual, lots: 120, at: Price(whole: 100_000), consumed: Money(whole: 100))
    driver.mark(index: 93_000)
    _ = driver.take()
    driver.from(0, Self.request(1, 1, TestMarket.perpetual, lots: 10, price: 93_000, charge: 30))
    #expect(driver.take(CreditRefused.self).map(\.request) == [1])
    // Selling far below the mark shrinks the margin but costs more than that.
    driver.from(0, Self.request(2, 1, TestMarket.perpetual, lots: -10, price: 50_000, charge: 30))
    #expect(driver.take(CreditRefused.self).map(\.request) == [2])
    driver.from(0, Self.request(3, 1, TestMarket.perpetual, lots: -10, price: 93_000, charge: 30))
    #expect(driver.take(Grant.self) == [Grant(account: AccountID(1), request: 3, charge: Money(whole: 30))])
    // One at a time.
    driver.from(0, Self.request(4, 1, TestMarket.perpetual, lots: -10, price: 93_000, charge: 30))
    #expect(driver.take(CreditRefused.self).map(\.request) == [4])
    let before = driver.view(1).credit[0].outstanding
    driver.fill(
      1, TestMarket.perpetual, lots: -2, at: Price(whole: 93_000), consumed: Money(whole: 106))
    driver.from(
      0,
      GrantClosed(
        account: AccountID(1), request: 3, wasUsed: true, ceiling: Money(whole: 756), consumed: Money(whole: 106)))
    #expect(driver.view(1).credit[0].outstanding < before)
    _ = driver.take()
    driver.from(0, Self.request(5, 1, TestMarket.perpetual, lots: -1, price: 93_000, charge: 3))
    #expect(driver.take(Grant.self).map(\.request) == [5])
  }

  @Test func aRecallCountsAsOutstandingUntilItIsAcknowledged() {
    var driver = Self.open()
    driver.withdraw(1, Money(whole: 3_000), nonce: 1)
    let view = driver.view(1)
    #expect(view.credit.allSatisfy { $0.outstanding == Money(whole: 750) })
    #expect(driver.sent.compactMap { $0.read(Credit.self) }.count == 4)
  }

  @Test func anOldOrForgedAcknowledgementChangesNothing() {
    var driver = Self.open()
    for version: UInt64 in [0, 1, 2, .max] {
      driver.from(
        0, CreditTaken(account: AccountID(1), version: version, ceiling: .zero, consumed: .zero))
    }
    #expect(driver.view(1).credit[0].outstanding == Money(whole: 750))
  }
}
