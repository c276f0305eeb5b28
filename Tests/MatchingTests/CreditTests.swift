import Bytes
import Machine
import Market
import Testing

@testable import Matching

@Suite struct CreditTests {
  /// One lot costs 10 USD of margin, nothing else.
  private func tight(_ ceiling: Int64, _ adjust: (inout MarketParameters) -> Void = { _ in }) -> Venue {
    let venue = Venue(accounts: 0) {
      $0.takerFee = 0
      adjust(&$0)
    }
    venue.marks(margin: Money(whole: 10))
    venue.credit(1, ceiling: Money(whole: ceiling))
    venue.credit(2, ceiling: Money(whole: 1_000_000))
    return venue
  }

  @Test func anAccountOpensWithItsFirstCredit() {
    let venue = Venue(accounts: 0)
    #expect(venue.buy(1, 1, at: "1000").outcome == .unknownAccount)
    let said = venue.credit(1, ceiling: Money(whole: 100))
    #expect(
      said.creditTaken == [
        CreditTaken(account: AccountID(1), version: 1, ceiling: Money(whole: 100), consumed: .zero)
      ])
    #expect(venue.buy(1, 1, at: "1000").outcome == .resting)
  }

  @Test func theChargeIsMarginLossToMarkAndFee() {
    let venue = Venue {
      $0.takerFee = 1_000
      $0.makerFee = 100
    }
    venue.marks(margin: Money(whole: 7))
    venue.buy(1, 2, at: "1010")
    // 2 lots of 0.1: margin 14, 10 above the mark on 0.2 is 2, fee 0.1 % of 202 is 0.202.
    #expect(venue.machine.standing(AccountID(1))!.reserved == Money("16.202")!)
    venue.sell(2, 2, at: "1100")
    #expect(venue.machine.standing(AccountID(2))!.reserved == Money("14.22")!)
    // Half as much again by the account's multiplier.
    venue.credit(3, ceiling: Money(whole: 1_000), multiplier: 1_500_000)
    venue.buy(3, 2, at: "1000")
    #expect(venue.machine.standing(AccountID(3))!.reserved == Money("21.3")!)
  }

  @Test func coinChargesAreConvertedAtTheIndex() {
    let venue = Venue { $0.takerFee = 0 }
    venue.buy(1, 10, at: "0.06", Venue.option)
    // 0.01 coin above the mark on 1 unit, at 1,000 USD a coin.
    #expect(venue.machine.standing(AccountID(1))!.reserved == Money(whole: 10))
    venue.buy(2, 100, at: "1250", Venue.inverse)
    // 1,000 USD are a coin at the mark, 0.8 at the limit: 0.2 coins are 200 USD.
    #expect(venue.machine.standing(AccountID(2))!.reserved == Money(whole: 200))
  }

  @Test func chargesMoveFromReservedToConsumedProRata() {
    let venue = tight(30)
    venue.buy(1, 3, at: "1000")
    venue.sell(2, 2, at: "1000")
    var standing = venue.machine.standing(AccountID(1))!
    #expect(standing.consumed == Money(whole: 20) && standing.reserved == Money(whole: 10))
    let said = venue.sell(2, 1, at: "1000")
    #expect(said.fills.first?.consumed == Money(whole: 30))
    standing = venue.machine.standing(AccountID(1))!
    #expect(standing.consumed == Money(whole: 30) && standing.reserved == .zero)
    venue.checkCredit()
  }

  @Test func anOrderBeyondTheCeilingIsHeldAloneAndAsksOnce() {
    let venue = tight(20)
    let said = venue.act(
      1,
      [
        venue.order(.buy, 3, "1000"), venue.order(.buy, 2, "999"),
      ])
    #expect(said.results.map(\.outcome) == [.held, .resting])
    #expect(
      said.creditRequests == [
        CreditRequest(
          request: 1, account: AccountID(1), instrument: Venue.linear, lots: Lots(3), price: Price(whole: 1_000),
          charge: Money(whole: 30), shortfall: Money(whole: 10))
      ])
    let early = venue.credit(1, ceiling: Money(whole: 30))
    #expect(early.creditRequests.isEmpty && early.reports.isEmpty)
    let raised = venue.credit(1, ceiling: Money(whole: 50))
    #expect(raised.reports.map(\.event) == [.accepted])
    #expect(venue.machine.openOrders(AccountID(1)).map(\.price) == [Price(whole: 999), Price(whole: 1_000)])
    venue.checkCredit()
  }

  @Test func theStoredAnswerOfAHeldOrderFollowsItsEnd() {
    let venue = tight(0)
    let action = venue.action(1, [venue.order(.buy, 1, "1000")], nonce: 55)
    #expect(venue.apply(.action, action.encoded).outcome == .held)
    #expect(venue.apply(.action, action.encoded).outcome == .held)
    venue.credit(1, ceiling: Money(whole: 10))
    let again = venue.apply(.action, action.encoded)
    #expect(again.outcome == .resting && again.replies[0].isRepeated)
  }

  @Test func aHeldOrderCanBeCancelledRefusedOrTimedOut() {
    let venue = tight(0)
    venue.buy(1, 1, at: "1000")
    let cancelled = venue.cancel(1, venue.nonce)
    #expect(cancelled.outcome == .cancelled && cancelled.reports.map(\.outcome) == [.cancelled])

    venue.buy(1, 1, at: "1000")
    let refused = venue.risk(CreditRefused(account: AccountID(1), request: 2, outcome: .insufficientCredit))
    #expect(refused.reports.map(\.outcome) == [.insufficientCredit])

    venue.buy(1, 1, at: "1000")
    venue.now = venue.now + .milliseconds(1_000)
    #expect(venue.apply(.tick, []).reports.map(\.outcome) == [.creditTimeout])
    let late = venue.risk(Grant(account: AccountID(1), request: 3, charge: Money(whole: 10)))
    #expect(late.grantsClosed.map(\.wasUsed) == [false])
    #expect(venue.machine.standing(AccountID(1))!.heldOrders == 0)
  }

  /// Plain actions look at what is due only when something is.
  @Test func aHeldReplacementTimesOutWhateverComesNext() {
    let venue = tight(10) { $0.heldOrderTimeout = .milliseconds(2) }
    venue.wait(.seconds(1))
    venue.marks(margin: Money(whole: 10))
    venue.buy(1, 1, at: "1000")
    var larger = venue.order(.buy, 2, "1000")
    larger.rawKind = Market.Operation.Kind.replace.rawValue
    larger.targetNonce = venue.nonce
    #expect(venue.act(1, larger).outcome == .held)
    venue.wait(.milliseconds(1), quietly: true)
    #expect(venue.buy(2, 1, at: "990").reports.isEmpty)
    venue.wait(.milliseconds(1), quietly: true)
    #expect(venue.buy(2, 1, at: "990").reports.map(\.outcome) == [.creditTimeout])
  }

  @Test func heldOrdersAreBounded() {
    let venue = tight(0) { $0.heldOrdersPerAccount = 2 }
    venue.buy(1, 1, at: "1000")
    venue.buy(1, 1, at: "1000")
    #expect(venue.buy(1, 1, at: "1000").outcome == .tooManyHeldOrders)
  }

  @Test func aHeldReplacementLeavesTheOldOrderUntilItIsAccepted() {
    let venue = tight(10)
    venue.buy(1, 1, at: "990")
    let target = venue.nonce
    var operation = venue.order(.buy, 3, "995")
    operation.rawKind = Market.Operation.Kind.replace.rawValue
    operation.targetNonce = target
    #expect(venue.act(1, operation).outcome == .held)
    #expect(venue.machine.openOrders(AccountID(1)).map(\.lots) == [Lots(1)])
    venue.credit(1, ceiling: Money(whole: 30))
    #expect(venue.machine.openOrders(AccountID(1)).map(\.lots) == [Lots(3)])
    #expect(venue.machine.openOrders(AccountID(1)).map(\.order.nonce) == [target])
  }

  @Test func aGrantRunsOneOrderAsImmediateAndIsWithdrawnWithItsResidual() {
    let venue = tight(0)
    venue.sell(2, 2, at: "1000")
    venue.buy(1, 5, at: "1000")
    venue.buy(1, 1, at: "1000")
    let said = venue.risk(Grant(account: AccountID(1), request: 1, charge: Money(whole: 50)))
    #expect(said.fills.count == 2 && said.fills[1].consumed == Money(whole: 20))
    #expect(
      said.grantsClosed == [
        GrantClosed(
          account: AccountID(1), request: 1, wasUsed: true, ceiling: Money(whole: 20), consumed: Money(whole: 20))
      ])
    #expect(venue.machine.openOrders(AccountID(1)).isEmpty)
    #expect(venue.machine.standing(AccountID(1))!.heldOrders == 1)
    venue.checkCredit()
  }

  @Test func anOldCreditIsAcknowledgedAndIgnored() {
    let venue = tight(20)
    let said = venue.risk(
      Credit(account: AccountID(1), owner: Venue.owner(1), version: 1, ceiling: Money(whole: 999)))
    #expect(said.creditTaken.map(\.ceiling) == [Money(whole: 20)])
  }

  @Test func aLowerCeilingStopsAtWhatIsUsed() {
    let venue = tight(50)
    venue.buy(1, 3, at: "1000")
    let said = venue.credit(1, ceiling: Money(whole: 5))
    #expect(said.creditTaken.map(\.ceiling) == [Money(whole: 30)])
    #expect(venue.machine.openOrders(AccountID(1)).count == 1)
  }

  @Test func aForcedRecallCancelsTheNewestFirstInBoundedSteps() {
    let venue = tight(1_000) { $0.stepBound = 4 }
    for price in 0..<10 { venue.buy(1, 1, at: "\(900 + price)") }
    let said = venue.credit(1, ceiling: Money(whole: 35), isForced: true)
    #expect(said.reports.map(\.outcome) == [Outcome](repeating: .cancelledByRecall, count: 4))
    #expect(said.creditTaken.isEmpty)
    let rest = venue.apply(.continuation, [])
    #expect(rest.creditTaken.map(\.ceiling) == [Money(whole: 35)])
    #expect(venue.machine.openOrders(AccountID(1)).map(\.price) == (0..<3).map { Price(whole: 900 + $0) })
    venue.checkCredit()
  }

  @Test func usedNeverExceedsTheCeilingUnderRandomCredits() {
    for seed in 1...8 as ClosedRange<UInt64> {
      var random = Seeded(seed)
      let venue = Venue(accounts: 0) {
        $0.takerFee = 300
        $0.makerFee = 100
        $0.stepBound = 5
      }
      for account in 1...4 as ClosedRange<UInt32> { venue.credit(account, ceiling: Money(whole: 200)) }
      for _ in 0..<1_500 {
        let account = UInt32.random(in: 1...4, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0:
          venue.marks(margin: Money(whole: .random(in: 0...20, using: &random)))
        case 1, 2:
          venue.credit(
            account, ceiling: Money(whole: .random(in: 0...2_000, using: &random)),
            isForced: .random(using: &random), multiplier: .random(in: 900_000...1_200_000, using: &random))
        case 3:
          let request = UInt64.random(in: 0...venue.machine.requests, using: &random)
          venue.risk(
            Grant(
              account: AccountID(account), request: request,
              charge: Money(whole: .random(in: 0...100, using: &random))))
        case 4:
          venue.cancel(account, UInt64.random(in: 0...venue.nonce, using: &random))
        case 5:
          venue.now = venue.now + .milliseconds(.random(in: 0...600, using: &random))
        default:
          let price = "\(Int.random(in: 990...1_010, using: &random))"
          let lots = Int64.random(in: 1...12, using: &random)
          let instrument = [Venue.linear, Venue.inverse].randomElement(using: &random)!
          if .random(using: &random) {
            venue.buy(account, lots, at: price, instrument)
          } else {
            venue.sell(account, lots, at: price, instrument)
          }
        }
        venue.checkCredit()
      }
      let fills = venue.machine.fillNumber
      #expect(fills > 50)
    }
  }
}
