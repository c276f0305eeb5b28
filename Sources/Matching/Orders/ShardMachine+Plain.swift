import Bytes
import Machine
import Market

/// A plain limit order against which nothing speaks but, perhaps, its account's credit and its own name.
struct PlainOrder: BitwiseCopyable {
  /// Of its book.
  var number: Int
  var book: UnsafeMutablePointer<Book>
  var ladder: UnsafeMutablePointer<BookSide>
  var level: UnsafeMutablePointer<Level>
  var side: Side
  var rank: UInt32
  var price: Int64
  var lots: Int64
  var charge: Int64
  /// Its bits of self-trade mode and side, see `RestingOrder.Traits`.
  var traits: UInt32
  /// Whether it must be traded before it may rest, or dropped.
  var takes: Bool
}

// Most of what comes is a limit order without any further wish, or a cancel. Both have a way of their own here, which
// decides before it changes anything and hands whatever is not plain to the general one.
extension ShardMachine {
  /// What an operation comes to whose kind is known, if it is a plain limit order; `nil` if it must be looked at in
  /// full.
  @inline(__always) mutating func plainOrder(
    _ operation: OperationView, _ manner: UInt64, _ account: UnsafeMutablePointer<Account>
  ) -> PlainOrder? {
    let place = Int(operation.instrument.rawValue)
    if _slowPath(place >= bookOfInstrument.count) { return nil }
    let number = Int(bookOfInstrument[place]) &- 1
    if _slowPath(number < 0) { return nil }
    let book = books.at(number)
    if _slowPath(now >= book.pointee.plainUntil) || _slowPath(now > heardUntil) { return nil }

    let isBuy = manner & 0x100 == 0
    let side: Side = isBuy ? .buy : .sell
    let price = operation.price
    if _slowPath(price < book.pointee.plainLow) || _slowPath(price > book.pointee.plainHigh) { return nil }
    let tick = book.pointee.contract.tick.quotient(price)
    if _slowPath(tick &* book.pointee.contract.tickSize != price) { return nil }
    let units = operation.quantity
    let lots = book.pointee.contract.lot.quotient(units)
    if _slowPath(lots &* book.pointee.contract.lotSize != units)
      || _slowPath(lots < book.pointee.contract.minimumLots) || _slowPath(lots > book.pointee.plainLots)
    {
      return nil
    }
    guard let charge = plainCharge(isBuy, lots, price, units, book, account.pointee.chargeMultiplier) else {
      return nil
    }

    let rank = BookSide.rank(side, tick)
    let ladder = books.side(number, side)
    if _slowPath(!ladder.pointee.isMapped) { books.map(number, side) }
    let level = ladder.pointee.level(rank)
    if _slowPath(level.pointee.lots &+ book.pointee.hiddenLots > Contract.largestSum &- lots) { return nil }
    let crosses = books.side(number, side.opposite).pointee.best >= Int32(bitPattern: BookSide.mirrored(rank))
    var takes = crosses
    let urgency = manner & (OperationCode.immediateBit | OperationCode.postOnlyBit)
    if _slowPath(urgency != 0) {
      takes = crosses || urgency & OperationCode.immediateBit != 0
      if takes && urgency & OperationCode.postOnlyBit != 0 { return nil }
    }
    let traits =
      (isBuy ? 0 : RestingOrder.Traits.sell.rawValue)
      | UInt32(operation.rawMode) &<< RestingOrder.Traits.modeShift
    return PlainOrder(
      number: number, book: book, ladder: ladder, level: level, side: side, rank: rank, price: price, lots: lots,
      charge: charge, traits: traits, takes: takes)
  }

  /// Whether the account's ceiling covers one more charge once another is released.
  @inline(__always) func covers(
    _ account: UnsafeMutablePointer<Account>, _ charge: Int64, releasing released: Int64
  ) -> Bool {
    let (wanted, overflow) = (account.pointee.used &- released).addingReportingOverflow(charge)
    return !overflow && wanted <= account.pointee.ceiling
  }

