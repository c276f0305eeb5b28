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
  /// Charge left in reservation; zero where the order carries none.
  var reserved: Int64
  var kind: Fill.Kind
  var filled: Int64 = 0
  /// Set when a sum on the taker's side would leave its range: the rest is dropped.
  var isStopped = false
}

extension ShardMachine {
  /// Trades `taker` against the other side in price-time priority, at the makers' prices, until it is filled or nothing
  /// crosses any more.
  mutating func trade(_ taker: inout Taker, into output: inout OutputBuffer) {
    let opposite = taker.side.opposite
    guard books.side(taker.book, opposite) != nil else { return }
    let side = books.mapped(taker.book, opposite)
    let contract = books[taker.book].contract
    let takerPosition = openPosition(taker.accountSlot, taker.book)
    while taker.lots > 0, !taker.isStopped, side.pointee.best >= Int32(taker.limit) {
      let rank = UInt32(bitPattern: side.pointee.best)
      let price = BookSide.tick(opposite, rank) &* contract.tickSize
      while taker.lots > 0, !taker.isStopped {
        let slot = side.pointee[rank].first
        if slot == 0 { break }
        fill(slot, &taker, takerPosition, at: price, contract, into: &output)
      }
    }
  }

  /// One trade between `taker` and the open order in `slot`.
  @inline(__always) private mutating func fill(
    _ slot: Slot, _ taker: inout Taker, _ takerPosition: Slot, at price: Int64, _ contract: Contract,
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
    let makerPart = Self.part(of: maker.reserved, lots, of: maker.lots)
    accounts[maker.accountSlot].reserved &-= makerPart
    accounts[maker.accountSlot].consumed &+= makerPart
    let makerConsumed = accounts[maker.accountSlot].consumed
    let takerPart = Self.part(of: taker.reserved, lots, of: taker.lots)
    accounts[taker.accountSlot].reserved &-= takerPart
    accounts[taker.accountSlot].consumed &+= takerPart
    taker.reserved &-= takerPart
    taker.lots &-= lots
    taker.filled &+= lots

    let makerName = name(of: maker)
    let makerLeft = maker.lots &- lots
    if makerLeft == 0 {
      detach(slot)
    } else {
      orders[slot].lots = makerLeft
      orders[slot].reserved = maker.reserved &- makerPart
      books.mapped(taker.book, maker.side).pointee.level(maker.rank).pointee.lots &-= lots
      if maker.isReduceOnly { positions[makerPosition].reducingLots &-= lots }
    }
    move(maker.accountSlot, makerPosition, -takerSigned, makerCash - makerFee, currency)
    move(taker.accountSlot, takerPosition, takerSigned, takerCash - takerFee, currency)
    move(Self.houseSlot, 0, 0, makerFee + takerFee, currency)

    let instrument = books[taker.book].instrument
    emitFill(
      Fill(
        number: 0, kind: .maker, instrument: instrument, order: makerName, lots: Lots(-takerSigned),
        price: Price(units: price), cash: Money(units: makerCash), fee: Money(units: makerFee),
        consumed: Money(units: makerConsumed)),
      remaining: makerLeft, isMaker: true, into: &output)
    emitFill(
      Fill(
        number: 0, kind: taker.kind, instrument: instrument,
        order: OrderID(
          account: accounts[taker.accountSlot].id, key: KeyID(taker.key), nonce: taker.nonce, index: taker.index),
        lots: Lots(takerSigned), price: Price(units: price), cash: Money(units: takerCash),
        fee: Money(units: takerFee), consumed: Money(units: accounts[taker.accountSlot].consumed)),
      remaining: taker.lots, isMaker: false, into: &output)
    emitDelta(
      .traded, taker.book, maker.side, maker.rank, order: maker.arrival, shows: makerLeft, change: -lots,
      into: &output)
    if positions[makerPosition].reducingLots != 0 { trimReducing(makerPosition, into: &output) }
    if positions[takerPosition].reducingLots != 0 { trimReducing(takerPosition, into: &output) }
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
