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
  var filled: Int64 = 0
  /// Charge that its fills have consumed.
  var consumed: Int64 = 0
  /// Open lots, as its account sees them.
  var remaining: Int64 { lots &+ hidden }
  /// Set when a sum on the taker's side would leave its range: the rest is dropped.
  var isStopped = false
  /// Self-trade prevention has ended it.
  var isPrevented = false
  /// The step's bound is reached while it still crosses.
  var isUnfinished = false
}

/// What a fill needs of the maker's order, which may go with it.
private struct MakerFields: BitwiseCopyable {
  let nonce: UInt64
  let accountSlot: Slot
  let key: UInt16
  let index: UInt16
  let number: UInt64
  let rank: UInt32
  let side: Side
  let lots: Int64
  let reserved: Int64
  let isSpecial: Bool
  let isQuote: Bool

  @inline(__always) init(_ order: UnsafePointer<RestingOrder>) {
    nonce = order.pointee.nonce
    accountSlot = order.pointee.accountSlot
    key = order.pointee.key
    index = order.pointee.index
    number = order.pointee.number
    rank = order.pointee.rank
    side = order.pointee.side
    lots = order.pointee.lots
    reserved = order.pointee.reserved
    isSpecial = order.pointee.isSpecial
    isQuote = order.pointee.isQuote
  }
}

extension ShardMachine {
  /// Trades `taker` against the other side in price-time priority, at the makers' prices, until it is filled, nothing
  /// crosses any more, or the step is full.
  @inline(never) mutating func trade(_ taker: inout Taker, into output: inout OutputBuffer) {
    taker.isUnfinished = false
    let opposite = taker.side.opposite
    let side = books.side(taker.book, opposite)
    let limit = Int32(bitPattern: taker.limit)
    if side.pointee.best < limit { return }
    let book = books.at(taker.book)
    let takerPosition = openPosition(taker.accountSlot, taker.book)
    let accounts = accounts.base
    let group = accounts[Int(taker.accountSlot)].group
    let filled = taker.filled
    while taker.lots > 0, side.pointee.best >= limit {
      if budget == 0 {
        taker.isUnfinished = true
        break
      }
      budget &-= 1
      let slot = side.pointee.firstOrder
      let maker = orders.base + Int(slot)
      let isOwn = accounts[Int(maker.pointee.accountSlot)].group == group
      if isOwn || maker.pointee.isSpecial || isBehind {
        if isOut(maker.pointee) {
          expel(slot, into: &output)
          continue
        }
        if isOwn {
          prevent(slot, &taker, into: &output)
          if taker.isPrevented { break }
          continue
        }
      }
      let before = taker.filled
      let price = BookSide.tick(opposite, maker.pointee.rank) &* book.pointee.contract.tickSize
      fill(slot, &taker, takerPosition, at: price, into: &output)
      if taker.isStopped { break }
      if taker.filled != before { book.pointee.last = price }
    }
    if taker.filled != filled {
      book.pointee.hasTraded = true
      if book.pointee.stops != 0 {
        noteNewLast(taker.book)
      }
    }
  }

  /// Whether an order in the book is past its expiry, or a quote that protection has taken out: it never trades.
  @inline(__always) mutating func isOut(_ order: RestingOrder) -> Bool {
    if order.isQuote, order.number <= accounts[order.accountSlot].quotesOut { return true }
    return order.expires && isPastExpiry(order)
  }

