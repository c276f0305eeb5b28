import Bytes
import Machine
import Market
import Testing

@testable import Operations

/// A shard as an auditor hears it: inputs with what was signed and answered, and what was said to them.
private final class ToldShard {
  static let instrument = TestMarket.perpetual
  static let lot: Int64 = 100_000
  private static let id = MachineID.shard(ShardID(0))

  let check = OrderTermsCheck(TestMarket.definition(opening: Timestamp(seconds: 1_000)))
  private var sequence: UInt64 = 0
  private var fills: UInt64 = 0
  var now = Timestamp(seconds: 2_000)

  var breaches: Int { check.findings.breaches }
  var details: [String] { check.findings.details }

  static func name(_ account: UInt32, _ nonce: UInt64, _ index: UInt16 = 0) -> OrderID {
    OrderID(account: AccountID(account), key: .owner, nonce: nonce, index: index)
  }

  static func order(
    _ side: Side, _ price: Int64, _ lots: Int64, type: Market.Operation.OrderType = .limit, display: Int64 = 0,
    trigger: Int64 = 0, clientID: UInt64 = 0
  ) -> Market.Operation {
    Market.Operation(
      kind: .new, side: side, type: type, instrument: instrument, price: Price(whole: price),
      quantity: Quantity(units: lots * lot), targetNonce: clientID, triggerPrice: Price(whole: trigger),
      displayQuantity: Quantity(units: display * lot))
  }

  /// One signed action with its answers, and what the shard says to it.
  func action(
    _ account: UInt32, _ nonce: UInt64, _ operations: [Market.Operation], _ outcomes: [Outcome],
    _ said: () -> Void = {}
  ) {
    let header = SignedActionHeader(
      module: .batch, operationCount: UInt16(operations.count), account: AccountID(account), nonce: nonce,
      expiry: 9_000, underlying: UnderlyingID(0), signer: .zero, owner: .zero,
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
    input(.action, SignedAction(header: header, operations: operations).encoded) {
      said()
      check.replied(
        Self.id,
        ActionReply(
          machine: Self.id, account: AccountID(account), key: .owner, nonce: nonce, term: Term(1),
          sequence: SequenceNumber(sequence), stamp: now, isRepeated: false,
          results: outcomes.map { .init(outcome: $0) }))
    }
  }

  func tick(_ said: () -> Void) { input(.tick, [], said) }

  private func input(_ kind: InputKind, _ payload: [UInt8], _ said: () -> Void) {
    sequence += 1
    let header = InputHeader(sequence: SequenceNumber(sequence), stamp: now, term: Term(1), kind: kind)
    payload.withUnsafeBytes { check.entry(Self.id, header, $0) }
    said()
    check.endOfInput(of: Self.id)
  }

  /// One side of a trade; lots are negative for a seller.
  func fill(_ kind: Fill.Kind, _ order: OrderID, _ lots: Int64, at price: Int64) {
    fills += 1
    check.sent(
      Self.id,
      Fill(
        number: fills, kind: kind, instrument: Self.instrument, order: order, lots: Lots(lots),
        price: Price(whole: price), cash: .zero, fee: .zero, consumed: .zero))
  }

  func book(_ event: BookDelta.Event, _ side: Side, _ price: Int64, _ number: UInt64, shows lots: Int64) {
    check.told(
      Self.id,
      BookDelta(
        instrument: Self.instrument, event: event, side: side, price: Price(whole: price), lots: .zero, order: number,
        orderLots: Lots(lots), sequence: 0, checksum: 0))
  }

  func report(_ event: ExecutionReport.Event, _ order: OrderID, _ outcome: Outcome, remaining lots: Int64 = 0) {
    check.reported(
      Self.id,
      ExecutionReport(
        event: event, shard: ShardID(0), sequence: SequenceNumber(sequence), stamp: now, order: order,
        instrument: Self.instrument, outcome: outcome, remaining: Lots(lots)))
  }

  func state(_ state: TradingState) {
    check.told(Self.id, InstrumentStatus(instrument: Self.instrument, state: state, sequence: 0))
  }

  /// An order that rests at once under a public number.
  func rest(_ account: UInt32, _ nonce: UInt64, _ order: Market.Operation, number: UInt64) {
    let lot = Self.lot
    let shown = order.displayQuantity.units > 0 ? order.displayQuantity.units / lot : order.quantity.units / lot
    action(account, nonce, [order], [.resting]) {
      book(.added, order.side ?? .buy, order.price.units / fixedPointScale, number, shows: shown)
    }
  }

  /// A trade of a resting sell order with an incoming buyer.
  func trade(_ maker: OrderID, _ number: UInt64, _ taker: OrderID, _ lots: Int64, at price: Int64, left: Int64) {
    fill(.maker, maker, -lots, at: price)
    fill(.taker, taker, lots, at: price)
    book(.traded, .sell, price, number, shows: left)
  }
}

@Suite struct OrderTermsCheckTests {
  private let shard = ToldShard()

