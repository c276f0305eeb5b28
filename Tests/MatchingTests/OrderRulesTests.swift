import Bytes
import Machine
import Market
import Testing

@testable import Matching

@Suite struct OrderRulesTests {
  @Test func aRestingOrderShowsAtItsPrice() {
    let venue = Venue()
    let said = venue.buy(1, 5, at: "999.5")
    #expect(said.outcome == .resting)
    #expect(
      said.deltas == [
        BookDelta(
          instrument: Venue.linear, event: .added, side: .buy, price: Price("999.5")!, lots: Lots(5), order: 1,
          orderLots: Lots(5), sequence: 1, checksum: 5 &* BookDelta.weight(of: .buy, Price("999.5")!))
      ])
    #expect(
      venue.machine.bookSnapshot(Venue.linear)!.bids == [
        BookLevel(price: Price("999.5")!, lots: Lots(5), orders: 1)
      ])
  }

  @Test func tradesPrintAtTheMakersPrice() {
    let venue = Venue {
      $0.makerFee = 100
      $0.takerFee = 300
    }
    venue.sell(1, 5, at: "1000")
    let said = venue.buy(2, 3, at: "1010")
    #expect(said.outcome == .filled && said.filled == 3)
    #expect(said.fills.map(\.price) == [Price(whole: 1_000), Price(whole: 1_000)])
    #expect(said.fills.map(\.kind) == [.maker, .taker])
    #expect(said.fills.map(\.lots) == [Lots(-3), Lots(3)])
    // 3 lots of 0.1 at 1,000 are 300 USD; 100 and 300 per million of it are 0.03 and 0.09.
    #expect(said.fills.map(\.cash) == [Money(whole: 300), Money(whole: -300)])
    #expect(said.fills.map(\.fee) == [Money("0.03")!, Money("0.09")!])
    #expect(said.reports.map(\.isMaker) == [true, false])
    #expect(said.reports.map(\.remaining) == [Lots(2), Lots(0)])
    #expect(venue.position(1) == -3 && venue.position(2) == 3)
  }

  @Test func anInverseTradeMovesCoins() {
    let venue = Venue()
    venue.sell(1, 100, at: "1000", Venue.inverse)
    let said = venue.buy(2, 100, at: "1000", Venue.inverse)
    // 1,000 USD at 1,000 are one coin, which the buyer's ledger gains.
    #expect(said.fills.map(\.cash) == [Money(whole: -1), Money(whole: 1)])
  }

  @Test func anImmediateOrdersResidualNeverRests() {
    let venue = Venue()
    venue.sell(1, 2, at: "1000")
    let said = venue.buy(2, 5, at: "1000", Venue.linear, .immediateOrCancel)
    #expect(said.outcome == .residualCancelled && said.filled == 2)
    #expect(venue.machine.bookSnapshot(Venue.linear)!.bids.isEmpty)
    #expect(venue.machine.orderCount == 0)
    #expect(venue.machine.standing(AccountID(2))!.reserved == .zero)
  }

  @Test func aFilledMakerLeavesTheIndex() {
    let venue = Venue()
    venue.sell(1, 2, at: "1000")
    let target = venue.nonce
    venue.buy(2, 2, at: "1000")
    #expect(venue.cancel(1, target).outcome == .unknownOrder)
    #expect(venue.machine.orderCount == 0)
  }

  @Test func aRefusedFillOrKillLeavesNoTrace() {
    let venue = Venue()
    venue.sell(1, 2, at: "1000")
    venue.sell(1, 2, at: "1001")
    let before = (venue.machine.bookSnapshot(Venue.linear), venue.machine.standing(AccountID(2)))
    let said = venue.buy(2, 5, at: "1001", Venue.linear, .fillOrKill)
    #expect(said.outcome == .notFillable && said.fills.isEmpty && said.deltas.isEmpty)
    #expect(venue.machine.bookSnapshot(Venue.linear) == before.0)
    #expect(venue.machine.standing(AccountID(2))!.reserved == before.1!.reserved)
    #expect(venue.buy(2, 4, at: "1001", Venue.linear, .fillOrKill).outcome == .filled)
  }

  @Test func cancelKeepsFirstInFirstOutForTheRest() {
    let venue = Venue()
    var nonces: [UInt64] = []
    for _ in 0..<4 {
      venue.sell(1, 1, at: "1000")
      nonces.append(venue.nonce)
    }
    venue.cancel(1, nonces[1])
    let said = venue.buy(2, 3, at: "1000")
    #expect(said.fills.filter { $0.kind == .maker }.map(\.order.nonce) == [nonces[0], nonces[2], nonces[3]])
  }

  @Test func betterPricesTradeFirst() {
    let venue = Venue()
    for price in ["1002", "1000", "1001"] { venue.sell(1, 1, at: price) }
    let said = venue.buy(2, 3, at: "1005")
    let prices = said.fills.filter { $0.kind == .taker }.map(\.price)
    #expect(prices == [Price(whole: 1_000), Price(whole: 1_001), Price(whole: 1_002)])
    #expect(said.deltas.map(\.lots) == [.zero, .zero, .zero])
  }

  @Test func amendDownKeepsPriorityAndAmendUpIsRefused() {
    let venue = Venue()
    venue.sell(1, 5, at: "1000")
    let first = venue.nonce
    venue.sell(2, 5, at: "1000")
    func amend(_ lots: Int64) -> Outcome? {
      venue.act(
        1,
        Market.Operation(
          kind: .amend, instrument: Venue.linear, quantity: venue.quantity(lots, Venue.linear), targetNonce: first)
      ).outcome
    }
    #expect(amend(5) == .notDecreasing)
    #expect(amend(6) == .notDecreasing)
    #expect(amend(2) == .amended)
    #expect(venue.lots(.sell, "1000") == 7)
    let said = venue.buy(3, 3, at: "1000")
    #expect(said.fills.filter { $0.kind == .maker }.map(\.order.account.rawValue) == [1, 2])
  }

  private func replace(
    _ venue: Venue, _ account: UInt32, _ target: UInt64, _ side: Side, _ lots: Int64, _ price: String,
    _ flags: Market.Operation.Flags = []
  ) -> Said {
    var operation = venue.order(side, lots, price, Venue.linear, .goodTillCancelled, flags)
    operation.rawKind = Market.Operation.Kind.replace.rawValue
    operation.targetNonce = target
    return venue.act(account, operation)
  }

  @Test func replaceLosesPriorityAndKeepsItsName() {
    let venue = Venue()
    venue.sell(1, 5, at: "1000")
    let first = venue.nonce
    venue.sell(2, 5, at: "1000")
    #expect(replace(venue, 1, first, .sell, 5, "1000").outcome == .amended)
    let said = venue.buy(3, 5, at: "1000")
    #expect(said.fills.filter { $0.kind == .maker }.map(\.order.account.rawValue) == [2])
    #expect(venue.cancel(1, first).outcome == .cancelled)
  }

  @Test func aReplacementMayCross() {
    let venue = Venue()
    venue.sell(1, 5, at: "1000")
    venue.buy(2, 2, at: "990")
    let said = replace(venue, 2, venue.nonce, .buy, 3, "1000")
    #expect(said.outcome == .filled && said.filled == 3)
    #expect(venue.machine.openOrders(AccountID(2)).isEmpty)
  }

  @Test func aRefusedReplacementLeavesTheOldOrder() {
    let venue = Venue()
    venue.sell(1, 5, at: "1000")
    venue.buy(2, 2, at: "990")
    let target = venue.nonce
    #expect(replace(venue, 2, target, .buy, 3, "1000", .postOnly).outcome == .wouldTake)
    #expect(replace(venue, 2, target, .buy, 3, "1600").outcome == .outsideBand)
    #expect(replace(venue, 2, target, .sell, 3, "1000").outcome == .unsupportedCombination)
    #expect(replace(venue, 2, 999_999, .buy, 3, "990").outcome == .unknownOrder)
    #expect(venue.machine.openOrders(AccountID(2)).map(\.lots) == [Lots(2)])
  }

  @Test func postOnlyNeverTakes() {
    let venue = Venue()
    venue.sell(1, 5, at: "1000")
    #expect(venue.buy(2, 1, at: "1000", Venue.linear, .goodTillCancelled, .postOnly).outcome == .wouldTake)
    #expect(venue.buy(2, 1, at: "999.5", Venue.linear, .goodTillCancelled, .postOnly).outcome == .resting)
  }

  @Test func aMarketOrderStopsAtTheBand() {
    let venue = Venue()
    venue.sell(1, 2, at: "1499.5")
    venue.marks(low: 500, high: 1_400)
    var market = Market.Operation(
      kind: .new, side: .buy, type: .market, instrument: Venue.linear, quantity: venue.quantity(1, Venue.linear))
    #expect(venue.act(2, market).outcome == .residualCancelled)
    venue.marks()
    let said = venue.act(2, market)
    #expect(said.outcome == .filled && said.fills.allSatisfy { $0.price == Price("1499.5")! })
    market.price = Price(whole: 1_000)
    #expect(venue.act(2, market).outcome == .unsupportedCombination)
  }

  @Test(arguments: [
    ("1000.25", Outcome.priceOffTick), ("-1", .priceOutOfRange), ("2097152", .priceOutOfRange), ("499.5", .outsideBand),
    ("1500.5", .outsideBand),
  ])
  func pricesAreRefusedByRule(price: String, outcome: Outcome) {
    #expect(Venue().buy(1, 1, at: price).outcome == outcome)
  }

  @Test func quantitiesAreRefusedByRule() {
    let venue = Venue()
    var order = venue.order(.buy, 1, "1000")
    for (units, outcome) in [
      (0, Outcome.quantityOutOfRange), (-10_000_000, .quantityOutOfRange), (10_000_001, .quantityOffLot),
      (10_000_000 * 1_000_001, .quantityOutOfRange), (Int64.max, .quantityOffLot), (.min, .quantityOutOfRange),
    ] {
      order.quantity = Quantity(units: units)
      #expect(venue.act(1, order).outcome == outcome)
    }
  }

  @Test func instrumentsAreRefusedByRule() {
    let venue = Venue()
    #expect(venue.buy(1, 1, at: "1000", Venue.elsewhere).outcome == .wrongShard)
    var order = venue.order(.buy, 1, "1000")
    order.instrument = InstrumentID(99)
    #expect(venue.act(1, order).outcome == .unknownInstrument)
    venue.now = Venue.expiry
    venue.marks()
    #expect(venue.buy(1, 1, at: "1000", Venue.future).outcome == .instrumentExpired)
  }

  @Test func anOrderGoodTillADateExpiresByTheStamp() {
    let venue = Venue()
    var order = venue.order(.sell, 1, "1000", Venue.linear, .goodTillDate)
    order.expiry = UInt32(venue.now.seconds) + 10
    #expect(venue.act(1, order).outcome == .resting)
    #expect(venue.machine.nextDeadline <= Timestamp(seconds: venue.now.seconds + 10))
    venue.now = Timestamp(seconds: Int64(order.expiry))
    let said = venue.apply(.tick, [])
    #expect(said.reports.map(\.outcome) == [.expiredOrder])
    venue.marks()
    #expect(venue.buy(2, 1, at: "1000").outcome == .resting)
    #expect(venue.act(1, order).outcome == .expired)
  }

  @Test func whatIsPastItsExpiryNeverTradesThoughItsTimerIsLate() {
    let venue = Venue { $0.stepBound = 2 }
    var order = venue.order(.sell, 1, "1000", Venue.linear, .goodTillDate)
    order.expiry = UInt32(venue.now.seconds) + 10
    for _ in 0..<6 { venue.act(1, order) }
    venue.sell(3, 1, at: "1000")
    venue.now = Timestamp(seconds: Int64(order.expiry))
    venue.isLively = false
    let fresh = Heartbeat(number: 9, stamp: venue.now)
    venue.risk(fresh)
    let said = venue.buy(2, 1, at: "1000")
    #expect(said.fills.filter { $0.kind == .maker }.allSatisfy { $0.order.account == AccountID(3) })
  }

  @Test func aDayOrderEndsAtEightUTC() {
    // 2023-11-14T22:13:20Z ends at 2023-11-15T08:00:00Z.
    #expect(ShardMachine.endOfDay(Timestamp(seconds: 1_700_000_000)) == 1_700_035_200)
    #expect(ShardMachine.endOfDay(Timestamp(seconds: 1_700_035_200)) == 1_700_121_600)
    #expect(ShardMachine.endOfDay(Timestamp(seconds: 1_700_035_199)) == 1_700_035_200)
    #expect(ShardMachine.endOfDay(.zero) == 28_800)
  }

  @Test func cancelAllEndsWhatWasThereAndNothingElse() {
    let venue = Venue()
    venue.buy(1, 1, at: "900")
    venue.buy(1, 1, at: "900", Venue.inverse)
    venue.buy(2, 1, at: "900")
    let one = Market.Operation(kind: .cancelAll, instrument: Venue.linear)
    #expect(venue.act(1, one).reports.map(\.outcome) == [.cancelled])
    #expect(venue.machine.openOrders(AccountID(1)).map(\.instrument) == [Venue.inverse])
    venue.act(1, Market.Operation(kind: .cancelAll, instrument: Market.Operation.allInstruments))
    #expect(venue.machine.openOrders(AccountID(1)).isEmpty && venue.machine.orderCount == 1)
  }

  @Test func aLongCancelAllGoesOnInBoundedStepsAndSparesLaterOrders() {
    let venue = Venue { $0.stepBound = 10 }
    for _ in 0..<25 { venue.buy(1, 1, at: "900") }
    let said = venue.act(1, Market.Operation(kind: .cancelAll, instrument: Market.Operation.allInstruments))
    #expect(said.outcome == .cancelled && said.reports.count == 10)
    #expect(venue.machine.nextDeadline == venue.now)
    venue.buy(1, 7, at: "900")
    venue.apply(.continuation, [])
    #expect(venue.machine.openOrders(AccountID(1)).map(\.lots) == [Lots(7)])
    #expect(venue.machine.nextDeadline > venue.now)
  }

  @Test func forgettingNoncesNeverDelaysACancel() {
    let venue = Venue { $0.stepBound = 10 }
    for _ in 0..<100 { venue.buy(1, 1, at: "1600") }
    for _ in 0..<8 { venue.buy(2, 1, at: "900") }
    venue.now = venue.now + .seconds(61)
    venue.act(2, Market.Operation(kind: .cancelAll, instrument: Venue.linear))
    #expect(venue.machine.openOrders(AccountID(2)).isEmpty && venue.machine.liveNonceCount > 50)
  }

  @Test func aSessionsEndCancelsWhatLivesWithIt() {
    let venue = Venue()
    let order = venue.order(.buy, 1, "900", Venue.linear, .goodTillCancelled, .cancelOnDisconnect)
    venue.act(1, [order], session: 7, generation: 1)
    venue.act(1, [order], session: 7, generation: 2)
    venue.act(1, [order], session: 8, generation: 1)
    venue.act(1, [venue.order(.buy, 1, "900")], session: 7, generation: 1)
    let said = venue.apply(.sessionEnd, SessionEnd(session: 7, generation: 1).encoded)
    #expect(said.reports.map(\.outcome) == [.cancelledByDisconnect])
    #expect(venue.machine.openOrders(AccountID(1)).count == 3)
  }

  @Test func reduceOnlyNeverFlipsAPosition() {
    let venue = Venue()
    #expect(venue.sell(1, 5, at: "1000", Venue.linear, .goodTillCancelled, .reduceOnly).outcome == .notReducing)
    venue.sell(2, 5, at: "1000")
    venue.buy(1, 5, at: "1000")
    #expect(venue.buy(1, 1, at: "900", Venue.linear, .goodTillCancelled, .reduceOnly).outcome == .notReducing)
    venue.sell(1, 3, at: "1100", Venue.linear, .goodTillCancelled, .reduceOnly)
    let second = venue.sell(1, 9, at: "1101", Venue.linear, .goodTillCancelled, .reduceOnly)
    #expect(second.outcome == .resting)
    #expect(venue.machine.openOrders(AccountID(1)).map(\.lots) == [Lots(3), Lots(2)])
    #expect(venue.sell(1, 1, at: "1102", Venue.linear, .goodTillCancelled, .reduceOnly).outcome == .notReducing)
    // The position shrinks to 1 by a plain sale: the newest goes first, then the older one shrinks.
    venue.buy(2, 4, at: "990")
    let said = venue.sell(1, 4, at: "990")
    #expect(
      said.reports.filter { $0.event != .fill }.map(\.outcome) == [.cancelledAsNotReducing, .amended]
        || said.reports.contains { $0.outcome == .cancelledAsNotReducing })
    #expect(venue.machine.openOrders(AccountID(1)).map(\.lots) == [Lots(1)])
    venue.buy(2, 5, at: "1100")
    #expect(venue.position(1) == 0)
    #expect(venue.machine.openOrders(AccountID(1)).isEmpty)
    venue.checkCredit()
  }

  @Test func silenceRefusesNewOrdersButNotCancels() {
    let venue = Venue()
    venue.buy(1, 2, at: "900")
    let target = venue.nonce
    venue.now = venue.now + .milliseconds(2_001)
    #expect(venue.buy(1, 1, at: "900").outcome == .riskSilent)
    venue.risk(Heartbeat(number: 2, stamp: venue.now))
    #expect(venue.buy(1, 1, at: "900").outcome == .marksSilent)
    #expect(venue.cancel(1, target).outcome == .cancelled)
    venue.marks()
    #expect(venue.buy(1, 1, at: "900").outcome == .resting)
    // An old heartbeat resent does not end a lapse.
    let old = venue.now
    venue.now = venue.now + .seconds(3)
    venue.risk(Heartbeat(number: 3, stamp: old))
    #expect(venue.buy(1, 1, at: "900").outcome == .riskSilent)
  }

  @Test func aHaltRefusesNewOrdersButNotCancels() {
    let venue = Venue()
    venue.buy(1, 2, at: "900")
    let target = venue.nonce
    venue.risk(Halt(isHalted: true))
    #expect(venue.buy(1, 1, at: "900").outcome == .halted)
    #expect(venue.cancel(1, target).outcome == .cancelled)
    venue.risk(Halt(isHalted: false))
    #expect(venue.buy(1, 1, at: "900").outcome == .resting)
  }

  @Test func openOrdersAreBounded() {
    let venue = Venue { $0.openOrdersPerAccount = 2 }
    venue.buy(1, 1, at: "900")
    venue.buy(1, 1, at: "900")
    #expect(venue.buy(1, 1, at: "900").outcome == .tooManyOpenOrders)
    #expect(venue.buy(1, 1, at: "900", Venue.linear, .immediateOrCancel).outcome == .residualCancelled)
    #expect(venue.buy(2, 1, at: "900").outcome == .resting)
  }

  @Test func aTradesSignerBoundsItsFee() {
    let venue = Venue { $0.takerFee = 1_000 }
    func trade(_ maximum: Money) -> Outcome? {
      venue.nonce += 1
      var action = venue.action(1, [venue.order(.buy, 1, "1000")], nonce: venue.nonce)
      action.header.module = .trade
      action.header.maximumFee = maximum
      return venue.apply(.action, action.encoded).outcome
    }
    // 1,000 per million of a price of 1,000 is 1 USD a unit.
    #expect(trade(Money("0.99999999")!) == .feeAboveMaximum)
    #expect(trade(.zero) == .feeAboveMaximum)
    #expect(trade(Money(whole: 1)) == .resting)
  }
}