  /// Removes an order that `isOut`.
  mutating func expel(_ slot: Slot, into output: inout OutputBuffer) {
    let isExpired = orders[slot].expires && isPastExpiry(orders[slot])
    withdraw(slot, because: isExpired ? .expiredOrder : .cancelledByProtection, into: &output)
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
    _ slot: Slot, _ taker: inout Taker, own: Slot = 0, _ takerSlot: Slot, at price: Int64,
    into output: inout OutputBuffer
  ) {
    let order = orders.base + Int(slot)
    let book = books.at(taker.book)
    let contract = UnsafePointer(book.pointer(to: \.contract).unsafelyUnwrapped)
    let makerPosition = positions.base + Int(openPosition(order.pointee.accountSlot, taker.book))
    let takerPosition = positions.base + Int(takerSlot)
    let makerAccount = accounts.base + Int(order.pointee.accountSlot)
    let takerAccount = accounts.base + Int(taker.accountSlot)
    let currency = book.pointee.currency
    let makerLedger = ledger.at(order.pointee.accountSlot, currency)
    let takerLedger = ledger.at(taker.accountSlot, currency)
    let houseLedger = ledger.at(Self.houseSlot, currency)
    let lots = min(taker.lots, order.pointee.lots)
    // The maker's own acceptance showed that these fit.
    guard let notional = contract.pointee.notional(lots, at: price),
      let makerFee = Contract.share(notional, perMillion: parameters.makerFee),
      let takerFee = Contract.share(notional, perMillion: parameters.takerFee)
    else {
      taker.isStopped = true
      return
    }
    let takerSigned = taker.side == .buy ? lots : 0 &- lots
    let (takerCash, makerCash) = cashFlows(
      contract.pointee.settlement == .inverse ? notional : 0 &- notional, taker.side)
    let largest = UInt64(bitPattern: contract.pointee.largestPosition)
    let takerMoved = (
      lots: takerPosition.pointee.lots &+ takerSigned, cash: takerLedger.pointee &+ takerCash &- takerFee
    )
    if takerMoved.lots.magnitude > largest || takerMoved.cash.magnitude > UInt64(Contract.largestSum)
      || houseLedger.pointee > Contract.largestSum &- makerFee &- takerFee
    {
      taker.isStopped = true
      return
    }
    let makerMoved = (
      lots: makerPosition.pointee.lots &- takerSigned, cash: makerLedger.pointee &+ makerCash &- makerFee
    )
    if makerMoved.lots.magnitude > largest || makerMoved.cash.magnitude > UInt64(Contract.largestSum) {
      withdraw(slot, because: .overflow, into: &output)
      return
    }

    // Charges move from reserved to consumed, pro rata.
    let maker = MakerFields(UnsafePointer(order))
    let hidden = _slowPath(order.pointee.isIceberg) ? extras[order.pointee.extra].hidden : 0
    let makerLeft = maker.lots &- lots
    let makerPart = Self.part(of: maker.reserved, lots, of: maker.lots &+ hidden)
    makerAccount.pointee.reserved &-= makerPart
    let makerConsumed = makerAccount.pointee.consumed &+ makerPart
    makerAccount.pointee.consumed = makerConsumed
    let takerPart = Self.part(of: taker.reserved, lots, of: taker.remaining)
    takerAccount.pointee.reserved &-= takerPart
    takerAccount.pointee.consumed &+= takerPart
    taker.reserved &-= takerPart
    taker.consumed &+= takerPart
    taker.lots &-= lots
    taker.filled &+= lots

    settle(slot, lots, left: makerLeft, hidden, reserved: maker.reserved &- makerPart, makerPosition)
    let ownNumber = own == 0 ? 0 : orders[own].number
    if _slowPath(own != 0) {
      settle(own, lots, left: taker.lots, taker.hidden, reserved: taker.reserved, takerPosition)
    }
    noteMoved(maker.accountSlot, makerAccount, makerPosition, makerCash &- makerFee)
    noteMoved(taker.accountSlot, takerAccount, takerPosition, takerCash &- takerFee)
    let (makerBefore, takerBefore) = (makerPosition.pointee.lots, takerPosition.pointee.lots)
    #if NOVATION_PLANT
      let isDropping = faults.contains(.dropPosition)
      if !(isDropping && takerSigned > 0) { makerPosition.pointee.lots = makerMoved.lots }
      if !(isDropping && takerSigned < 0) { takerPosition.pointee.lots = takerMoved.lots }
    #else
      makerPosition.pointee.lots = makerMoved.lots
      takerPosition.pointee.lots = takerMoved.lots
    #endif
    if _slowPath(makerPosition.pointee.hasReopened(makerBefore)) {
      relist(Slot(truncatingIfNeeded: makerPosition - positions.base), before: makerBefore)
    }
    if _slowPath(takerPosition.pointee.hasReopened(takerBefore)) { relist(takerSlot, before: takerBefore) }
    makerLedger.pointee = makerMoved.cash
    takerLedger.pointee = takerMoved.cash
    if makerFee | takerFee != 0 { move(Self.houseSlot, 0, 0, makerFee &+ takerFee, currency) }

    let number = fillNumber &+ 2
    fillNumber = number
    let stream = streams.takeNext(2, to: .risk)
    let trade = Trade(
      instrument: book.pointee.instrument, price: price, fills: number, messages: stream, sequence: sequence, stamp: now
    )
    let places = beginTrade(&output)
    writeFill(
      .maker, trade, makerAccount, maker.nonce, maker.key, maker.index, lots: 0 &- takerSigned, cash: makerCash,
      fee: makerFee, consumed: makerConsumed, remaining: makerLeft &+ hidden, at: places.maker, copy: places.copies)
    writeFill(
      taker.kind, trade, takerAccount, taker.nonce, taker.key, taker.index, lots: takerSigned, cash: takerCash,
      fee: takerFee, consumed: takerAccount.pointee.consumed, remaining: taker.remaining, at: places.taker,
      copy: places.copies + Fill.byteCount)
    writeDelta(
      .traded, book, maker.side, price: BookSide.tick(maker.side, maker.rank) &* contract.pointee.tickSize,
      levelLots: books.side(taker.book, maker.side).pointee.level(maker.rank).pointee.lots, order: maker.number,
      shows: makerLeft, change: 0 &- lots, at: places.delta)
    let isUnusual =
      maker.isSpecial || own != 0 || makerPosition.pointee.reducingLots | takerPosition.pointee.reducingLots != 0
    if _slowPath(isUnusual) {
      afterFill(
        slot, maker, makerLeft, hidden, own, ownNumber, taker, takerSlot, notional, takerSigned, lots, into: &output)
    }
  }