  private func sound(_ location: SourceLocation = #_sourceLocation) {
    #expect(shard.breaches == 0, "\(shard.details)", sourceLocation: location)
  }
  private func breached(_ word: String, _ location: SourceLocation = #_sourceLocation) {
    #expect(shard.details.contains { $0.contains(word) }, "\(shard.details)", sourceLocation: location)
  }

  @Test func whoRestsFirstTradesFirst() {
    shard.rest(1, 1, ToldShard.order(.sell, 100, 5), number: 1)
    shard.rest(2, 1, ToldShard.order(.sell, 100, 5), number: 2)
    let taker = ToldShard.name(3, 1)
    shard.action(3, 1, [ToldShard.order(.buy, 100, 7)], [.filled]) {
      shard.trade(ToldShard.name(1, 1), 1, taker, 5, at: 100, left: 0)
      shard.trade(ToldShard.name(2, 1), 2, taker, 2, at: 100, left: 3)
    }
    sound()
    shard.rest(1, 2, ToldShard.order(.sell, 99, 5), number: 3)
    shard.action(3, 2, [ToldShard.order(.buy, 100, 1)], [.filled]) {
      shard.trade(ToldShard.name(2, 1), 2, ToldShard.name(3, 2), 1, at: 100, left: 2)
    }
    breached("comes before it")
  }

  @Test func aRefreshedIcebergGoesBehindTheOthers() {
    shard.rest(1, 1, ToldShard.order(.sell, 100, 7, display: 3), number: 1)
    shard.rest(2, 1, ToldShard.order(.sell, 100, 5), number: 2)
    let (iceberg, other) = (ToldShard.name(1, 1), ToldShard.name(2, 1))
    let taker = ToldShard.name(3, 1)
    shard.action(3, 1, [ToldShard.order(.buy, 100, 9)], [.filled]) {
      shard.trade(iceberg, 1, taker, 3, at: 100, left: 0)
      shard.book(.added, .sell, 100, 3, shows: 3)
      shard.trade(other, 2, taker, 5, at: 100, left: 0)
      shard.trade(iceberg, 3, taker, 1, at: 100, left: 2)
    }
    sound()
    shard.action(3, 2, [ToldShard.order(.buy, 100, 3)], [.filled]) {
      shard.trade(iceberg, 3, ToldShard.name(3, 2), 2, at: 100, left: 0)
      shard.book(.added, .sell, 100, 4, shows: 1)
      shard.trade(iceberg, 4, ToldShard.name(3, 2), 1, at: 100, left: 0)
    }
    sound()
    // Seven lots in all have traded: there is nothing left to show.
    shard.tick { shard.book(.added, .sell, 100, 5, shows: 1) }
    shard.action(3, 3, [ToldShard.order(.buy, 100, 1)], [.filled]) {
      shard.trade(iceberg, 5, ToldShard.name(3, 3), 1, at: 100, left: 0)
    }
    breached("no such order is open")
  }

  @Test func aStopTradesOnlyOnceItWasTriggeredAndWithinItsLimit() {
    let stop = ToldShard.name(2, 1)
    shard.rest(1, 1, ToldShard.order(.sell, 100, 9), number: 1)
    shard.action(2, 1, [ToldShard.order(.buy, 100, 4, type: .stopLimit, trigger: 98)], [.armed])
    shard.tick {
      shard.report(.triggered, stop, .armed, remaining: 4)
      shard.trade(ToldShard.name(1, 1), 1, stop, 3, at: 100, left: 6)
      shard.book(.added, .buy, 100, 3, shows: 1)
      shard.report(.accepted, stop, .resting, remaining: 1)
    }
    sound()
    shard.action(3, 1, [ToldShard.order(.sell, 100, 1)], [.filled]) {
      shard.fill(.maker, stop, 1, at: 100)
      shard.fill(.taker, ToldShard.name(3, 1), -1, at: 100)
      shard.book(.traded, .buy, 100, 3, shows: 0)
    }
    sound()
    shard.action(2, 2, [ToldShard.order(.buy, 99, 4, type: .stopLimit, trigger: 98)], [.armed])
    shard.tick {
      shard.report(.triggered, ToldShard.name(2, 2), .armed, remaining: 4)
      shard.trade(ToldShard.name(1, 1), 1, ToldShard.name(2, 2), 1, at: 100, left: 5)
    }
    breached("its limit is 99")
  }

