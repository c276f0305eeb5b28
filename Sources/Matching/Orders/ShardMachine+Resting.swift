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
    link(slot)
  }

  /// Enters an order into the index and the counts of its book.
  mutating func register(_ slot: Slot) {
    let order = orders.base + Int(slot)
    let book = books.at(Int(order.pointee.book))
    let base = orders.base
    orderTable.insert(orderTable.hash(order.pointee.nonce, order.pointee.owner), slot) {
      (base[Int($0)].nonce, base[Int($0)].owner)
    }
    book.pointee.orderCount &+= 1
  }

  /// Puts an order in front of its account's list.
  mutating func link(_ slot: Slot) {
    let account = accounts.base + Int(orders[slot].accountSlot)
    orders[slot].older = account.pointee.newestOrder
    link(slot, account, orders.base)
  }
  /// Puts an order, whose `older` is its account's newest so far, in front of that list.
  @inline(__always) func link(
    _ slot: Slot, _ account: UnsafeMutablePointer<Account>, _ base: UnsafeMutablePointer<RestingOrder>
  ) {
    let newest = account.pointee.newestOrder
    if newest != 0 { base[Int(newest)].newer = slot }
    account.pointee.newestOrder = slot
    account.pointee.openOrders &+= 1
  }

  /// Takes an order out of its book, gives back its charge and writes the record of it.
  @inline(__always) mutating func withdraw(
    _ order: UnsafeMutablePointer<RestingOrder>, _ place: SlotTable.Place, _ book: UnsafeMutablePointer<Book>,
    _ account: UnsafeMutablePointer<Account>, at head: UnsafeMutableRawPointer
  ) {
    let side = order.pointee.side
    let rank = order.pointee.rank
    let number = order.pointee.number
    let lots = order.pointee.lots
    #if NOVATION_PLANT
      let released = faults.contains(.leakReservation) ? 0 : order.pointee.reserved
    #else
      let released = order.pointee.reserved
    #endif
    account.pointee.reserved &-= released
    let ladder = books.side(Int(order.pointee.book), side)
    detach(order, place, ladder, book, account)
    writeDelta(
      .removed, book, side, price: BookSide.tick(side, rank) &* book.pointee.contract.tickSize,
      levelLots: ladder.pointee.level(rank).pointee.lots, order: number, shows: 0, change: 0 &- lots, at: head)
  }
  @inline(never) mutating func withdraw(_ slot: Slot, into output: inout OutputBuffer) {
    let order = orders.base + Int(slot)
    let hash = orderTable.hash(order.pointee.nonce, order.pointee.owner)
    withdraw(
      order, orderTable.locate(hash) { $0 == slot }, books.at(Int(order.pointee.book)),
      accounts.base + Int(order.pointee.accountSlot), at: output.extend(by: Self.deltaRecordBytes, records: 1))
  }

  /// The same, for a reason that the owner did not give in this moment: the owner gets a report.
  mutating func withdraw(_ slot: Slot, because outcome: Outcome, into output: inout OutputBuffer) {
    let order = orders[slot]
    withdraw(slot, into: &output)
    report(.ended, outcome, name(of: order), Int(order.book), into: &output)
  }

  /// Removes an order from every list that names it; its charge is the caller's to account for.
  @inline(__always) private mutating func detach(
    _ order: UnsafeMutablePointer<RestingOrder>, _ place: SlotTable.Place,
    _ ladder: UnsafeMutablePointer<BookSide>, _ book: UnsafeMutablePointer<Book>,
    _ account: UnsafeMutablePointer<Account>
  ) {
    let base = orders.base
    ladder.pointee.unlink(order, base)
    orderTable.remove(place)
    let newer = order.pointee.newer
    let older = order.pointee.older
    if newer == 0 { account.pointee.newestOrder = older } else { base[Int(newer)].older = older }
    if older != 0 { base[Int(older)].newer = newer }
    account.pointee.openOrders &-= 1
    book.pointee.orderCount &-= 1
    if _slowPath(order.pointee.extra != 0) { dropExtra(order.pointee) }
    order.pointee.retire()
    orders.remove(place.slot)
  }
  @inline(__always) mutating func detach(_ slot: Slot) {
    let order = orders.base + Int(slot)
    let book = Int(order.pointee.book)
    let hash = orderTable.hash(order.pointee.nonce, order.pointee.owner)
    detach(
      order, orderTable.locate(hash) { $0 == slot }, books.side(book, order.pointee.side), books.at(book),
      accounts.base + Int(order.pointee.accountSlot))
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