  /// What else a trade brings about where icebergs, quotes, an auction or reduce-only orders have part in it.
  @inline(never) private mutating func afterFill(
    _ slot: Slot, _ maker: MakerFields, _ makerLeft: Int64, _ hidden: Int64, _ own: Slot, _ ownNumber: UInt64,
    _ taker: Taker, _ takerSlot: Slot, _ notional: Int64, _ takerSigned: Int64, _ lots: Int64,
    into output: inout OutputBuffer
  ) {
    if own != 0 {
      // The record of a filled order is free by now, but all beyond its first words is as it was.
      emitDelta(
        .traded, taker.book, orders.base[Int(own)].side, orders.base[Int(own)].rank, order: ownNumber,
        shows: taker.lots, change: -lots, into: &output)
    }
    if makerLeft == 0, hidden != 0 { refresh(slot, into: &output) }
    if own != 0, taker.lots == 0, taker.hidden != 0 { refresh(own, into: &output) }
    if maker.isQuote, accounts[maker.accountSlot].protection != 0 {
      protect(maker.accountSlot, taker.book, -takerSigned, notional, into: &output)
    }
    let makerSlot = openPosition(maker.accountSlot, taker.book)
    if positions[makerSlot].reducingLots != 0 { trimReducing(makerSlot, into: &output) }
    if positions[takerSlot].reducingLots != 0 { trimReducing(takerSlot, into: &output) }
  }

  /// Leaves an order that has traded `lots` with what it has left, or takes it out.
  @inline(__always) private mutating func settle(
    _ slot: Slot, _ lots: Int64, left: Int64, _ hidden: Int64, reserved: Int64,
    _ position: UnsafeMutablePointer<Position>
  ) {
    if left &+ hidden == 0 { return detach(slot) }
    let order = orders.base + Int(slot)
    order.pointee.reserved = reserved
    order.pointee.lots = left
    books.side(Int(order.pointee.book), order.pointee.side).pointee.level(order.pointee.rank).pointee.lots &-= lots
    if order.pointee.isReduceOnly { position.pointee.reducingLots &-= lots }
  }

  /// Notes that the position, and with cash the account's ledger, has moved in this epoch.
  @inline(__always) private mutating func noteMoved(
    _ slot: Slot, _ account: UnsafeMutablePointer<Account>, _ position: UnsafeMutablePointer<Position>, _ cash: Int64
  ) {
    if !position.pointee.movedInEpoch {
      position.pointee.movedInEpoch = true
      movedPositions.append(Slot(truncatingIfNeeded: position - positions.base))
    }
    if cash != 0, !account.pointee.movedInEpoch {
      account.pointee.movedInEpoch = true
      movedAccounts.append(slot)
    }
  }

  /// Shows the next lots of an iceberg, behind all others of its price.
  mutating func refresh(_ slot: Slot, into output: inout OutputBuffer) {
    let order = orders[slot]
    let book = Int(order.book)
    let shown = min(extras[order.extra].display, extras[order.extra].hidden)
    let side = books.side(book, order.side)
    side.pointee.unlink(slot, orders.base)
    extras[order.extra].hidden -= shown
    hide(-shown, of: order)
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
      return taker == .buy ? (buyerCash, 0 &- buyerCash) : (0 &- buyerCash, buyerCash)
    #endif
  }

  /// Moves position and ledger; `position` 0 leaves positions alone.
  @inline(__always) mutating func move(_ account: Slot, _ position: Slot, _ lots: Int64, _ cash: Int64, _ currency: Int)
  {
    if position != 0 {
      if !positions[position].movedInEpoch {
        positions[position].movedInEpoch = true
        movedPositions.append(position)
      }
      let before = positions[position].lots
      #if NOVATION_PLANT
        if !(faults.contains(.dropPosition) && lots < 0) { positions[position].lots &+= lots }
      #else
        positions[position].lots &+= lots
      #endif
      if positions[position].hasReopened(before) { relist(position, before: before) }
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
