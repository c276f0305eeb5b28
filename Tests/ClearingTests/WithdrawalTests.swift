import Bytes
import Machine
import Market
import Testing

@testable import Clearing

@Suite struct WithdrawalTests {
  static func outcomes(_ driver: borrowing RiskDriver) -> [Outcome] { driver.replies.map { $0.results[0].outcome } }

  @Test func whatCeilingsDoNotHoldIsGrantedAtOnce() {
    var driver = CreditTests.open()
    driver.withdraw(1, Money(whole: 1_000), nonce: 1)
    #expect(Self.outcomes(driver) == [.filled])
    #expect(driver.view(1).ledger[0] == Money(whole: 3_000))
    #expect(driver.machine.vaultHoldings[0] == Money(whole: 3_000))
  }

  @Test func otherwiseCeilingsAreRecalledFirst() {
    var driver = CreditTests.open()
    driver.withdraw(1, Money(whole: 3_900), nonce: 1)
    #expect(Self.outcomes(driver) == [.pending])
    #expect(driver.view(1).pendingWithdrawals == Money(whole: 3_900))
    driver.acknowledgeCredits()
    #expect(driver.view(1).ledger[0] == Money(whole: 100))
    driver.withdraw(1, Money(whole: 3_900), nonce: 1)
    #expect(Self.outcomes(driver) == [.pending, .filled])
    #expect(driver.replies[1].isRepeated)
    #expect(driver.replies[1].sequence == driver.replies[0].sequence)
    #expect(driver.view(1).ledger[0] == Money(whole: 100))
  }

  @Test func whatOpenOrdersHoldTimesTheWithdrawalOut() {
    var driver = CreditTests.open()
    driver.withdraw(1, Money(whole: 3_900), nonce: 1, seconds: 60)
    driver.tick(after: .seconds(9))
    driver.withdraw(1, Money(whole: 3_900), nonce: 1, seconds: 51)
    driver.tick(after: .seconds(1))
    driver.withdraw(1, Money(whole: 3_900), nonce: 1, seconds: 50)
    #expect(Self.outcomes(driver) == [.pending, .pending, .withdrawalTimeout])
    #expect(driver.view(1).ledger[0] == Money(whole: 4_000))
    #expect(driver.view(1).pendingWithdrawals == .zero)
  }

