import Bytes
import Machine
import Market

/// An incoming order while it trades.
struct Taker: BitwiseCopyable {
  var accountSlot: Slot
  var nonce: UInt64
  var key: UInt16
  var index: UInt16
  var book: Int
  var side: Side
  /// Lowest rank of the other side at which it still trades.
  var limit: UInt32
  /// Lots left.
  var lots: Int64
  /// Lots left that take no part: hidden ones, where the taker is an iceberg in an auction.
  var hidden: Int64 = 0
  /// Charge left in reservation; zero where the order carries none.
  var reserved: Int64
  var kind: Fill.Kind
  var mode = Operation.SelfTradePrevention.unspecified
  /// It runs under a charge of its own, see `Grant`.
  var isGranted = false
  var filled: Int64 = 0
  /// Open lots, as its account sees them.
  var remaining: Int64 { lots &+ hidden }
  /// Set when a sum on the taker's side would leave its range: the rest is dropped.
  var isStopped = false
  /// Self-trade prevention has ended it.
  var isPrevented = false
  /// The step's bound is reached while it still crosses.
  var isUnfinished = false
}

extension ShardMachine {
  /// Trades `taker` against the other side in price-time priority, at the makers' prices, until it is filled, nothing
  /// crosses any more, or the step is full.
  @inline(never) mutating func trade(_ taker: inout Taker, into output: inout OutputBuffer) {
    let opposite = taker.side.opposite
    let side = books.side(taker.book, opposite)
    let limit = Int32(bitPattern: taker.limit)
    if side.pointee.best < limit { return }
    let contract = books[taker.book].contract
    let takerPosition = openPosition(taker.accountSlot, taker.book)
    let group = accounts[taker.accountSlot].group
    let filled = taker.filled
    taker.isUnfinished = false
    var price: Int64 = 0
    while taker.lots > 0, side.pointee.best >= limit {
      if budget == 0 {
        taker.isUnfinished = true
        break
      }
      budget -= 1
      let slot = side.pointee.firstOrder
      let maker = orders.base + Int(slot)
      if accounts[maker.pointee.accountSlot].group == group || maker.pointee.isSpecial || isBehind {
        if isOut(maker.pointee) {
          expel(slot, into: &output)
          continue
        }
        if accounts[maker.pointee.accountSlot].group == group {
          prevent(slot, &taker, into: &output)
          if taker.isPrevented { break }
          continue
        }
      }
      let before = taker.filled
      price = BookSide.tick(opposite, maker.pointee.rank) &* contract.tickSize
      fill(slot, &taker, takerPosition, at: price, contract, into: &output)
      if taker.isStopped { break }
      if taker.filled != before { books[taker.book].last = price }
    }
    if taker.filled != filled {
      books[taker.book].hasTraded = true
      if books[taker.book].stops != 0 {
        books[taker.book].isLastNew = true
        hasNewLast = true
      }
    }
  }

  /// Whether an order in the book is past its expiry, or a quote that protection has taken out: it never trades.
  @inline(__always) mutating func isOut(_ order: RestingOrder) -> Bool {
    if order.isQuote { return order.number <= accounts[order.accountSlot].quotesOut }
    return order.expires && isPastExpiry(order)
  }

  /// Removes an order that `isOut`.
  mutating func expel(_ slot: Slot, into output: inout OutputBuffer) {
    let isQuoteOut = orders[slot].isQuote && orders[slot].number <= accounts[orders[slot].accountSlot].quotesOut
    withdraw(slot, because: isQuoteOut ? .cancelledByProtection : .expiredOrder, into: &output)
  }

