import Machine
import Market

// Trading states, call auctions and their one price.
extension NaiveEngine {
  mutating func setTradingState(_ ticket: NaiveTicket, into output: inout OutputBuffer) -> NaiveAnswer {
    let operation = ticket.operation
    if ticket.account != 0 { return NaiveAnswer(outcome: .notAuthorised) }
    let isBlank = operation.isBlank {
      $0.rawType = 0
      $0.instrument = InstrumentID(0)
      $0.targetNonce = 0
    }
    guard isBlank, let state = TradingState(rawValue: operation.rawType), state != .uncrossing,
      (state == .auction) == (operation.targetNonce != 0)
    else { return NaiveAnswer(outcome: .unsupportedCombination) }
    var which = Array(books.indices)
    if operation.instrument != Market.Operation.allInstruments {
      let (found, refusal) = book(of: operation.instrument)
      guard let found else { return NaiveAnswer(outcome: refusal) }
      which = [found]
    }
    for book in which { enter(state, book, length: operation.targetNonce, into: &output) }
    return NaiveAnswer(outcome: .applied)
  }

  private mutating func enter(_ state: TradingState, _ book: Int, length: UInt64, into output: inout OutputBuffer) {
    let before = books[book].state
    if now >= books[book].instrument.expiry || books[book].isSettling || before == .uncrossing { return }
    switch state {
    case .halted:
      if before == .halted { return }
      books[book].state = .halted
      books[book].until = .zero
      books[book].nextIndicative = .never
      output.status(status(book))
    case .auction:
      let bounded = Int64(clamping: min(length, UInt64(Int64.max / 1_000_000)))
      books[book].state = .auction
      books[book].until = now + .milliseconds(bounded)
      books[book].nextIndicative = now + indicativeInterval
      output.status(status(book))
      lookAtSources(book, [.mark, .index, .last])
    case .open:
      if before == .open { return }
      startUncrossing(book)
      lookAtSources(book, [.mark, .index, .last])
    case .uncrossing: break
    }
  }

  private func status(_ book: Int) -> InstrumentStatus {
    InstrumentStatus(
      instrument: books[book].instrument.id, state: books[book].state, until: books[book].until,
      sequence: books[book].deltas)
  }

  /// Tells what the auction would come to now, looking at no more levels than a step has units.
  mutating func emitIndicative(_ book: Int, into output: inout OutputBuffer) {
    var units = stepBound
    let isWhole = look(book, &units)
    budget = max(0, budget - (stepBound - units))
    emit(crossing(book, isWhole: isWhole), book, into: &output)
    (books[book].seenBids, books[book].seenAsks) = ([], [])
  }

  private func emit(_ crossing: Crossing?, _ book: Int, into output: inout OutputBuffer) {
    var status = status(book)
    if let crossing {
      status.price = Price(units: crossing.price)
      status.volume = Lots(crossing.volume)
      status.imbalance = Lots(crossing.imbalance)
    }
    output.status(status)
  }

  /// Ends the auction: a job searches its price, and matches its orders.
  mutating func startUncrossing(_ book: Int) {
    books[book].state = .uncrossing
    books[book].until = .zero
    books[book].nextIndicative = .never
    books[book].auctionPrice = nil
    books[book].auctionVolume = 0
    books[book].phase = .searching
    start(NaiveJob(kind: .uncrossing, book: book))
  }

  private typealias Crossing = (price: Int64, volume: Int64, imbalance: Int64)

  /// Looks at levels, a unit each: the next bid where the bids looked at come to no more lots than the asks, else the
  /// next ask, until the last bid lies below the last ask or there is none. False if the units did not suffice.
  private mutating func look(_ book: Int, _ units: inout Int) -> Bool {
    let isNew = books[book].seenBids.isEmpty && books[book].seenAsks.isEmpty
    if isNew, !isCrossed(book) { return true }
    while true {
      let (bids, asks) = (books[book].seenBids, books[book].seenAsks)
      if let bid = bids.last, let ask = asks.last, bid.price < ask.price { return true }
      let side: Side = Self.sum(bids) <= Self.sum(asks) ? .buy : .sell
      guard let next = unseen(book, side).first else { return true }
      if units == 0 { return false }
      units -= 1
      if side == .buy { books[book].seenBids.append(next) } else { books[book].seenAsks.append(next) }
    }
  }

  static func sum(_ levels: [NaiveBook.Level]) -> Int128 { levels.reduce(0) { $0 + Int128($1.lots) } }

  private func isCrossed(_ book: Int) -> Bool {
    guard let bid = best(book, .buy), let ask = best(book, .sell) else { return false }
    return orders[bid].price >= orders[ask].price
  }

  /// The side's levels behind the last one that was looked at, best first.
  private func unseen(_ book: Int, _ side: Side) -> [NaiveBook.Level] {
    let last = side == .buy ? books[book].seenBids.last : books[book].seenAsks.last
    var levels: [NaiveBook.Level] = []
    for order in orders where order.book == book && order.side == side {
      if let last, side == .buy ? order.price >= last.price : order.price <= last.price { continue }
      if let known = levels.firstIndex(where: { $0.price == order.price }) {
        levels[known].lots += order.lots
      } else {
        levels.append(NaiveBook.Level(price: order.price, lots: order.lots))
      }
    }
    return levels.sorted { side == .buy ? $0.price > $1.price : $0.price < $1.price }
  }

