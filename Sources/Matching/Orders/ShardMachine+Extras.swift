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
    if orders[order].traits.contains(.auctionOnly) { joinAuction(slot, Int(orders[order].book)) }
    if !orders[order].isReduceOnly && !orders[order].isQuote { return }
    let position = openPosition(account, Int(orders[order].book))
    let newest = orders[order].isQuote ? positions[position].newestQuote : positions[position].newestReducing
    extras[slot].olderAlike = newest
    if newest != 0 { extras[newest].newerAlike = slot }
    if orders[order].isQuote {
      positions[position].newestQuote = slot
    } else {
      positions[position].newestReducing = slot
      positions[position].reducingLots &+= orders[order].lots
    }
  }

  /// Enters an extra under its client id and its session.
  mutating func enlist(_ extra: OrderExtra, _ account: Slot) -> Slot {
    let slot = extras.insert(extra)
    if extra.clientID != 0 {
      let owners = ExtraOwners(self)
      clientTable.insert(clientTable.hash(extra.clientID, UInt64(account)), slot) {
        (owners.extras[Int($0)].clientID, UInt64(owners.account(of: $0)))
      }
    }
    if extra.diesWithSession { joinSession(slot) }
    return slot
  }

  /// Undoes `enlist`.
  mutating func delist(_ slot: Slot, _ account: Slot) {
    let extra = extras[slot]
    if extra.clientID != 0 { clientTable.remove(clientTable.hash(extra.clientID, UInt64(account)), slot) }
    if extra.diesWithSession { leaveSession(slot) }
    extras.remove(slot)
  }

  /// Puts an extra in front of its session's list; orders and stops have lists apart.
  mutating func joinSession(_ slot: Slot) {
    let extra = extras[slot]
    let newest = newestOfSession(extra.session, isStop: extra.stop != 0)
    let hash = sessionTable.hash(extra.session, extra.stop == 0 ? 0 : 1)
    extras[slot].newerInSession = 0
    extras[slot].olderInSession = newest
    if newest != 0 {
      sessionTable.remove(hash, newest)
      extras[newest].newerInSession = slot
    }
    insertSession(hash, slot)
  }

  private mutating func insertSession(_ hash: UInt32, _ slot: Slot) {
    let base = extras.base
    sessionTable.insert(hash, slot) { (base[Int($0)].session, base[Int($0)].stop == 0 ? 0 : 1) }
  }

  /// Undoes `joinSession`.
  mutating func leaveSession(_ slot: Slot) {
    let extra = extras[slot]
    if extra.newerInSession == 0 {
      let hash = sessionTable.hash(extra.session, extra.stop == 0 ? 0 : 1)
      sessionTable.remove(hash, slot)
      if extra.olderInSession != 0 { insertSession(hash, extra.olderInSession) }
    } else {
      extras[extra.newerInSession].olderInSession = extra.olderInSession
    }
    if extra.olderInSession != 0 { extras[extra.olderInSession].newerInSession = extra.newerInSession }
  }

  /// Undoes `attach` for an order that leaves with the lots it still has.
  @inline(never) mutating func dropExtra(_ order: RestingOrder) {
    let extra = extras[order.extra]
    if extra.isAwaited { moveOn(fromOrder: extra.order, order) }
    if extra.expiry != 0 {
      timedOrders -= 1
      hasLostTimer = true
    }
    if extra.hidden != 0 { hide(-extra.hidden, of: order) }
    if order.traits.contains(.auctionOnly) { leaveAuction(order.extra, Int(order.book)) }
    if order.isReduceOnly || order.isQuote {
      let position = positionSlot(order.accountSlot, Int(order.book))
      if extra.newerAlike != 0 {
        extras[extra.newerAlike].olderAlike = extra.olderAlike
      } else if order.isQuote {
        positions[position].newestQuote = extra.olderAlike
      } else {
        positions[position].newestReducing = extra.olderAlike
      }
      if extra.olderAlike != 0 { extras[extra.olderAlike].newerAlike = extra.newerAlike }
      if order.isReduceOnly { positions[position].reducingLots &-= order.lots }
    }
    delist(order.extra, order.accountSlot)
  }

  /// The account's extra with that client id, or 0.
  func clientSlot(_ account: Slot, _ clientID: UInt64) -> Slot {
    let owners = ExtraOwners(self)
    return clientTable.find(clientTable.hash(clientID, UInt64(account))) {
      owners.extras[Int($0)].clientID == clientID && owners.account(of: $0) == account
    }
  }

  /// Newest order, or newest stop, (an extra) that lives with the session, or 0.
  func newestOfSession(_ session: UInt64, isStop: Bool) -> Slot {
    let base = extras.base
    return sessionTable.find(sessionTable.hash(session, isStop ? 1 : 0)) {
      base[Int($0)].session == session && (base[Int($0)].stop != 0) == isStop
    }
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
      if budget > 0 { budget -= 1 }
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

/// Tells whose an extra is.
private struct ExtraOwners {
  let extras: UnsafeMutablePointer<OrderExtra>
  let orders: UnsafeMutablePointer<RestingOrder>
  let stops: UnsafeMutablePointer<ArmedStop>

  init(_ shard: borrowing ShardMachine) {
    extras = shard.extras.base
    orders = shard.orders.base
    stops = shard.stops.base
  }

  func account(of extra: Slot) -> Slot {
    let (order, stop) = (extras[Int(extra)].order, extras[Int(extra)].stop)
    return stop != 0 ? stops[Int(stop)].deferral.origin.accountSlot : orders[Int(order)].accountSlot
  }
}