  /// Two orders of one trading group have met: the incoming one's mode decides.
  mutating func prevent(_ slot: Slot, _ taker: inout Taker, into output: inout OutputBuffer) {
    switch taker.mode {
    case .cancelMaker: withdraw(slot, because: .cancelledBySelfTrade, into: &output)
    case .cancelBoth:
      withdraw(slot, because: .cancelledBySelfTrade, into: &output)
      taker.isPrevented = true
    case .decrement:
      let lots = min(taker.lots, orders[slot].lots)
      let released = Self.part(of: taker.reserved, lots, of: taker.lots)
      accounts[taker.accountSlot].reserved &-= released
      taker.reserved &-= released
      taker.lots &-= lots
      if taker.lots == 0 { taker.isPrevented = true }
      if lots == orders[slot].lots {
        withdraw(slot, because: .cancelledBySelfTrade, into: &output)
      } else {
        shrink(slot, by: lots, shownFirst: true, into: &output)
        reportAmended(slot, into: &output)
      }
    case .unspecified, .cancelTaker: taker.isPrevented = true
    }
  }

  /// One trade between `taker` and the open order in `slot`. In an auction the taker is an open order too: `own`.
  @inline(__always) mutating func fill(
    _ slot: Slot, _ taker: inout Taker, own: Slot = 0, _ takerPosition: Slot, at price: Int64, _ contract: Contract,
    into output: inout OutputBuffer
  ) {
    let maker = orders[slot]
    let lots = min(taker.lots, maker.lots)
    let makerPosition = openPosition(maker.accountSlot, taker.book)
    let currency = currencyOfBook[taker.book]
    // The maker's own acceptance showed that these fit.
    guard let notional = contract.notional(lots, at: price),
      let makerFee = Contract.share(notional, perMillion: parameters.makerFee),
      let takerFee = Contract.share(notional, perMillion: parameters.takerFee)
    else {
      taker.isStopped = true
      return
    }
    let takerSigned = taker.side == .buy ? lots : -lots
    let (takerCash, makerCash) = cashFlows(contract.settlement == .inverse ? notional : -notional, taker.side)
    if !hasRoom(taker.accountSlot, takerPosition, takerSigned, takerCash - takerFee, currency, contract)
      || ledger[Self.houseSlot, currency] > Contract.largestSum - makerFee - takerFee
    {
      taker.isStopped = true
      return
    }
    if !hasRoom(maker.accountSlot, makerPosition, -takerSigned, makerCash - makerFee, currency, contract) {
      withdraw(slot, because: .overflow, into: &output)
      return
    }

    // Charges move from reserved to consumed, pro rata.
    let hidden = maker.isIceberg ? extras[maker.extra].hidden : 0
    let makerPart = Self.part(of: maker.reserved, lots, of: maker.lots &+ hidden)
    accounts[maker.accountSlot].reserved &-= makerPart
    accounts[maker.accountSlot].consumed &+= makerPart
    let makerConsumed = accounts[maker.accountSlot].consumed
    let takerPart = Self.part(of: taker.reserved, lots, of: taker.remaining)
    accounts[taker.accountSlot].reserved &-= takerPart
    accounts[taker.accountSlot].consumed &+= takerPart
    taker.reserved &-= takerPart
    taker.lots &-= lots
    taker.filled &+= lots

    let makerName = name(of: maker)
    let makerLeft = maker.lots &- lots
    settle(slot, lots, left: makerLeft, hidden, reserved: maker.reserved &- makerPart, makerPosition)
    let ownOrder = own == 0 ? nil : orders[own]
    if own != 0 {
      settle(own, lots, left: taker.lots, taker.hidden, reserved: taker.reserved, takerPosition)
    }
    move(maker.accountSlot, makerPosition, -takerSigned, makerCash - makerFee, currency)
    move(taker.accountSlot, takerPosition, takerSigned, takerCash - takerFee, currency)
    move(Self.houseSlot, 0, 0, makerFee + takerFee, currency)

    let instrument = books[taker.book].instrument
    emitFill(
      .maker, instrument, makerName, lots: -takerSigned, price: price, cash: makerCash, fee: makerFee,
      consumed: makerConsumed, remaining: makerLeft &+ hidden, into: &output)
    let takerName = OrderID(
      account: accounts[taker.accountSlot].id, key: KeyID(taker.key), nonce: taker.nonce, index: taker.index)
    emitFill(
      taker.kind, instrument, takerName, lots: takerSigned, price: price, cash: takerCash, fee: takerFee,
      consumed: accounts[taker.accountSlot].consumed, remaining: taker.remaining, into: &output)
    emitDelta(
      .traded, taker.book, maker.side, maker.rank, order: maker.number, shows: makerLeft, change: -lots, into: &output)
    if let ownOrder {
      emitDelta(
        .traded, taker.book, ownOrder.side, ownOrder.rank, order: ownOrder.number, shows: taker.lots, change: -lots,
        into: &output)
    }
    if makerLeft == 0, hidden != 0 { refresh(slot, into: &output) }
    if own != 0, taker.lots == 0, taker.hidden != 0 { refresh(own, into: &output) }
    if maker.isQuote, accounts[maker.accountSlot].protection != 0 {
      protect(maker.accountSlot, taker.book, -takerSigned, notional, into: &output)
    }
    if positions[makerPosition].reducingLots != 0 { trimReducing(makerPosition, into: &output) }
    if positions[takerPosition].reducingLots != 0 { trimReducing(takerPosition, into: &output) }
  }