  @Test func neverMoreThanTheLedgerTheVaultOrTheMarginAllows() {
    var driver = CreditTests.open()
    driver.withdraw(1, Money(whole: 4_001), nonce: 1)
    driver.withdraw(1, Money(whole: 1), in: TestMarket.btc, nonce: 2)
    driver.withdraw(1, Money(whole: 1), in: Currency(3), nonce: 3)
    driver.withdraw(1, Money(units: 0), nonce: 4)
    driver.withdraw(1, Money(units: -5), nonce: 5)
    #expect(
      Self.outcomes(driver) == [
        .insufficientFunds, .insufficientFunds, .unknownCurrency, .quantityOutOfRange, .quantityOutOfRange,
      ])
    // A profit that the vault does not hold: 100 lots bought at 100,000, worth 4,000 more, sold again.
    driver.fill(1, TestMarket.perpetual, lots: -100, at: Price(whole: 140_000), consumed: .zero)
    driver.fill(1, TestMarket.perpetual, lots: 100, at: Price(whole: 100_000), consumed: .zero)
    #expect(driver.view(1).ledger[0] == Money(whole: 8_000))
    driver.withdraw(1, Money(whole: 4_001), nonce: 6)
    #expect(Self.outcomes(driver).last == .insufficientFunds)
    // Margin that positions need cannot leave.
    driver.fill(1, TestMarket.perpetual, lots: 150, at: Price(whole: 100_000), consumed: .zero)
    driver.withdraw(1, Money(whole: 3_600), nonce: 7)
    #expect(Self.outcomes(driver).last == .insufficientFunds)
    #expect(driver.machine.vaultHoldings[0] == Money(whole: 4_000))
  }

  @Test func onlyTheOwnerWithinTheSignaturesTimeIsHeard() {
    var driver = CreditTests.open()
    driver.withdraw(9, Money(whole: 1), nonce: 1)
    driver.withdraw(0, Money(whole: 1), nonce: 1, owner: .zero)
    driver.withdraw(1, Money(whole: 1), nonce: 1, owner: TestMarket.owner(2))
    driver.withdraw(1, Money(whole: 1), nonce: 1, seconds: 0)
    driver.withdraw(1, Money(whole: 1), nonce: 1, seconds: 86_400 * 31)
    #expect(
      Self.outcomes(driver) == [.unknownAccount, .unknownAccount, .wrongSigner, .expired, .expiryTooFar])
    // None of these has used the nonce.
    driver.withdraw(1, Money(whole: 1), nonce: 1)
    #expect(Self.outcomes(driver).last == .filled)
  }

  @Test func aNonceIsUsedOnceUntilItsSignatureIsVoid() {
    var driver = CreditTests.open()
    driver.withdraw(1, Money(whole: 1), nonce: 1)
    driver.withdraw(1, Money(whole: 2), nonce: 1)
    #expect(Self.outcomes(driver) == [.filled, .nonceReused])
    let resend = RiskDriver.withdrawal(1, Money(whole: 1), .usd, 1, expiry: driver.now.seconds + 60)
    driver.input(.action, resend)
    #expect(Self.outcomes(driver).last == .filled)
    driver.tick(after: .seconds(60))
    driver.input(.action, resend)
    #expect(Self.outcomes(driver).last == .expired)
    #expect(driver.view(1).ledger[0] == Money(whole: 3_999))
  }

  @Test func anotherModuleIsMalformedAndGarbageIsNotAnswered() {
    var driver = CreditTests.open()
    var action = RiskDriver.withdrawal(1, Money(whole: 1), .usd, 1, expiry: driver.now.seconds + 60)
    driver.input(.action, Array(action.dropLast()))
    action[0] = SignedActionHeader.Module.trade.rawValue
    driver.input(.action, action)
    #expect(Self.outcomes(driver) == [.malformed, .malformed])
    driver.input(.action, [1, 2, 3])
    #expect(driver.replies.count == 2)
  }

  @Test func aCoinWithdrawalLeavesTheMarginThatTheCoinCarried() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1), in: TestMarket.btc)
    driver.mark(index: 100_000)
    driver.fill(1, TestMarket.perpetual, lots: -1_000, at: Price(whole: 100_000))
    driver.acknowledgeCredits()
    // Hedged, 95,000 USD are free; but without the coin the short would stand alone.
    driver.withdraw(1, Money("0.8")!, in: TestMarket.btc, nonce: 1)
    #expect(Self.outcomes(driver).last == .insufficientFunds)
  }

  @Test func ceilingsAreRecalledForTheMarginThatACoinCarriedToo() {
    var driver = RiskDriver()
    driver.deposit(1, Money(whole: 1), in: TestMarket.btc)
    driver.mark(index: 100_000)
    driver.fill(1, TestMarket.perpetual, lots: -1_000, at: Price(whole: 100_000))
    driver.mark(index: 100_000)
    driver.acknowledgeCredits()
    // By value 35,000 would stay free; by margin, 0.6 BTC being gone, 20,000; about 71,000 are laid out.
    driver.withdraw(1, Money("0.6")!, in: TestMarket.btc, nonce: 1)
    #expect(Self.outcomes(driver).last == .pending)
    driver.acknowledgeCredits()
    #expect(driver.view(1).ledger[1] == Money("0.4")!)
    let outstanding = driver.view(1).credit.reduce(0) { $0 + $1.outstanding.units }
    #expect(driver.view(1).standing!.free.units >= outstanding)
  }
}
