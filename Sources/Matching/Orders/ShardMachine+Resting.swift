import Bytes
import Machine
import Market

// The open order's place in the book, in the index and among its account's orders.
extension ShardMachine {
  /// Enters an order, whose record is complete, into level, index and its account's list.
  mutating func enlist(_ slot: Slot) {
    let base = orders.base
    let order = base + Int(slot)
    let book = Int(order.pointee.book)
    books.map(book, order.pointee.side)
    let side = books.side(book, order.pointee.side)
    #if NOVATION_PLANT
      if faults.contains(.breakPriority), arrivals & 1 == 1 {
        side.pointee.prepend(slot, base)
      } else {
        side.pointee.append(slot, base)
      }
    #else
      side.pointee.append(slot, base)
    #endif
    register(slot)
    link(slot, accounts.base + Int(order.pointee.accountSlot))
  }

  /// Enters an order into the index and the counts of its book.
  mutating func register(_ slot: Slot) {
    let order = orders.base + Int(slot)
    let book = books.at(Int(order.pointee.book))
    orderTable.insert(orderTable.hash(order.pointee.nonce, order.pointee.owner), slot)
    book.pointee.orderCount &+= 1
    if order.pointee.isIceberg { book.pointee.icebergs += 1 }
    if order.pointee.isQuote {
      let position = openPosition(order.pointee.accountSlot, Int(order.pointee.book))
      if order.pointee.side == .buy { positions[position].bid = slot } else { positions[position].ask = slot }
    }
  }

  /// Puts an order in front of its account's list.
  @inline(__always) mutating func link(_ slot: Slot, _ account: UnsafeMutablePointer<Account>) {
    let base = orders.base
    let newest = account.pointee.newestOrder
    base[Int(slot)].older = newest
    base[Int(slot)].newer = 0
    if newest != 0 { base[Int(newest)].newer = slot }
    account.pointee.newestOrder = slot
    account.pointee.openOrders &+= 1
  }

  /// Takes an order out of its book and gives back its charge.
  @inline(__always) mutating func withdraw(_ slot: Slot, _ hash: UInt32, into output: inout OutputBuffer) {
    let order = orders.base + Int(slot)
    let book = Int(order.pointee.book)
    let side = order.pointee.side
    let rank = order.pointee.rank
    let number = order.pointee.number
    let lots = order.pointee.lots
    #if NOVATION_PLANT
      let released = faults.contains(.leakReservation) ? 0 : order.pointee.reserved
    #else
      let released = order.pointee.reserved
    #endif
    accounts[order.pointee.accountSlot].reserved &-= released
    detach(slot, hash)
    emitDelta(.removed, book, side, rank, order: number, shows: 0, change: 0 &- lots, into: &output)
  }
  @inline(never) mutating func withdraw(_ slot: Slot, into output: inout OutputBuffer) {
    withdraw(slot, orderTable.hash(orders[slot].nonce, orders[slot].owner), into: &output)
  }

  /// The same, for a reason that the owner did not give in this moment: the owner gets a report.
  mutating func withdraw(_ slot: Slot, because outcome: Outcome, into output: inout OutputBuffer) {
    let order = orders[slot]
    withdraw(slot, into: &output)
    report(.ended, outcome, name(of: order), Int(order.book), into: &output)
  }

  /// Removes an order from every list that names it; its charge is the caller's to account for.
  @inline(__always) mutating func detach(_ slot: Slot, _ hash: UInt32) {
    let base = orders.base
    let order = base + Int(slot)
    let book = Int(order.pointee.book)
    books.side(book, order.pointee.side).pointee.unlink(slot, base)
    orderTable.remove(hash, slot)
    let account = accounts.base + Int(order.pointee.accountSlot)
    let newer = order.pointee.newer
    let older = order.pointee.older
    if newer == 0 { account.pointee.newestOrder = older } else { base[Int(newer)].older = older }
    if older != 0 { base[Int(older)].newer = newer }
    account.pointee.openOrders &-= 1
    books.at(book).pointee.orderCount &-= 1
    if UInt32(order.pointee.extra) | order.pointee.traits.rawValue & RestingOrder.Traits.quote.rawValue != 0 {
      dropTraits(slot)
    }
    order.pointee.retire()
    orders.remove(slot)
  }
  mutating func detach(_ slot: Slot) { detach(slot, orderTable.hash(orders[slot].nonce, orders[slot].owner)) }

  @inline(never) private mutating func dropTraits(_ slot: Slot) {
    let order = orders[slot]
    if order.isIceberg { books[Int(order.book)].icebergs -= 1 }
    if order.isQuote {
      let position = positionSlot(order.accountSlot, Int(order.book))
      if order.side == .buy { positions[position].bid = 0 } else { positions[position].ask = 0 }
    }
    if order.extra != 0 { dropExtra(order) }
  }

  @inline(__always) func name(of order: RestingOrder) -> OrderID {
    OrderID(
      account: accounts[order.accountSlot].id, key: KeyID(order.key), nonce: order.nonce, index: order.index)
  }

  /// The open order of that name, or 0.
  @inline(__always) func openOrder(_ account: Slot, _ key: UInt16, _ nonce: UInt64, _ index: UInt16) -> Slot {
    let base = orders.base
    let owner = RestingOrder.owner(account, key, index)
    return orderTable.find(orderTable.hash(nonce, owner)) {
      base[Int($0)].nonce == nonce && base[Int($0)].owner == owner
    }
  }

  /// The account's open order with that client id, or 0.
  func openOrder(_ account: Slot, clientID: UInt64) -> Slot {
    let extra = clientID == 0 ? 0 : clientSlot(account, clientID)
    return extra == 0 ? 0 : extras[extra].order
  }

  /// The number with which the order first came: an iceberg has had others since.
  func arrival(of order: RestingOrder) -> UInt64 { order.isIceberg ? extras[order.extra].arrival : order.number }

  /// Lots that are open, shown and hidden.
  func openLots(_ order: RestingOrder) -> Int64 { order.lots + (order.isIceberg ? extras[order.extra].hidden : 0) }
}