  /// Leaves an order that has traded `lots` with what it has left, or takes it out.
  @inline(__always) private mutating func settle(
    _ slot: Slot, _ lots: Int64, left: Int64, _ hidden: Int64, reserved: Int64, _ position: Slot
  ) {
    if left &+ hidden == 0 { return detach(slot) }
    let order = orders.base + Int(slot)
    order.pointee.reserved = reserved
    order.pointee.lots = left
    books.side(Int(order.pointee.book), order.pointee.side).pointee.level(order.pointee.rank).pointee.lots &-= lots
    if order.pointee.isReduceOnly { positions[position].reducingLots &-= lots }
  }

  /// Shows the next lots of an iceberg, behind all others of its price.
  mutating func refresh(_ slot: Slot, into output: inout OutputBuffer) {
    let order = orders[slot]
    let book = Int(order.book)
    let shown = min(extras[order.extra].display, extras[order.extra].hidden)
    let side = books.side(book, order.side)
    side.pointee.unlink(slot, orders.base)
    extras[order.extra].hidden -= shown
    arrivals &+= 1
    orders[slot].lots = shown
    orders[slot].renumber(arrivals)
    side.pointee.append(slot, orders.base)
    emitDelta(
      .added, book, order.side, order.rank, order: arrivals, shows: shown, change: shown, into: &output)
  }

  /// Ledger movements of taker and maker, where the buyer's is `buyerCash`: exact opposites.
  @inline(__always) private mutating func cashFlows(_ buyerCash: Int64, _ taker: Side) -> (taker: Int64, maker: Int64) {
    #if NOVATION_PLANT
      let minted: Int64 = faults.contains(.mintOnFill) ? 1 : 0
      return taker == .buy ? (buyerCash + minted, -buyerCash) : (-buyerCash, buyerCash + minted)
    #else
      return taker == .buy ? (buyerCash, -buyerCash) : (-buyerCash, buyerCash)
    #endif
  }

  /// Whether position and ledger stay within their range.
  @inline(__always) private mutating func hasRoom(
    _ account: Slot, _ position: Slot, _ lots: Int64, _ cash: Int64, _ currency: Int, _ contract: Contract
  ) -> Bool {
    let after = positions[position].lots &+ lots
    let money = ledger[account, currency] &+ cash
    return after.magnitude <= UInt64(contract.largestPosition) && money.magnitude <= UInt64(Contract.largestSum)
  }

  /// Moves position and ledger; `position` 0 leaves positions alone.
  @inline(__always) mutating func move(_ account: Slot, _ position: Slot, _ lots: Int64, _ cash: Int64, _ currency: Int)
  {
    if position != 0 {
      if !positions[position].movedInEpoch {
        positions[position].movedInEpoch = true
        movedPositions.append(position)
      }
      #if NOVATION_PLANT
        if !(faults.contains(.dropPosition) && lots < 0) { positions[position].lots &+= lots }
      #else
        positions[position].lots &+= lots
      #endif
    }
    if cash != 0 {
      if !accounts[account].movedInEpoch {
        accounts[account].movedInEpoch = true
        movedAccounts.append(account)
      }
      ledger[account, currency] &+= cash
    }
  }
}
