import Bytes
import Machine
import Market

/// What a book keeps of its auction, until it is open again.
struct Auction: BitwiseCopyable {
  /// Market orders that rest until the auction ends (extras), by arrival.
  var oldestMarketOrder: Slot = 0
  var newestMarketOrder: Slot = 0
  /// The search for the price, while it goes on.
  var search: PriceSearch?
  /// Nothing meets any more: what is left to do is to cancel market orders.
  var isMatched = false
}

// Halts and call auctions.
extension ShardMachine {
  /// Puts a book into a state that the operator asks for.
  mutating func setState(_ book: Int, _ state: TradingState, _ milliseconds: UInt64, into output: inout OutputBuffer) {
    if now >= books[book].contract.expiry || books[book].isSettling || books[book].state == .uncrossing { return }
    switch state {
    case .halted:
      if books[book].state == .halted { return }
      stopAuctionTimers(book)
      books[book].state = .halted
      updateGate(book)
      tell(book, nil, into: &output)
    case .auction:
      stopAuctionTimers(book)
      books[book].state = .auction
      books[book].auctionEnd = now + max(Interval(milliseconds: milliseconds), .milliseconds(1))
      books[book].indicativeAt = now + max(parameters.indicativeInterval, .milliseconds(1))
      startAuctionTimers(book)
      updateGate(book)
      tell(book, nil, into: &output)
      fireTriggers(book, 0, 2)
    case .open:
      if books[book].state == .open { return }
      endAuction(book)
      fireTriggers(book, 0, 2)
    case .uncrossing: return
    }
  }

  mutating func startAuctionTimers(_ book: Int) {
    timers.insert(
      Timer(deadline: books[book].indicativeAt, kind: .indicative, id: UInt64(book), slot: Slot(book)))
    timers.insert(Timer(deadline: books[book].auctionEnd, kind: .auctionEnd, id: UInt64(book), slot: Slot(book)))
    timedOrders += 2
    wake(at: min(books[book].indicativeAt, books[book].auctionEnd))
  }

  private mutating func stopAuctionTimers(_ book: Int) {
    if books[book].auctionEnd != .never { timedOrders -= 1 }
    if books[book].indicativeAt != .never { timedOrders -= 1 }
    hasLostTimer = true
    books[book].auctionEnd = .never
    books[book].indicativeAt = .never
  }

  /// Tells what the auction would come to now, as far as a step's worth of levels can tell.
  mutating func tellIndicative(_ book: Int, into output: inout OutputBuffer) {
    timedOrders -= 1
    var search = PriceSearch()
    var units = stepBound
    let isWhole = look(&search, book, &units)
    budget = max(0, budget - (stepBound - units))
    tell(book, price(search, book, isWhole: isWhole), into: &output)
    books[book].indicativeAt = now + max(parameters.indicativeInterval, .milliseconds(1))
    timers.insert(
      Timer(deadline: books[book].indicativeAt, kind: .indicative, id: UInt64(book), slot: Slot(book)))
    timedOrders += 1
    wake(at: books[book].indicativeAt)
  }

  /// Begins to search for the price, and to match at it.
  mutating func endAuction(_ book: Int) {
    stopAuctionTimers(book)
    books[book].state = .uncrossing
    books[book].auctionTick = -1
    books[book].auctionVolume = 0
    auctions[book, default: Auction()].search = PriceSearch()
    updateGate(book)
    start(Job(kind: .uncross, book: UInt32(book)))
  }

  private mutating func tell(_ book: Int, _ price: Uncrossing?, into output: inout OutputBuffer) {
    let it = books[book]
    output.status(
      InstrumentStatus(
        instrument: it.instrument, state: it.state, until: it.state == .auction ? it.auctionEnd : .zero,
        price: Price(units: (price?.tick ?? 0) &* it.contract.tickSize),
        volume: Lots(price?.volume ?? 0), imbalance: Lots(price?.imbalance ?? 0),
        sequence: it.deltas))
  }

  /// Finds the auction's price and matches its orders at it; true when nothing more meets and the book is open again.
  mutating func uncross(_ book: Int, into output: inout OutputBuffer) -> Bool {
    while auctions[book]?.isMatched == false {
      if let search = auctions[book]?.search {
        if !fixPrice(book, search, into: &output) { return false }
        continue
      }
      if !match(book, into: &output) { return false }
      // What left without trading may leave the rest crossed: it gets a price of its own.
      if isCrossed(book) { auctions[book]?.search = PriceSearch() } else { auctions[book]?.isMatched = true }
    }
    while let market = auctions[book]?.oldestMarketOrder, market != 0 {
      if budget == 0 { return false }
      budget -= 1
      withdraw(extras[market].order, because: .cancelledAfterAuction, into: &output)
    }
    open(book, into: &output)
    return true
  }

