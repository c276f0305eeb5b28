import Bytes
import Machine
import Market

// Most of what comes is a limit order without any further wish, or a cancel. Both have a way of their own here, which
// decides before it changes anything and hands whatever is not plain to the general one.
extension ShardMachine {
  /// Places a plain limit order of the owner's key, or replaces one by it; `nil` if it must be looked at in full.
  @inline(__always) mutating func placePlain(
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
    let place = Int(operation.instrument.rawValue)
    if place >= bookOfInstrument.count { return nil }
    let number = Int(bookOfInstrument[place]) &- 1
    if number < 0 { return nil }
    let book = books.at(number)
    let account = accounts.base + Int(accountSlot)
    let now = now
    if now >= book.pointee.plainUntil || now > heardUntil || !account.pointee.isPlain { return nil }

    let isBuy = manner & 0x100 == 0
    let side: Side = isBuy ? .buy : .sell
    let price = operation.price
    if price < book.pointee.plainLow || price > book.pointee.plainHigh { return nil }
    let tick = book.pointee.contract.tick.quotient(price)
    if tick &* book.pointee.contract.tickSize != price { return nil }
    let units = operation.quantity
    let lots = book.pointee.contract.lot.quotient(units)
    if lots &* book.pointee.contract.lotSize != units || !book.pointee.contract.admits(lots) { return nil }

    let owner = RestingOrder.owner(accountSlot, Self.ownerKey, name)
    let hash = orderTable.hash(nonce, owner)
    let base = orders.base
    let existing = orderTable.find(hash) { base[Int($0)].nonce == nonce && base[Int($0)].owner == owner }
    var released: Int64 = 0
    if isReplace {
      if existing == 0 || base[Int(existing)].extra != 0 || base[Int(existing)].isSpecial
        || Int(base[Int(existing)].book) != number
        || base[Int(existing)].side != side
      {
        return nil
      }
      released = base[Int(existing)].reserved
    } else if existing != 0 || account.pointee.openOrders >= parameters.openOrdersPerAccount {
      // A plain account has no armed stops.
      return nil
    }

    guard let charge = plainCharge(isBuy, lots, price, units, book, account.pointee.chargeMultiplier) else {
      return nil
    }
    let (wanted, overflow) = (account.pointee.used &- released).addingReportingOverflow(charge)
    if overflow || wanted > account.pointee.ceiling { return nil }
    let rank = BookSide.rank(side, tick)
    let own = books.side(number, side)
    if own.pointee.lots(rank) &+ book.pointee.hiddenLots > Contract.largestSum &- lots { return nil }
    let crosses = books.side(number, side.opposite).pointee.best >= Int32(bitPattern: BookSide.mirrored(rank))
    let urgency = manner & (OperationCode.immediateBit | OperationCode.postOnlyBit)
    if urgency != 0 || crosses {
      if urgency & OperationCode.postOnlyBit != 0 && (crosses || urgency & OperationCode.immediateBit != 0) {
        return nil
      }
      if crosses || urgency & OperationCode.immediateBit != 0 {
        if isReplace { withdraw(existing, into: &output) }
        account.pointee.reserved &+= charge
        return take(operation, index, action, accountSlot, number, side, tick, lots, nonce, name, charge, into: &output)
      }
    }

    if isReplace { withdraw(existing, into: &output) }
    account.pointee.reserved &+= charge
    if !own.pointee.isMapped { books.map(number, side) }
    let arrival = arrivals &+ 1
    arrivals = arrival
    let traits =
      (isBuy ? 0 : RestingOrder.Traits.sell.rawValue)
      | UInt32(operation.rawMode) &<< RestingOrder.Traits.modeShift
    let slot = orders.insert(
      RestingOrder(
        nonce: nonce, accountSlot: accountSlot, key: Self.ownerKey, index: name,
        book: UInt16(truncatingIfNeeded: number),
        number: arrival, rank: rank, traits: RestingOrder.Traits(rawValue: traits), extra: 0, lots: lots,
        reserved: charge, older: account.pointee.newestOrder))
    #if NOVATION_PLANT
      if faults.contains(.breakPriority), arrival & 1 == 1 {
        own.pointee.prepend(slot, base)
      } else {
        own.pointee.append(slot, base, rank: rank, lots: lots)
      }
    #else
      own.pointee.append(slot, base, rank: rank, lots: lots)
    #endif
    orderTable.insert(hash, slot) { (base[Int($0)].nonce, base[Int($0)].owner) }
    link(slot, account, base)
    book.pointee.orderCount &+= 1
    emitDelta(.added, book, own, side, rank, price: price, order: arrival, shows: lots, change: lots, into: &output)
    return Answer(outcome: isReplace ? .amended : .resting)
  }

