import Bytes
import Machine
import Market

extension NaiveEngine {
  /// Trades in price-time priority at the makers' prices, until nothing crosses or the step's units are spent.
  mutating func trade(_ taker: inout NaiveTaker, into output: inout OutputBuffer) {
    while taker.lots > 0, taker.ending == .none, budget > 0 {
      guard let place = best(taker.book, taker.side.opposite),
        crosses(taker.side, limit: taker.limit, orders[place].price)
      else { return }
      budget -= 1
      if dropIfDead(place, into: &output) { continue }
      if accounts[orders[place].account].group == accounts[taker.account].group {
        preventSelfTrade(place, &taker, into: &output)
      } else {
        fill(place, &taker, into: &output)
      }
    }
  }

  /// Removes an order that must not trade any more; false if it may.
  mutating func dropIfDead(_ place: Int, into output: inout OutputBuffer) -> Bool {
    if isPastExpiry(orders[place]) {
      remove(place, because: .expiredOrder, into: &output)
    } else if orders[place].isOut {
      remove(place, because: .cancelledByProtection, into: &output)
    } else {
      return false
    }
    return true
  }

  private mutating func preventSelfTrade(_ place: Int, _ taker: inout NaiveTaker, into output: inout OutputBuffer) {
    switch taker.mode {
    case .unspecified, .cancelTaker: taker.ending = .selfTrade
    case .cancelMaker: remove(place, because: .cancelledBySelfTrade, into: &output)
    case .cancelBoth:
      remove(place, because: .cancelledBySelfTrade, into: &output)
      taker.ending = .selfTrade
    case .decrement:
      let lots = min(taker.lots, orders[place].shown)
      decrement(place, by: lots, into: &output)
      let released = Self.part(of: taker.reserved, lots, of: taker.lots)
      accounts[taker.account].reserved -= released
      taker.reserved -= released
      taker.lots -= lots
      if taker.lots == 0 { taker.ending = .selfTrade }
    }
  }

  /// Takes lots off what a resting order shows, without a trade.
  mutating func decrement(_ place: Int, by lots: Int64, into output: inout OutputBuffer) {
    if orders[place].shown == lots { return remove(place, because: .cancelledBySelfTrade, into: &output) }
    release(place, lots)
    orders[place].shown -= lots
    let order = orders[place]
    emitDelta(.reduced, order, shows: order.shown, into: &output)
    report(
      .accepted, order.account, order.name, books[order.book].instrument.id, .amended, remaining: order.lots,
      into: &output)
  }

  /// Gives back the charge of lots that are about to leave an order.
  mutating func release(_ place: Int, _ lots: Int64) {
    let released = Self.part(of: orders[place].reserved, lots, of: orders[place].lots)
    orders[place].reserved -= released
    accounts[orders[place].account].reserved -= released
  }

  private mutating func fill(_ place: Int, _ taker: inout NaiveTaker, into output: inout OutputBuffer) {
    let maker = orders[place]
    let lots = min(taker.lots, maker.shown)
    guard let terms = terms(lots, at: maker.price, taker.side, taker.book, maker: maker.account, taker: taker.account)
    else {
      taker.ending = .overflow
      return
    }
    if !terms.takerHasRoom {
      taker.ending = .overflow
    } else if !terms.makerHasRoom {
      remove(place, because: .overflow, into: &output)
    } else {
      let part = Self.part(of: taker.reserved, lots, of: taker.lots)
      accounts[taker.account].reserved -= part
      accounts[taker.account].consumed += part
      taker.reserved -= part
      taker.consumed += part
      taker.lots -= lots
      taker.filled += lots
      consumeCharge(place, lots)
      let filled = takeShown(place, lots)
      settle(terms, taker.book)
      emit(
        terms, filled, taker: taker.name, takerLeft: taker.lots, kind: taker.kind, into: &output)
      emitDelta(.traded, filled, shows: filled.shown, into: &output)
      refresh(filled, into: &output)
      afterFill(filled, lots, at: maker.price, taker: taker.account, into: &output)
    }
  }

  /// What both sides of a trade gain and pay.
  struct Terms {
    var lots: Int64
    var price: Int64
    var takerSide: Side
    var maker: Int
    var taker: Int
    var makerCash: Int64
    var takerCash: Int64
    var makerFee: Int64
    var takerFee: Int64
    var makerHasRoom: Bool
    var takerHasRoom: Bool
    /// The taker's lots, signed.
    var signed: Int64 { takerSide.sign * lots }
  }

