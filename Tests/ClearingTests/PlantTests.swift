#if NOVATION_PLANT
  import Bytes
  import Machine
  import Market
  import Testing

  @testable import Clearing

  /// The checkers of these tests see what a planted bug breaks.
  @Suite struct PlantTests {
    static func breaches(of fault: RiskFaults) -> [String] {
      var run = Interleaving(seed: 1, accounts: 6)
      run.driver.machine.faults = fault
      for _ in 0..<4_000 { run.step(movesMarks: true) }
      run.drain()
      run.checkAtRest()
      return run.breaches
    }

    @Test func aSkippedCreditCheckIsSeen() { #expect(!Self.breaches(of: .raiseWithoutCheck).isEmpty) }
    @Test func aForgottenFillIsSeen() { #expect(!Self.breaches(of: .dropFill).isEmpty) }
    @Test func aHealthyRunHasNoBreach() { #expect(Self.breaches(of: []).isEmpty) }

    @Test func aDoubledDepositIsNotWhatTheVaultHolds() {
      var driver = RiskDriver()
      driver.machine.faults = .doubleDeposit
      driver.deposit(1, Money(whole: 10))
      #expect(driver.view(1).ledger[0] > driver.machine.vaultHoldings[0])
    }

    @Test func anUnbackedGrantLeavesANegativeLedger() {
      var driver = CreditTests.open()
      driver.machine.faults = .grantUnbacked
      driver.withdraw(1, Money(whole: 5_000), nonce: 1)
      #expect(driver.view(1).ledger[0] < .zero)
    }

    @Test func aSkippedFreezeReducesAtOnce() {
      var driver = CreditTests.open()
      driver.machine.faults = .skipFreeze
      driver.fill(1, TestMarket.perpetual, lots: 120, at: Price(whole: 100_000))
      driver.mark(index: 86_000)
      #expect(driver.sent.contains { $0.kind == .liquidate } && !driver.sent.contains { $0.kind == .freeze })
    }

    @Test func aHiddenDepositIsMissingFromTheCommitment() throws {
      var driver = RiskDriver()
      driver.machine.faults = .hideDeposits
      driver.deposit(1, Money(whole: 10))
      driver.sent.removeAll()
      driver.seal(1)
      let commitment = try #require(driver.take(Commitment.self).first)
      #expect(commitment.ledger.isEmpty && commitment.depositCursor == 1)
    }
  }
#endif
