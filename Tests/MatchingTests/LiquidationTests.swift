import Bytes
import Machine
import Market
import Testing

@testable import Matching

@Suite struct LiquidationTests {
  private func freeze(_ venue: Venue, _ account: UInt32, id: UInt64 = 1) -> Said {
    venue.risk(Freeze(account: AccountID(account), id: id))
  }
  private func liquidate(
    _ venue: Venue, _ account: UInt32, _ step: UInt64, _ lots: Int64, limit: String, id: UInt64 = 1
  ) -> Said {
    venue.risk(
      Liquidate(
        account: AccountID(account), id: id, step: step, instrument: Venue.linear, lots: Lots(lots),
        limit: Price(limit)!))
  }
  /// Account 1 is long 5; account 2 is short 5.
  private func withPosition(_ adjust: (inout MarketParameters) -> Void = { _ in }) -> Venue {
    let venue = Venue(accounts: 4, adjust)
    venue.sell(2, 5, at: "1000")
    venue.buy(1, 5, at: "1000")
    return venue
  }

  @Test func aFreezeCancelsEverythingAndRefusesWhatComes() {
    let venue = withPosition()
    venue.buy(1, 1, at: "900")
    let said = freeze(venue, 1)
    #expect(said.reports.map(\.outcome) == [.cancelledByFreeze])
    let standing = venue.machine.standing(AccountID(1))!
    #expect(
      said.freezesTaken == [
        FreezeTaken(account: AccountID(1), id: 1, fillNumber: 2, consumed: standing.consumed)
      ])
    #expect(standing.ceiling == standing.consumed && standing.reserved == .zero)
    #expect(venue.buy(1, 1, at: "900").outcome == .accountFrozen)
    venue.risk(Release(account: AccountID(1), id: 9))
    #expect(venue.buy(1, 1, at: "900").outcome == .accountFrozen)
    venue.risk(Release(account: AccountID(1), id: 1))
    venue.credit(1, ceiling: Money(whole: 1_000_000))
    #expect(venue.buy(1, 1, at: "900").outcome == .resting)
  }

  @Test func aFreezeIsAcknowledgedWhenTheLastOrderIsGone() {
    let venue = Venue { $0.stepBound = 4 }
    for _ in 0..<10 { venue.buy(1, 1, at: "900") }
    #expect(freeze(venue, 1).freezesTaken.isEmpty)
    #expect(venue.apply(.continuation, []).freezesTaken.isEmpty)
    #expect(venue.apply(.continuation, []).freezesTaken.count == 1)
    #expect(venue.machine.openOrders(AccountID(1)).isEmpty)
  }

  @Test func aFreezeFindsHeldOrdersAndUnknownAccounts() {
    let venue = Venue(accounts: 0)
    venue.marks(margin: Money(whole: 1))
    venue.credit(1, ceiling: .zero)
    #expect(venue.buy(1, 1, at: "900").outcome == .held)
    #expect(freeze(venue, 1).reports.map(\.outcome) == [.cancelledByFreeze])
    #expect(freeze(venue, 7).freezesTaken.map(\.account) == [AccountID(7)])
    venue.credit(7, ceiling: Money(whole: 100))
    #expect(venue.buy(7, 1, at: "900").outcome == .accountFrozen)
  }

  @Test func aLiquidationReducesAtItsLimitAndLeavesChargesAlone() {
    let venue = withPosition { $0.takerFee = 300 }
    venue.buy(3, 2, at: "990")
    venue.buy(3, 2, at: "980")
    _ = freeze(venue, 1)
    let consumed = venue.machine.standing(AccountID(1))!.consumed
    let said = liquidate(venue, 1, 1, -5, limit: "985")
    #expect(
      said.liquidations == [
        LiquidationResult(account: AccountID(1), step: 1, filled: Lots(-2), outcome: .residualCancelled)
      ])
    #expect(said.fills.map(\.kind) == [.maker, .liquidation])
    #expect(said.fills[1].consumed == consumed)
    #expect(venue.position(1) == 3 && venue.machine.bookSnapshot(Venue.linear)!.asks.isEmpty)
    venue.checkCredit()
  }

  @Test func aLiquidationNeverGoesThroughZeroAndDoesAStepOnce() {
    let venue = withPosition()
    venue.buy(3, 50, at: "990")
    _ = freeze(venue, 1)
    let said = liquidate(venue, 1, 1, -20, limit: "900")
    #expect(said.liquidations.map(\.filled) == [Lots(-5)] && said.liquidations.map(\.outcome) == [.filled])
    let again = liquidate(venue, 1, 1, -20, limit: "900")
    #expect(again.liquidations == said.liquidations && again.fills.isEmpty)
    #expect(liquidate(venue, 1, 2, -1, limit: "900").liquidations.map(\.outcome) == [.notReducing])
    #expect(venue.position(1) == 0)
  }

  @Test func aLiquidationNeedsItsFreezeAndTheRightDirection() {
    let venue = withPosition()
    venue.buy(3, 50, at: "990")
    #expect(liquidate(venue, 1, 1, -5, limit: "900").liquidations.map(\.outcome) == [.accountFrozen])
    _ = freeze(venue, 1, id: 4)
    #expect(liquidate(venue, 1, 2, -5, limit: "900", id: 3).liquidations.map(\.outcome) == [.accountFrozen])
    #expect(liquidate(venue, 1, 3, 5, limit: "900", id: 4).liquidations.map(\.outcome) == [.notReducing])
    #expect(venue.position(1) == 5)
  }

  @Test func silenceAnswersALiquidationWithRetry() {
    let venue = withPosition()
    venue.buy(3, 5, at: "990")
    _ = freeze(venue, 1)
    venue.now = venue.now + .seconds(3)
    #expect(liquidate(venue, 1, 1, -5, limit: "900").liquidations.map(\.outcome) == [.riskSilent])
    venue.risk(Heartbeat(number: 1, stamp: venue.now))
    #expect(liquidate(venue, 1, 1, -5, limit: "900").liquidations.map(\.outcome) == [.marksSilent])
    venue.marks()
    #expect(liquidate(venue, 1, 1, -5, limit: "900").liquidations.map(\.outcome) == [.filled])
  }
}