  @Test func aStopThatWasNotTriggeredOpensNothing() {
    shard.rest(1, 1, ToldShard.order(.sell, 100, 9), number: 1)
    shard.action(2, 1, [ToldShard.order(.buy, 0, 4, type: .stopMarket, trigger: 98)], [.armed])
    shard.tick { shard.trade(ToldShard.name(1, 1), 1, ToldShard.name(2, 1), 1, at: 100, left: 8) }
    breached("no such order is open")
  }

  @Test func aQuoteIsTwoOrdersAndTheOldOnesAreGone() {
    func quote(_ bid: Int64, _ ask: Int64) -> Market.Operation {
      Market.Operation(
        kind: .quote, instrument: ToldShard.instrument, price: Price(whole: bid),
        quantity: Quantity(units: 5 * ToldShard.lot), triggerPrice: Price(whole: ask),
        displayQuantity: Quantity(units: 5 * ToldShard.lot))
    }
    let oldAsk = ToldShard.name(1, 1, Market.Operation.askIndexBit)
    let ask = ToldShard.name(1, 2, Market.Operation.askIndexBit)
    shard.action(1, 1, [quote(98, 102)], [.quoted]) {
      shard.book(.added, .buy, 98, 1, shows: 5)
      shard.book(.added, .sell, 102, 2, shows: 5)
    }
    shard.action(1, 2, [quote(97, 101)], [.insufficientCredit]) {
      shard.book(.removed, .buy, 98, 1, shows: 0)
      shard.book(.removed, .sell, 102, 2, shows: 0)
      // The bid is refused alone.
      shard.report(.ended, ToldShard.name(1, 2), .insufficientCredit, remaining: 5)
      shard.book(.added, .sell, 101, 3, shows: 5)
    }
    shard.action(2, 1, [ToldShard.order(.buy, 101, 2)], [.filled]) {
      shard.trade(ask, 3, ToldShard.name(2, 1), 2, at: 101, left: 3)
    }
    sound()
    shard.action(2, 2, [ToldShard.order(.buy, 102, 2)], [.filled]) {
      shard.trade(oldAsk, 3, ToldShard.name(2, 2), 2, at: 101, left: 1)
    }
    breached("what order 1/0/2/32768 traded")
  }

  @Test func aSweepGoesOnInLaterInputsAndNotBeyondItsQuantity() {
    shard.rest(1, 1, ToldShard.order(.sell, 100, 9), number: 1)
    let sweep = ToldShard.name(2, 1)
    shard.action(2, 1, [ToldShard.order(.buy, 101, 6)], [.sweeping]) {
      shard.trade(ToldShard.name(1, 1), 1, sweep, 2, at: 100, left: 7)
    }
    shard.tick { shard.trade(ToldShard.name(1, 1), 1, sweep, 3, at: 100, left: 4) }
    sound()
    shard.tick { shard.trade(ToldShard.name(1, 1), 1, sweep, 2, at: 100, left: 2) }
    breached("2 lots, of which 1 are open")
  }

  @Test func aQueuedOrderIsTakenUpLater() {
    shard.rest(1, 1, ToldShard.order(.sell, 100, 9), number: 1)
    let queued = ToldShard.name(2, 1)
    shard.action(2, 1, [ToldShard.order(.buy, 100, 4)], [.queued])
    shard.tick {
      shard.trade(ToldShard.name(1, 1), 1, queued, 4, at: 100, left: 5)
      shard.report(.ended, queued, .filled)
    }
    sound()
    shard.tick { shard.trade(ToldShard.name(1, 1), 1, queued, 1, at: 100, left: 4) }
    breached("no such order is open")
  }

  @Test func inAnAuctionBothRestAndTradeAtOnePriceInsideTheirLimits() {
    shard.state(.auction)
    shard.rest(1, 1, ToldShard.order(.sell, 98, 4), number: 1)
    shard.rest(2, 1, ToldShard.order(.buy, 102, 6), number: 2)
    func uncross(_ lots: Int64, at price: Int64, left: (sell: Int64, buy: Int64)) {
      shard.fill(.maker, ToldShard.name(1, 1), -lots, at: price)
      shard.fill(.taker, ToldShard.name(2, 1), lots, at: price)
      shard.book(.traded, .sell, 98, 1, shows: left.sell)
      shard.book(.traded, .buy, 102, 2, shows: left.buy)
    }
    shard.tick {
      shard.state(.uncrossing)
      uncross(3, at: 100, left: (1, 3))
    }
    sound()
    shard.tick { uncross(1, at: 103, left: (0, 2)) }
    breached("its limit is 102")
  }

