import Bytes
import Machine
import Market

// What only some orders carry: expiry, session, reduce-only.
extension ShardMachine {
  /// Gives the order its extra and enters it into the lists that the extra is about.
  mutating func attach(_ extra: OrderExtra, to order: Slot) {
    let slot = extras.insert(extra)
    orders[order].extra = slot
    if extra.expiry != 0 {
      let deadline = Timestamp(seconds: Int64(extra.expiry))
      timers.insert(OrderTimer(deadline: deadline, id: orders[order].arrival, slot: order, isHeld: false))
      timedOrders += 1
      wake(at: deadline)
    }
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
    if orders[order].isReduceOnly {
      let position = openPosition(orders[order].accountSlot, Int(orders[order].book))
      let newest = positions[position].newestReducing
      extras[slot].olderReducing = newest
      if newest != 0 { extras[newest].newerReducing = slot }
      positions[position].newestReducing = slot
      positions[position].reducingLots &+= orders[order].lots
    }
  }

  /// Undoes `attach` for an order that leaves with the lots it still has.
  @inline(never) mutating func dropExtra(_ order: RestingOrder) {
    let extra = extras[order.extra]
    if extra.expiry != 0 {
      timedOrders -= 1
      hasLostTimer = true
    }
    if extra.diesWithSession {
      if extra.newerInSession == 0 {
        let hash = sessionTable.hash(extra.session)
        sessionTable.remove(hash, order.extra)
        if extra.olderInSession != 0 { sessionTable.insert(hash, extra.olderInSession) }
      } else {
        extras[extra.newerInSession].olderInSession = extra.olderInSession
      }
      if extra.olderInSession != 0 { extras[extra.olderInSession].newerInSession = extra.newerInSession }
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
    extras.remove(order.extra)
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
        output.report(
          ExecutionReport(
            event: .accepted, shard: shard, sequence: sequence, stamp: now, order: name(of: orders[order]),
            instrument: books[Int(orders[order].book)].instrument, outcome: .amended,
            remaining: Lots(orders[order].lots)))
      }
    }
  }

  /// Cancels the expired orders among those that an order down to `limit` would meet: only needed while timers are
  /// behind, because what is past its expiry never trades.
  @inline(never) mutating func purgeExpired(
    _ book: Int, _ side: Side, downTo limit: UInt32, into output: inout OutputBuffer
  ) {
    #if NOVATION_PLANT
      if faults.contains(.ignoreExpiry) { return }
    #endif
    guard let handle = books.side(book, side) else { return }
    var rank = handle.best
    while rank >= Int32(limit) {
      let below = handle.highest(below: UInt32(rank))
      var slot = handle[UInt32(rank)].first
      while slot != 0 {
        let next = orders[slot].next
        if isPastExpiry(orders[slot]) { withdraw(slot, because: .expiredOrder, into: &output) }
        slot = next
      }
      rank = below
    }
  }

  func isPastExpiry(_ order: RestingOrder) -> Bool {
    order.extra != 0 && extras[order.extra].expiry != 0
      && Timestamp(seconds: Int64(extras[order.extra].expiry)) <= now
  }
}