  /// The one price of an auction, what would trade there, and lots bid minus lots offered: levels that were looked at
  /// count with what they had then, the others, where they count, with what they have.
  private func crossing(_ book: Int, isWhole: Bool) -> Crossing? {
    let bids = books[book].seenBids + (isWhole ? unseen(book, .buy) : [])
    let asks = books[book].seenAsks + (isWhole ? unseen(book, .sell) : [])
    guard let highest = bids.map(\.price).max(), let lowest = asks.map(\.price).min(), highest >= lowest else {
      return nil
    }
    let reference = hasMark(book) ? books[book].mark : books[book].last ?? 0
    // Demand and supply change at levels only, so between two of them the nearest to the reference is best: one of the
    // ends, or a neighbour of the reference itself.
    var prices = [validPrice(atOrBelow: reference, book), validPrice(atOrAbove: reference, book)]
    for level in bids + asks {
      prices += [
        level.price, validPrice(atOrBelow: level.price - 1, book), validPrice(atOrAbove: level.price + 1, book),
      ]
    }
    var best: (price: Int64, volume: Int128, imbalance: Int128)?
    for case let price? in prices where price >= lowest && price <= highest {
      let demand = Self.sum(bids.filter { $0.price >= price })
      let supply = Self.sum(asks.filter { $0.price <= price })
      let volume = min(demand, supply)
      let imbalance = demand - supply
      guard let current = best else {
        best = (price, volume, imbalance)
        continue
      }
      func distance(_ price: Int64) -> Int128 { abs(Int128(price) - Int128(reference)) }
      let mine = (-volume, abs(imbalance), distance(price), price)
      if mine < (-current.volume, abs(current.imbalance), distance(current.price), current.price) {
        best = (price, volume, imbalance)
      }
    }
    return best.map { ($0.price, Int64(clamping: $0.volume), Int64(clamping: $0.imbalance)) }
  }

  /// Searches the price and matches the auction's orders at it; true when the book is open again. What leaves without
  /// trading in the meantime may leave the rest crossed: then a new price is searched.
  mutating func uncross(_ book: Int, into output: inout OutputBuffer) -> Bool {
    while books[book].phase != .clearing {
      if books[book].phase == .searching {
        var units = budget
        let isDone = look(book, &units)
        budget = units
        if !isDone { return false }
        let crossing = crossing(book, isWhole: true)
        (books[book].seenBids, books[book].seenAsks) = ([], [])
        if books[book].auctionPrice == nil { emit(crossing, book, into: &output) }
        if let crossing { books[book].auctionPrice = crossing.price }
        books[book].phase = crossing == nil ? .clearing : .matching
        continue
      }
      while let price = books[book].auctionPrice, let bid = best(book, .buy), let ask = best(book, .sell),
        orders[bid].price >= price, orders[ask].price <= price
      {
        if budget == 0 { return false }
        budget -= 1
        if dropIfDead(bid, into: &output) || dropIfDead(ask, into: &output) { continue }
        let isBidOlder = orders[bid].number < orders[ask].number
        meet(maker: isBidOlder ? bid : ask, taker: isBidOlder ? ask : bid, at: price, into: &output)
      }
      books[book].phase = isCrossed(book) ? .searching : .clearing
    }
    while let place = orders.indices.filter({ orders[$0].isAuctionOnly && orders[$0].book == book })
      .min(by: { orders[$0].arrival < orders[$1].arrival })
    {
      if budget == 0 { return false }
      budget -= 1
      remove(place, because: .cancelledAfterAuction, into: &output)
    }
    books[book].state = .open
    books[book].phase = .none
    var status = status(book)
    status.price = Price(units: books[book].auctionPrice ?? 0)
    status.volume = Lots(books[book].auctionVolume)
    output.status(status)
    books[book].auctionPrice = nil
    books[book].auctionVolume = 0
    takeUpLater()
    return true
  }

  /// Two resting orders meet at the auction's price.
  private mutating func meet(maker: Int, taker: Int, at price: Int64, into output: inout OutputBuffer) {
    let older = orders[maker]
    let newer = orders[taker]
    let book = older.book
    let lots = min(older.shown, newer.shown)
    func place(_ order: NaiveOrder) -> Int? { orders.firstIndex { $0.arrival == order.arrival } }
    if accounts[older.account].group == accounts[newer.account].group {
      let mode = newer.mode
      if mode == .decrement { decrement(maker, by: lots, into: &output) }
      if mode == .decrement, let taker = place(newer) { decrement(taker, by: lots, into: &output) }
      if mode == .cancelMaker || mode == .cancelBoth { remove(maker, because: .cancelledBySelfTrade, into: &output) }
      if mode == .cancelTaker || mode == .cancelBoth, let taker = place(newer) {
        remove(taker, because: .cancelledBySelfTrade, into: &output)
      }
      return
    }
    let terms = terms(lots, at: price, newer.side, book, maker: older.account, taker: newer.account)
    guard let terms, terms.takerHasRoom else { return remove(taker, because: .overflow, into: &output) }
    if !terms.makerHasRoom { return remove(maker, because: .overflow, into: &output) }
    consumeCharge(maker, lots)
    consumeCharge(taker, lots)
    let filled = takeShown(maker, lots)
    settle(terms, book)
    books[book].auctionVolume = Int64(clamping: Int128(books[book].auctionVolume) + Int128(lots))
    emit(terms, filled, taker: newer.name, takerLeft: newer.lots - lots, kind: .taker, into: &output)
    emitDelta(.traded, filled, shows: filled.shown, into: &output)
    guard let takerPlace = place(newer) else { return }
    let taken = takeShown(takerPlace, lots)
    emitDelta(.traded, taken, shows: taken.shown, into: &output)
    refresh(filled, into: &output)
    refresh(taken, into: &output)
    afterFill(filled, lots, at: price, taker: newer.account, into: &output)
  }
}
