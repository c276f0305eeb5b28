import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct ScaleTests {
  static func holders(_ driver: borrowing RiskDriver, _ underlying: Int) -> [AccountID] {
    var holders: [AccountID] = []
    var next = 0
    while let slot = driver.machine.book.nextHolder(of: underlying, from: next) {
      holders.append(driver.machine.book[slot].id)
      next = slot + 1
    }
    return holders
  }

  @Test func aTickTouchesOnlyThoseWhoHoldTheUnderlying() {
    var driver = RiskDriver()
    driver.mark(index: 100_000)
    driver.mark(1, index: 4_000)
    for account: UInt32 in 1...200 { driver.deposit(account, Money(whole: 10_000)) }
    driver.deposit(7, Money(units: 5), in: TestMarket.btc)
    driver.fill(70, TestMarket.perpetual, lots: 1, at: Price(whole: 100_000))
    driver.fill(140, TestMarket.inverse, lots: 1, at: Price(whole: 100_000))
    driver.fill(150, TestMarket.etherCall, lots: -1, at: Price(whole: 400))
    driver.fill(160, TestMarket.call, lots: 1, at: Price(whole: 10_000))
    driver.fill(160, TestMarket.call, lots: -1, at: Price(whole: 10_000))
    #expect(Self.holders(driver, 0) == [7, 70, 140].map { AccountID($0) })
    #expect(Self.holders(driver, 1) == [AccountID(150)])
  }

  @Test func aThousandAccountsAreReMarginedAndReviewedByATick() {
    var driver = RiskDriver()
    driver.mark(index: 100_000)
    for account: UInt32 in 1...1_000 {
      driver.deposit(account, Money(whole: 3_500))
      driver.fill(account, TestMarket.perpetual, lots: 100, at: Price(whole: 100_000))
    }
    driver.sent.removeAll()
    driver.mark(index: 80_000)
    #expect(driver.machine.totals().underLiquidation == 1_000)
    #expect(driver.take(Freeze.self).count == 4_000)
  }
}