  /// Whether an order that was looked for is there, and as plain as the one that is to replace it.
  @inline(__always) func isReplaceable(
    _ existing: UnsafeMutablePointer<RestingOrder>, _ place: SlotTable.Place, by order: PlainOrder
  ) -> Bool {
    place.slot != 0 && existing.pointee.extra == 0 && !existing.pointee.isSpecial
      && Int(existing.pointee.book) == order.number && existing.pointee.side == order.side
  }

  /// Places a plain limit order of the owner's key, or replaces one by it; `nil` if it must be looked at in full.
  @inline(never) mutating func placePlain(
    _ operation: OperationView, _ index: UInt16, _ action: SignedActionView, _ accountSlot: Slot,
    into output: inout OutputBuffer
  ) -> Answer? {
    let manner = operation.manner
    let kind = manner & ~OperationCode.plainManner
    let isReplace = kind == UInt64(OperationCode.replace)
    if !isReplace && kind != UInt64(OperationCode.new) { return nil }
    if UInt64(bitPattern: operation.triggerPrice | operation.display) | operation.tail != 0 { return nil }
    var nonce = action.nonce
    var name = index
    if isReplace {
      nonce = operation.targetNonce
      name = operation.targetIndex
      if operation.reserved != 0 { return nil }
    } else if operation.targetNonce | UInt64(operation.targetAndReserved) != 0 {
      return nil
    }
    let account = accounts.base + Int(accountSlot)
    if !account.pointee.isPlain { return nil }
    guard let order = plainOrder(operation, manner, account) else { return nil }

    let owner = RestingOrder.owner(accountSlot, Self.ownerKey, name)
    let hash = orderTable.hash(nonce, owner)
    let base = orders.base
    let place = orderTable.locate(hash) { base[Int($0)].nonce == nonce && base[Int($0)].owner == owner }
    let existing = place.slot
    var released: Int64 = 0
    if isReplace {
      if !isReplaceable(base + Int(existing), place, by: order) { return nil }
      released = base[Int(existing)].reserved
    } else if existing != 0 || account.pointee.openOrders >= parameters.openOrdersPerAccount {
      // A plain account has no armed stops.
      return nil
    }
    if !covers(account, order.charge, releasing: released) { return nil }

    if isReplace { withdraw(existing, into: &output) }
    account.pointee.reserved &+= order.charge
    if order.takes {
      return take(
        order.number, order.side, order.rank, order.lots, order.charge, operation, index, action, accountSlot, nonce,
        name, into: &output)
    }
    rest(
      order, nonce, accountSlot, name, hash, account,
      at: output.extend(by: Self.deltaRecordBytes, records: 1))
    return Answer(outcome: isReplace ? .amended : .resting)
  }

  /// Puts a plain order, whose charge is reserved, into the book and writes the record of it.
  @inline(__always) mutating func rest(
    _ order: PlainOrder, _ nonce: UInt64, _ accountSlot: Slot, _ name: UInt16, _ hash: UInt32,
    _ account: UnsafeMutablePointer<Account>, at head: UnsafeMutableRawPointer
  ) {
    let base = orders.base
    let arrival = arrivals &+ 1
    arrivals = arrival
    let slot = orders.take()
    let newest = account.pointee.newestOrder
    #if NOVATION_PLANT
      let isPrior = faults.contains(.breakPriority) && arrival & 1 == 1
      let previous = isPrior ? 0 : order.ladder.pointee.append(slot, base, to: order.level, order.rank, order.lots)
    #else
      let previous = order.ladder.pointee.append(slot, base, to: order.level, order.rank, order.lots)
    #endif
    RestingOrder.write(
      to: base + Int(slot), nonce: nonce, accountSlot: accountSlot, key: Self.ownerKey, index: name,
      book: UInt16(truncatingIfNeeded: order.number), number: arrival, rank: order.rank, traits: order.traits,
      lots: order.lots, reserved: order.charge, previous: previous, older: newest)
    #if NOVATION_PLANT
      if isPrior { order.ladder.pointee.prepend(slot, base) }
    #endif
    orderTable.insert(hash, slot) { (base[Int($0)].nonce, base[Int($0)].owner) }
    link(slot, account, base)
    order.book.pointee.orderCount &+= 1
    writeDelta(
      .added, order.book, order.side, price: order.price, levelLots: order.level.pointee.lots, order: arrival,
      shows: order.lots, change: order.lots, at: head)
  }

