import Bytes
import Machine
import Market

/// Why an order is looked at.
enum Attempt: BitwiseCopyable {
  /// Its action has just come.
  case fresh
  /// It was held, and the ceiling was raised.
  case again(Slot)
  /// It was held, and risk lets it run as IOC under a charge of its own.
  case granted(charge: Int64)
}

/// An order that passed every check but those of price against the book and of credit.
struct Candidate: BitwiseCopyable {
  var accountSlot: Slot
  var key: UInt16
  var index: UInt16 = 0
  var nonce: UInt64 = 0
  var book = 0
  var side = Side.buy
  var tick: Int64 = 0
  var lots: Int64 = 0
  var isImmediate = false
  var isFillOrKill = false
  var isPostOnly = false
  var isReduceOnly = false
  /// Unix seconds, 0 for none.
  var expiry: UInt32 = 0
  /// The open order that it replaces, or 0.
  var replaced: Slot = 0
}

extension ShardMachine {
  /// Places a new order or replaces one. A refusal leaves everything as it was.
  mutating func place(
    _ operation: OperationView, _ index: UInt16, _ origin: Origin, _ attempt: Attempt, into output: inout OutputBuffer
  ) -> Answer {
    var candidate = Candidate(accountSlot: origin.accountSlot, key: origin.key)
    if let refusal = examine(operation, index, origin, attempt, &candidate) { return Answer(outcome: refusal) }
    let book = candidate.book
    let opposite = candidate.side.opposite
    let limit = BookSide.rank(opposite, candidate.tick)
    if isBehind { purgeExpired(book, opposite, downTo: limit, into: &output) }
    if candidate.isReduceOnly {
      let available = reducible(candidate)
      if available <= 0 || candidate.isFillOrKill && candidate.lots > available {
        return Answer(outcome: .notReducing)
      }
      candidate.lots = min(candidate.lots, available)
    }
    if candidate.isPostOnly, let side = books.side(book, opposite), side.best >= Int32(limit) {
      return Answer(outcome: .wouldTake)
    }
    if candidate.isFillOrKill, !canFill(candidate.lots, book, opposite, downTo: limit) {
      return Answer(outcome: .notFillable)
    }
    let rank = BookSide.rank(candidate.side, candidate.tick)
    if !candidate.isImmediate, let side = books.side(book, candidate.side),
      side[rank].lots > Contract.largestSum - candidate.lots
    {
      return Answer(outcome: .overflow)
    }

    guard var charge = charge(of: candidate) else { return Answer(outcome: .overflow) }
    let account = candidate.accountSlot
    if case .granted(let granted) = attempt {
      // Raised by exactly the charge; what the order does not consume is withdrawn with its residual.
      charge = granted
      accounts[account].ceiling &+= granted
    } else {
      let released = candidate.replaced == 0 ? 0 : orders[candidate.replaced].reserved
      let (wanted, overflow) = (accounts[account].used - released).addingReportingOverflow(charge)
      var isCovered = !overflow && wanted <= accounts[account].ceiling
      #if NOVATION_PLANT
        if faults.contains(.skipCreditCheck) && !overflow { isCovered = true }
      #endif
      if !isCovered {
        if overflow { return Answer(outcome: .overflow) }
        if case .again = attempt { return Answer(outcome: .held) }
        return hold(
          operation, index, origin, candidate, charge: charge, shortfall: wanted - accounts[account].ceiling,
          into: &output)
      }
    }

    if candidate.replaced != 0 { withdraw(candidate.replaced, into: &output) }
    accounts[account].reserved &+= charge
    var taker = Taker(
      accountSlot: account, nonce: candidate.nonce, key: candidate.key, index: candidate.index, book: book,
      side: candidate.side, limit: limit, lots: candidate.lots, reserved: charge, kind: .taker)
    if let side = books.side(book, opposite), side.best >= Int32(limit) { trade(&taker, into: &output) }
    if taker.lots == 0 {
      accounts[account].reserved &-= taker.reserved
      return Answer(outcome: .filled, filled: taker.filled)
    }
    var isGranted = false
    if case .granted = attempt { isGranted = true }
    if candidate.isImmediate || isGranted || taker.isStopped {
      accounts[account].reserved &-= taker.reserved
      if isGranted { accounts[account].ceiling &-= taker.reserved }
      let outcome: Outcome = taker.isStopped && taker.filled == 0 ? .overflow : .residualCancelled
      return Answer(outcome: outcome, filled: taker.filled)
    }
    rest(candidate, rank, origin, operation.flags, lots: taker.lots, reserved: taker.reserved, into: &output)
    return Answer(outcome: operation.isReplace ? .amended : .resting, filled: taker.filled)
  }