  /// A plain order that takes: its rest is dropped or put into the book.
  @inline(never) private mutating func take(
    _ operation: OperationView, _ index: UInt16, _ action: SignedActionView, _ accountSlot: Slot, _ book: Int,
    _ side: Side, _ tick: Int64, _ lots: Int64, _ nonce: UInt64, _ name: UInt16, _ charge: Int64,
    into output: inout OutputBuffer
  ) -> Answer {
    var candidate = Candidate(accountSlot: accountSlot, key: Self.ownerKey, index: name, nonce: nonce)
    candidate.book = book
    candidate.side = side
    candidate.tick = tick
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
    if !book.pointee.contract.isPlain || multiplier != 1_000_000 {
      return charge(isBuy ? .buy : .sell, lots, price, Int(book - books.at(0)), multiplier)
    }
    let (value, valueOverflow) = units.multipliedReportingOverflow(by: price)
    let (margin, marginOverflow) = perLot.multipliedReportingOverflow(by: lots)
    // Without a branch, which nothing could foresee.
    let worse = max(0, isBuy ? price &- book.pointee.mark : book.pointee.mark &- price)
    let (loss, lossOverflow) = units.multipliedReportingOverflow(by: worse)
    var total =
      margin
      &+ Int64(bitPattern: (UInt64(bitPattern: loss) &+ UInt64(fixedPointScale - 1)) / UInt64(fixedPointScale))
    var isLarge = valueOverflow || marginOverflow || lossOverflow
    if feeRate != 0 {
      let notional = Int64(bitPattern: UInt64(bitPattern: value) / UInt64(fixedPointScale))
      let (product, overflow) = notional.multipliedReportingOverflow(by: Int64(feeRate))
      total &+= Int64(bitPattern: (UInt64(bitPattern: product) &+ 999_999) / 1_000_000)
      isLarge = isLarge || overflow
    }
    // Each part is below 2^63 / 10^6, so that only the margin can make the sum overflow.
    if isLarge || margin > Contract.largestAmount { return nil }
    return total
  }

  /// Cancels an open order of the owner's key by its name; `nil` if it must be looked for elsewhere.
  @inline(__always) mutating func cancelPlain(
    _ operation: OperationView, _ accountSlot: Slot, into output: inout OutputBuffer
  ) -> Answer? {
    let target = Target(of: operation, accountSlot, self)
    return cancelPlain(operation, target, accountSlot, into: &output)
  }
  @inline(__always) mutating func cancelPlain(
    _ operation: OperationView, _ target: Target, _ accountSlot: Slot, into output: inout OutputBuffer
  ) -> Answer? {
    let account = accounts.base + Int(accountSlot)
    if target.place.slot == 0 || operation.flags != 0 || account.pointee.deferred != 0 { return nil }
    let order = orders.base + Int(target.place.slot)
    let book = books.at(Int(order.pointee.book))
    if book.pointee.instrument != operation.instrument { return nil }
    withdraw(order, target.place, target.hash, book, account, into: &output)
    return Answer(outcome: .cancelled)
  }

  /// The open order of the owner's key that an operation names, looked up ahead of its use: it lies far from the
  /// processor.
  struct Target: BitwiseCopyable {
    var hash: UInt32 = 0
    var place = SlotTable.Place.none

    @inline(__always) init() {}
    @inline(__always) init(of operation: OperationView, _ accountSlot: Slot, _ shard: borrowing ShardMachine) {
      let owner = RestingOrder.owner(accountSlot, ShardMachine.ownerKey, operation.targetIndex)
      let nonce = operation.targetNonce
      let base = shard.orders.base
      hash = shard.orderTable.hash(nonce, owner)
      place = shard.orderTable.locate(hash) { base[Int($0)].nonce == nonce && base[Int($0)].owner == owner }
    }
  }
}