  /// A plain order that takes: its rest is dropped or put into the book.
  @inline(__always) mutating func take(
    _ book: Int, _ side: Side, _ rank: UInt32, _ lots: Int64, _ charge: Int64, _ operation: OperationView,
    _ index: UInt16, _ action: SignedActionView, _ accountSlot: Slot, _ nonce: UInt64, _ name: UInt16,
    into output: inout OutputBuffer
  ) -> Answer {
    var candidate = Candidate(accountSlot: accountSlot, key: Self.ownerKey, index: name, nonce: nonce)
    candidate.book = book
    candidate.side = side
    candidate.tick = BookSide.tick(side, rank)
    candidate.lots = lots
    candidate.isImmediate = operation.rawTimeInForce == OperationCode.immediateOrCancel
    candidate.isReplacement = operation.isReplace
    candidate.mode = Operation.SelfTradePrevention(rawValue: operation.rawMode) ?? .unspecified
    return run(candidate, operation, index, Origin(action, accountSlot, sequence), charge: charge, into: &output)
  }

  /// The charge of an order whose amounts are of usual size; `nil` leaves the judgement to `charge(of:)`.
  @inline(__always) private mutating func plainCharge(
    _ isBuy: Bool, _ lots: Int64, _ price: Int64, _ units: Int64, _ book: UnsafeMutablePointer<Book>,
    _ multiplier: UInt32
  ) -> Int64? {
    let perLot = isBuy ? book.pointee.marginToBuy : book.pointee.marginToSell
    if _slowPath(!book.pointee.contract.isPlain || multiplier != 1_000_000) {
      return charge(isBuy ? .buy : .sell, lots, price, Int(book - books.at(0)), multiplier)
    }
    // Of at most `Book.plainLots`, so that nothing here overflows.
    let worse = max(0, isBuy ? price &- book.pointee.mark : book.pointee.mark &- price)
    var total =
      perLot &* lots
      &+ Int64(
        bitPattern: (UInt64(bitPattern: units &* worse) &+ UInt64(fixedPointScale - 1)) / UInt64(fixedPointScale))
    if feeRate != 0 {
      let notional = UInt64(bitPattern: units &* price) / UInt64(fixedPointScale)
      total &+= Int64(bitPattern: (notional &* UInt64(feeRate) &+ 999_999) / 1_000_000)
    }
    return total
  }

  /// Cancels an open order of the owner's key by its name; `nil` if it must be looked for elsewhere.
  @inline(never) mutating func cancelPlain(
    _ operation: OperationView, _ accountSlot: Slot, into output: inout OutputBuffer
  ) -> Answer? {
    let account = accounts.base + Int(accountSlot)
    let (_, target) = target(of: operation, accountSlot)
    if target.slot == 0 || operation.flags != 0 || account.pointee.deferred != 0 { return nil }
    let order = orders.base + Int(target.slot)
    let book = books.at(Int(order.pointee.book))
    if book.pointee.instrument != operation.instrument { return nil }
    withdraw(order, target, book, account, at: output.extend(by: Self.deltaRecordBytes, records: 1))
    return Answer(outcome: .cancelled)
  }

  /// The open order of the owner's key that an operation names, and the hash of that name.
  @inline(__always) func target(
    of operation: OperationView, _ accountSlot: Slot
  ) -> (hash: UInt32, place: SlotTable.Place) {
    let owner = RestingOrder.owner(accountSlot, Self.ownerKey, operation.targetIndex)
    let nonce = operation.targetNonce
    let base = orders.base
    let hash = orderTable.hash(nonce, owner)
    return (hash, orderTable.locate(hash) { base[Int($0)].nonce == nonce && base[Int($0)].owner == owner })
  }
}