  /// Puts what is left of an order into the book.
  @inline(__always) private mutating func rest(
    _ candidate: Candidate, _ rank: UInt32, _ origin: Origin, _ flags: UInt16, lots: Int64, reserved: Int64,
    into output: inout OutputBuffer
  ) {
    arrivals &+= 1
    let slot = orders.insert(
      RestingOrder(
        nonce: candidate.nonce, accountSlot: candidate.accountSlot, key: candidate.key, index: candidate.index,
        book: UInt16(candidate.book), arrival: arrivals, rank: rank, side: candidate.side,
        isReduceOnly: candidate.isReduceOnly, extra: 0, lots: lots, reserved: reserved))
    if candidate.expiry != 0 || candidate.isReduceOnly || flags & OperationCode.cancelOnDisconnect != 0 {
      var extra = OrderExtra(order: slot, expiry: candidate.expiry)
      if flags & OperationCode.cancelOnDisconnect != 0 {
        extra.diesWithSession = true
        extra.session = origin.session
        extra.generation = origin.generation
      }
      attach(extra, to: slot)
    }
    enlist(slot)
    emitDelta(
      .added, candidate.book, candidate.side, rank, order: arrivals, shows: lots, change: lots, into: &output)
  }

  /// Enters an order, whose record is complete, into level, index and its account's list.
  @inline(__always) mutating func enlist(_ slot: Slot) {
    let base = orders.base
    let order = base + Int(slot)
    let book = Int(order.pointee.book)
    let side = books.mapped(book, order.pointee.side)
    #if NOVATION_PLANT
      if faults.contains(.breakPriority), arrivals & 1 == 1 {
        side.pointee.prepend(slot, base)
      } else {
        side.pointee.append(slot, base)
      }
    #else
      side.pointee.append(slot, base)
    #endif
    orderTable.insert(orderTable.hash(order.pointee.nonce, order.pointee.owner), slot)
    let account = accounts.base + Int(order.pointee.accountSlot)
    let newest = account.pointee.newestOrder
    order.pointee.older = newest
    order.pointee.newer = 0
    if newest != 0 { base[Int(newest)].newer = slot }
    account.pointee.newestOrder = slot
    account.pointee.openOrders &+= 1
    books[book].orderCount &+= 1
  }

  /// The open order of that name, or 0.
  @inline(__always) func openOrder(_ account: Slot, _ key: UInt16, _ nonce: UInt64, _ index: UInt16) -> Slot {
    let base = orders.base
    let owner = RestingOrder.owner(account, key, index)
    return orderTable.find(orderTable.hash(nonce, owner)) {
      base[Int($0)].nonce == nonce && base[Int($0)].owner == owner
    }
  }

  /// Whether the levels down to `limit` hold `lots`; counts before anything is filled.
  private mutating func canFill(_ lots: Int64, _ book: Int, _ opposite: Side, downTo limit: UInt32) -> Bool {
    guard let side = books.side(book, opposite) else { return false }
    var left = lots
    var rank = side.best
    while rank >= Int32(limit) {
      left -= side[UInt32(rank)].lots
      if left <= 0 { return true }
      rank = side.highest(below: UInt32(rank))
    }
    return false
  }

  /// What the order may cost its account: stand-alone margin, loss to mark and fee, in USD, times the multiplier.
  @inline(__always) private mutating func charge(of candidate: Candidate) -> Int64? {
    let book = books[candidate.book]
    let contract = book.contract
    let price = candidate.tick &* contract.tickSize
    let rate = max(parameters.makerFee, parameters.takerFee)
    guard let notional = contract.notional(candidate.lots, at: price), notional <= Contract.largestAmount,
      let fee = Contract.share(notional, perMillion: rate), fee <= Contract.largestAmount,
      let feeDollars = contract.dollars(fee, index: index),
      let loss = contract.lossToMark(candidate.side, candidate.lots, at: price, mark: book.mark),
      let lossDollars = contract.dollars(loss, index: index)
    else { return nil }
    let perLot = candidate.side == .buy ? book.marginToBuy : book.marginToSell
    let (margin, tooLarge) = perLot.multipliedReportingOverflow(by: candidate.lots)
    let (sum, sumOverflow) = margin.addingReportingOverflow(lossDollars)
    let (total, totalOverflow) = sum.addingReportingOverflow(feeDollars)
    if tooLarge || sumOverflow || totalOverflow { return nil }
    let multiplier = accounts[candidate.accountSlot].chargeMultiplier
    return multiplier == 1_000_000 ? total : Contract.share(total, perMillion: multiplier)
  }
}