  /// `nil` if an amount cannot be stated at all.
  func terms(_ lots: Int64, at price: Int64, _ side: Side, _ book: Int, maker: Int, taker: Int) -> Terms? {
    let instrument = books[book].instrument
    guard let notional = notional(lots, at: price, book),
      let makerFee = Self.share(notional, perMillion: parameters.makerFee),
      let takerFee = Self.share(notional, perMillion: parameters.takerFee)
    else { return nil }
    let buyerCash = instrument.settlement == .inverse ? notional : -notional
    let takerCash = side == .buy ? buyerCash : -buyerCash
    let fees = Int128(makerFee) + Int128(takerFee)
    let houseHasRoom = Int128(ledger(0, instrument.settlementCurrency)) + fees <= Int128(Self.largestSum)
    func fits(_ account: Int, _ lots: Int64, _ cash: Int64, _ fee: Int64) -> Bool {
      guard let net = Int64(exactly: Int128(cash) - Int128(fee)) else { return false }
      return hasRoom(account, book, lots: lots, cash: net)
    }
    let signed = side.sign * lots
    return Terms(
      lots: lots, price: price, takerSide: side, maker: maker, taker: taker, makerCash: -takerCash,
      takerCash: takerCash, makerFee: makerFee, takerFee: takerFee,
      makerHasRoom: fits(maker, -signed, -takerCash, makerFee),
      takerHasRoom: houseHasRoom && fits(taker, signed, takerCash, takerFee))
  }

  /// Moves the charge of traded lots of a resting order from reserved to consumed.
  mutating func consumeCharge(_ place: Int, _ lots: Int64) {
    let part = Self.part(of: orders[place].reserved, lots, of: orders[place].lots)
    accounts[orders[place].account].reserved -= part
    accounts[orders[place].account].consumed += part
    orders[place].reserved -= part
  }

  /// Takes traded lots off what a resting order shows; it leaves when nothing is left. Returns it as it then is.
  mutating func takeShown(_ place: Int, _ lots: Int64) -> NaiveOrder {
    orders[place].shown -= lots
    let order = orders[place]
    if order.lots == 0 { orders.remove(at: place) }
    return order
  }

  /// Moves positions and money.
  mutating func settle(_ terms: Terms, _ book: Int) {
    let currency = books[book].instrument.settlementCurrency
    move(terms.maker, book, lots: -terms.signed)
    move(terms.taker, book, lots: terms.signed)
    move(terms.maker, currency, cash: terms.makerCash - terms.makerFee)
    move(terms.taker, currency, cash: terms.takerCash - terms.takerFee)
    move(0, currency, cash: terms.makerFee + terms.takerFee)
    books[book].last = terms.price
    books[book].hasTraded = true
  }

  /// Tells both sides' fills, the maker's first.
  mutating func emit(
    _ terms: Terms, _ maker: NaiveOrder, taker: NaiveName, takerLeft: Int64, kind: Fill.Kind,
    into output: inout OutputBuffer
  ) {
    let instrument = books[maker.book].instrument.id
    let price = Price(units: terms.price)
    emitFill(
      Fill(
        number: 0, kind: .maker, instrument: instrument, order: orderID(maker.account, maker.name),
        lots: Lots(-terms.signed), price: price, cash: Money(units: terms.makerCash),
        fee: Money(units: terms.makerFee), consumed: Money(units: accounts[terms.maker].consumed)),
      remaining: maker.lots, isMaker: true, into: &output)
    emitFill(
      Fill(
        number: 0, kind: kind, instrument: instrument, order: orderID(terms.taker, taker), lots: Lots(terms.signed),
        price: price, cash: Money(units: terms.takerCash), fee: Money(units: terms.takerFee),
        consumed: Money(units: accounts[terms.taker].consumed)),
      remaining: takerLeft, isMaker: false, into: &output)
  }

  /// An iceberg whose slice is gone shows the next one, last in its level.
  mutating func refresh(_ order: NaiveOrder, into output: inout OutputBuffer) {
    guard order.shown == 0, order.hidden > 0, let place = orders.firstIndex(where: { $0.arrival == order.arrival })
    else { return }
    arrivals += 1
    var next = orders.remove(at: place)
    next.shown = min(next.display, next.hidden)
    next.hidden -= next.shown
    next.number = arrivals
    orders.append(next)
    emitDelta(.added, next, shows: next.shown, into: &output)
  }

  /// Protection counts the maker's fill, then both accounts' reduce-only orders are trimmed.
  mutating func afterFill(
    _ maker: NaiveOrder, _ lots: Int64, at price: Int64, taker: Int, into output: inout OutputBuffer
  ) {
    if maker.isQuote { count(maker, lots, at: price, into: &output) }
    trimReducing(maker.account, maker.book, into: &output)
    trimReducing(taker, maker.book, into: &output)
  }

  /// Shrinks or cancels reduce-only orders, newest first, until they fit the position again.
  private mutating func trimReducing(_ account: Int, _ book: Int, into output: inout OutputBuffer) {
    while true {
      let reducing = orders.indices.filter {
        orders[$0].isReduceOnly && orders[$0].account == account && orders[$0].book == book
      }
      guard let newest = reducing.last else { return }
      let order = orders[newest]
      let position = position(account, book)
      let closable = max(0, order.side == .sell ? position : -position)
      let excess = reducing.reduce(0) { $0 + orders[$1].lots } - closable
      if excess <= 0 { return }
      budget = max(0, budget - 1)
      if excess >= order.lots {
        remove(newest, because: .cancelledAsNotReducing, into: &output)
      } else {
        release(newest, excess)
        orders[newest].shown -= excess
        emitDelta(.reduced, orders[newest], shows: orders[newest].shown, into: &output)
        report(
          .accepted, account, order.name, books[book].instrument.id, .amended, remaining: orders[newest].lots,
          into: &output)
      }
    }
  }
}