  @Test func whatSelfTradePreventionTookIsNotOpenAnyMore() {
    shard.rest(1, 1, ToldShard.order(.sell, 100, 5), number: 1)
    shard.action(1, 2, [ToldShard.order(.buy, 100, 2)], [.selfTradePrevented]) {
      shard.book(.reduced, .sell, 100, 1, shows: 3)
      shard.report(.accepted, ToldShard.name(1, 1), .amended, remaining: 3)
    }
    shard.action(2, 1, [ToldShard.order(.buy, 100, 3)], [.filled]) {
      shard.trade(ToldShard.name(1, 1), 1, ToldShard.name(2, 1), 3, at: 100, left: 0)
    }
    sound()
  }

  @Test(arguments: [Outcome.cancelledByKillSwitch, .cancelledByDeadMan, .cancelledByProtection, .cancelled])
  func whatASafeguardEndedTradesNoMore(_ outcome: Outcome) {
    shard.rest(1, 1, ToldShard.order(.sell, 100, 5), number: 1)
    shard.action(2, 1, [ToldShard.order(.buy, 100, 3)], [.held])
    shard.tick {
      shard.report(.ended, ToldShard.name(2, 1), outcome, remaining: 3)
      shard.book(.removed, .sell, 100, 1, shows: 0)
      shard.report(.ended, ToldShard.name(1, 1), outcome, remaining: 5)
    }
    sound()
    shard.tick { shard.trade(ToldShard.name(1, 1), 1, ToldShard.name(2, 1), 1, at: 100, left: 4) }
    breached("which does not rest")
    breached("no such order is open")
  }

  @Test func aReplacementByClientIDKeepsTheName() {
    let order = ToldShard.name(1, 1)
    shard.rest(1, 1, ToldShard.order(.sell, 100, 5, clientID: 77), number: 1)
    var replacement = ToldShard.order(.sell, 101, 8, clientID: 77)
    replacement.rawKind = Market.Operation.Kind.replace.rawValue
    replacement.flags = .byClientID
    shard.action(1, 2, [replacement], [.amended]) {
      shard.book(.removed, .sell, 100, 1, shows: 0)
      shard.book(.added, .sell, 101, 2, shows: 8)
    }
    shard.action(2, 1, [ToldShard.order(.buy, 101, 8)], [.filled]) {
      shard.trade(order, 2, ToldShard.name(2, 1), 8, at: 101, left: 0)
    }
    sound()
  }

  @Test func anOrderReplacedTwiceInOneActionHasEachPriceInItsTurn() {
    let order = ToldShard.name(1, 1)
    shard.rest(1, 1, ToldShard.order(.buy, 90, 5), number: 1)
    shard.rest(2, 1, ToldShard.order(.sell, 100, 1), number: 2)
    let replacements = ([100, 95] as [Int64]).map { price in
      var replacement = ToldShard.order(.buy, price, 5)
      replacement.rawKind = Market.Operation.Kind.replace.rawValue
      (replacement.targetNonce, replacement.targetIndex) = (order.nonce, order.index)
      return replacement
    }
    shard.action(1, 2, replacements, [.amended, .amended]) {
      shard.book(.removed, .buy, 90, 1, shows: 0)
      shard.trade(ToldShard.name(2, 1), 2, order, 1, at: 100, left: 0)
      shard.book(.added, .buy, 100, 3, shows: 4)
      shard.book(.removed, .buy, 100, 3, shows: 0)
      shard.book(.added, .buy, 95, 4, shows: 5)
    }
    shard.action(3, 1, [ToldShard.order(.sell, 95, 5)], [.filled]) {
      shard.fill(.maker, order, 5, at: 95)
      shard.fill(.taker, ToldShard.name(3, 1), -5, at: 95)
      shard.book(.traded, .buy, 95, 4, shows: 0)
    }
    sound()
  }

  @Test func aFillThatTheBookDoesNotTellIsABreach() {
    shard.rest(1, 1, ToldShard.order(.sell, 100, 5), number: 1)
    shard.action(2, 1, [ToldShard.order(.buy, 100, 3)], [.filled]) {
      shard.fill(.maker, ToldShard.name(1, 1), -3, at: 100)
      shard.fill(.taker, ToldShard.name(2, 1), 3, at: 100)
    }
    breached("no book change tells it")
  }

  @Test func anExpiredOrderThatTradesIsABreach() {
    var order = ToldShard.order(.sell, 100, 5)
    order.rawTimeInForce = Market.Operation.TimeInForce.goodTillDate.rawValue
    order.expiry = 2_010
    shard.rest(1, 1, order, number: 1)
    shard.now = Timestamp(seconds: 2_010)
    shard.action(2, 1, [ToldShard.order(.buy, 100, 3)], [.filled]) {
      shard.trade(ToldShard.name(1, 1), 1, ToldShard.name(2, 1), 3, at: 100, left: 2)
    }
    breached("it had expired")
  }
}