  /// Searches on; true when the price is fixed, or there is none.
  private mutating func fixPrice(_ book: Int, _ begun: PriceSearch, into output: inout OutputBuffer) -> Bool {
    var search = begun
    var units = budget
    let isDone = look(&search, book, &units)
    budget = units
    auctions[book]?.search = isDone ? nil : search
    if !isDone { return false }
    let price = price(search, book, isWhole: true)
    if books[book].auctionTick < 0 { tell(book, price, into: &output) }
    if let price { books[book].auctionTick = price.tick } else { auctions[book]?.isMatched = true }
    return true
  }

  /// Lets the first orders of both best levels meet while both reach the price; false if the units did not suffice.
  private mutating func match(_ book: Int, into output: inout OutputBuffer) -> Bool {
    let tick = books[book].auctionTick
    let bids = books.side(book, .buy)
    let asks = books.side(book, .sell)
    let lowest = Int32(bitPattern: BookSide.rank(.buy, tick))
    let highest = Int32(bitPattern: BookSide.rank(.sell, tick))
    while bids.pointee.best >= lowest, asks.pointee.best >= highest {
      if budget == 0 { return false }
      budget -= 1
      meet(bids.pointee.firstOrder, asks.pointee.firstOrder, at: tick, book, into: &output)
    }
    return true
  }

  /// Ends an uncrossing.
  private mutating func open(_ book: Int, into output: inout OutputBuffer) {
    auctions[book] = nil
    books[book].state = .open
    updateGate(book)
    let tick = books[book].auctionTick
    let result = tick < 0 ? nil : Uncrossing(tick: tick, volume: books[book].auctionVolume, imbalance: 0)
    tell(book, result, into: &output)
    books[book].auctionTick = -1
    books[book].auctionVolume = 0
    takeUpLater()
  }

  /// Enters a market order (its extra), the newest of all, among those that go with the auction.
  mutating func joinAuction(_ slot: Slot, _ book: Int) {
    var auction = auctions[book] ?? Auction()
    extras[slot].olderInAuction = auction.newestMarketOrder
    if auction.newestMarketOrder == 0 {
      auction.oldestMarketOrder = slot
    } else {
      extras[auction.newestMarketOrder].newerInAuction = slot
    }
    auction.newestMarketOrder = slot
    auctions[book] = auction
  }

  /// Undoes `joinAuction`.
  mutating func leaveAuction(_ slot: Slot, _ book: Int) {
    guard var auction = auctions[book] else { return }
    let (older, newer) = (extras[slot].olderInAuction, extras[slot].newerInAuction)
    if older == 0 { auction.oldestMarketOrder = newer } else { extras[older].newerInAuction = newer }
    if newer == 0 { auction.newestMarketOrder = older } else { extras[newer].olderInAuction = older }
    auctions[book] = auction
  }

  /// The first orders of both sides meet at the auction's price.
  private mutating func meet(_ bid: Slot, _ ask: Slot, at tick: Int64, _ book: Int, into output: inout OutputBuffer) {
    if isOut(orders[bid]) { return expel(bid, into: &output) }
    if isOut(orders[ask]) { return expel(ask, into: &output) }
    let (maker, own) = orders[bid].number < orders[ask].number ? (bid, ask) : (ask, bid)
    let order = orders[own]
    var taker = Taker(
      accountSlot: order.accountSlot, nonce: order.nonce, key: order.key, index: order.index, book: book,
      side: order.side, limit: 0, lots: order.lots,
      hidden: order.isIceberg ? extras[order.extra].hidden : 0, reserved: order.reserved, kind: .taker,
      mode: order.mode)
    if accounts[order.accountSlot].group == accounts[orders[maker].accountSlot].group {
      return preventInAuction(maker, own, taker.mode, into: &output)
    }
    let contract = books[book].contract
    let price = tick &* contract.tickSize
    fill(
      maker, &taker, own: own, openPosition(order.accountSlot, book), at: price, into: &output)
    if taker.isStopped { return withdraw(own, because: .overflow, into: &output) }
    if taker.filled == 0 { return }
    books[book].auctionVolume += taker.filled
    books[book].last = price
    books[book].hasTraded = true
    if books[book].stops != 0 {
      noteNewLast(book)
    }
  }

  private mutating func preventInAuction(
    _ maker: Slot, _ own: Slot, _ mode: Operation.SelfTradePrevention, into output: inout OutputBuffer
  ) {
    switch mode {
    case .cancelMaker: withdraw(maker, because: .cancelledBySelfTrade, into: &output)
    case .cancelBoth:
      withdraw(maker, because: .cancelledBySelfTrade, into: &output)
      withdraw(own, because: .cancelledBySelfTrade, into: &output)
    case .decrement:
      let lots = min(orders[maker].lots, orders[own].lots)
      for slot in [maker, own] {
        if orders[slot].lots == lots {
          withdraw(slot, because: .cancelledBySelfTrade, into: &output)
        } else {
          shrink(slot, by: lots, shownFirst: true, into: &output)
          reportAmended(slot, into: &output)
        }
      }
    case .unspecified, .cancelTaker: withdraw(own, because: .cancelledBySelfTrade, into: &output)
    }
  }
}
