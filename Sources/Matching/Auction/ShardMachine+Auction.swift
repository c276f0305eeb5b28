import Bytes
import Machine
import Market

/// A market order that rests until its auction ends.
struct AuctionOrder: BitwiseCopyable {
  var book: UInt16
  var slot: Slot
  var number: UInt64
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
      tell(book, uncrossing(book), into: &output)
      fireTriggers(book, 0, 2)
    case .open:
      if books[book].state == .open { return }
      endAuction(book, into: &output)
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

  /// Tells what the auction would come to now.
  mutating func tellIndicative(_ book: Int, into output: inout OutputBuffer) {
    timedOrders -= 1
    tell(book, uncrossing(book), into: &output)
    books[book].indicativeAt = now + max(parameters.indicativeInterval, .milliseconds(1))
    timers.insert(
      Timer(deadline: books[book].indicativeAt, kind: .indicative, id: UInt64(book), slot: Slot(book)))
    timedOrders += 1
    wake(at: books[book].indicativeAt)
  }

  /// Fixes the price and begins to match at it.
  mutating func endAuction(_ book: Int, into output: inout OutputBuffer) {
    stopAuctionTimers(book)
    let price = uncrossing(book)
    books[book].state = .uncrossing
    books[book].auctionTick = price?.tick ?? -1
    books[book].auctionVolume = 0
    updateGate(book)
    tell(book, price, into: &output)
    start(Job(kind: .uncross, book: UInt32(book)))
  }

  private mutating func tell(_ book: Int, _ price: Uncrossing?, into output: inout OutputBuffer) {
    let it = books[book]
    output.status(
      InstrumentStatus(
        instrument: it.instrument, state: it.state, until: it.state == .auction ? it.auctionEnd : .zero,
        price: Price(units: (price?.tick ?? 0) &* it.contract.tickSize),
        volume: Lots(Int64(clamping: price?.volume ?? 0)), imbalance: Lots(Int64(clamping: price?.imbalance ?? 0)),
        sequence: it.deltas))
  }

  /// Matches the auction's orders at its price; true when nothing more meets and the book is open again.
  mutating func uncross(_ book: Int, into output: inout OutputBuffer) -> Bool {
    let bids = books.side(book, .buy)
    let asks = books.side(book, .sell)
    while case let tick = books[book].auctionTick, tick >= 0 {
      let lowest = Int32(bitPattern: BookSide.rank(.buy, tick))
      let highest = Int32(bitPattern: BookSide.rank(.sell, tick))
      if bids.pointee.best < lowest || asks.pointee.best < highest {
        // What left without trading may leave the rest crossed: it gets a price of its own.
        guard let next = uncrossing(book) else { break }
        books[book].auctionTick = next.tick
        continue
      }
      if budget == 0 { return false }
      budget -= 1
      meet(bids.pointee.firstOrder, asks.pointee.firstOrder, at: tick, book, into: &output)
    }
    while let order = auctionOrders.first(where: { Int($0.book) == book }) {
      if orders[order.slot].number == order.number {
        if budget == 0 { return false }
        budget -= 1
        withdraw(order.slot, because: .cancelledAfterAuction, into: &output)
      }
      auctionOrders.removeAll { $0.number == order.number }
    }
    books[book].state = .open
    updateGate(book)
    let tick = books[book].auctionTick
    var result: Uncrossing?
    if tick >= 0 { result = Uncrossing(tick: tick, volume: Int128(books[book].auctionVolume), imbalance: 0) }
    tell(book, result, into: &output)
    books[book].auctionTick = -1
    books[book].auctionVolume = 0
    takeUpLater()
    return true
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
      books[book].isLastNew = true
      hasNewLast = true
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
