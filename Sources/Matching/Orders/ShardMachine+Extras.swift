import Bytes
import Machine
import Market

// What only some orders carry: expiry, session, reduce-only.
extension ShardMachine {
  /// Gives the order its extra and enters it into the lists that the extra is about.
  mutating func attach(_ extra: OrderExtra, to order: Slot) {
    let account = orders[order].accountSlot
    let slot = enlist(extra, account)
    orders[order].extra = slot
    if extra.expiry != 0 {
      let deadline = Timestamp(seconds: Int64(extra.expiry))
      timers.insert(Timer(deadline: deadline, kind: .order, id: arrival(of: orders[order]), slot: order))
      timedOrders += 1
      wake(at: deadline)
    }
    if orders[order].isReduceOnly {
      let position = openPosition(account, Int(orders[order].book))
      let newest = positions[position].newestReducing
      extras[slot].olderReducing = newest
      if newest != 0 { extras[newest].newerReducing = slot }
      positions[position].newestReducing = slot
      positions[position].reducingLots &+= orders[order].lots
    }
  }

  /// Enters an extra under its client id and its session.
  mutating func enlist(_ extra: OrderExtra, _ account: Slot) -> Slot {
    let slot = extras.insert(extra)
    if extra.clientID != 0 { clientTable.insert(clientTable.hash(extra.clientID, UInt64(account)), slot) }
    if extra.diesWithSession {
      let newest = newestOfSession(extra.session)
      let hash = sessionTable.hash(extra.session)
      if newest != 0 {
        sessionTable.remove(hash, newest)
        extras[newest].newerInSession = slot
        extras[slot].olderInSession = newest
      }
      sessionTable.insert(hash, slot)
    }
    return slot
  }

  /// Undoes `enlist`.
  mutating func delist(_ slot: Slot, _ account: Slot) {
    let extra = extras[slot]
    if extra.clientID != 0 { clientTable.remove(clientTable.hash(extra.clientID, UInt64(account)), slot) }
    if extra.diesWithSession {
      if extra.newerInSession == 0 {
        let hash = sessionTable.hash(extra.session)
        sessionTable.remove(hash, slot)
        if extra.olderInSession != 0 { sessionTable.insert(hash, extra.olderInSession) }
      } else {
        extras[extra.newerInSession].olderInSession = extra.olderInSession
      }
      if extra.olderInSession != 0 { extras[extra.olderInSession].newerInSession = extra.newerInSession }
    }
    extras.remove(slot)
  }

  /// Undoes `attach` for an order that leaves with the lots it still has.
  @inline(never) mutating func dropExtra(_ order: RestingOrder) {
    let extra = extras[order.extra]
    if extra.expiry != 0 {
      timedOrders -= 1
      hasLostTimer = true
    }
    if order.isReduceOnly {
      let position = positionSlot(order.accountSlot, Int(order.book))
      if extra.newerReducing == 0 {
        positions[position].newestReducing = extra.olderReducing
      } else {
        extras[extra.newerReducing].olderReducing = extra.olderReducing
      }
      if extra.olderReducing != 0 { extras[extra.olderReducing].newerReducing = extra.newerReducing }
      positions[position].reducingLots &-= order.lots
    }
    delist(order.extra, order.accountSlot)
  }

  /// The account's extra with that client id, or 0.
  func clientSlot(_ account: Slot, _ clientID: UInt64) -> Slot {
    let orders = orders.base
    let extras = extras.base
    let stops = stops.base
    return clientTable.find(clientTable.hash(clientID, UInt64(account))) {
      let extra = extras[Int($0)]
      if extra.clientID != clientID { return false }
      return extra.stop != 0
        ? stops[Int(extra.stop)].deferral.origin.accountSlot == account
        : orders[Int(extra.order)].accountSlot == account
    }
  }

  /// Newest order (an extra) that lives with the session, or 0.
  func newestOfSession(_ session: UInt64) -> Slot {
    let base = extras.base
    return sessionTable.find(sessionTable.hash(session)) { base[Int($0)].session == session }
  }

  /// Shrinks or cancels reduce-only orders, newest first, until they fit the position again.
  @inline(never) mutating func trimReducing(_ slot: Slot, into output: inout OutputBuffer) {
    while true {
      let position = positions[slot]
      if position.newestReducing == 0 { return }
      let order = extras[position.newestReducing].order
      let closable = max(0, orders[order].side == .sell ? position.lots : -position.lots)
      let excess = position.reducingLots - closable
      if excess <= 0 { return }
      if excess >= orders[order].lots {
        withdraw(order, because: .cancelledAsNotReducing, into: &output)
      } else {
        reduce(order, by: excess, into: &output)
      }
    }
  }

  func isPastExpiry(_ order: RestingOrder) -> Bool {
    #if NOVATION_PLANT
      if faults.contains(.ignoreExpiry) { return false }
    #endif
    return order.extra != 0 && extras[order.extra].expiry != 0
      && Timestamp(seconds: Int64(extras[order.extra].expiry)) <= now
  }
}
