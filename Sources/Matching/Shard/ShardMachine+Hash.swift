import Bytes
import Machine
import Market

extension ShardMachine {
  public borrowing func hash(into hasher: inout StateHasher) {
    hasher.combine(isOpened ? 1 : 0 as UInt64)
    hasher.combine(UInt64(epoch.rawValue))
    streams.hash(into: &hasher)
    for value in [now.nanoseconds, riskHeard.nanoseconds, marksHeard.nanoseconds, index, nextHeartbeat.nanoseconds] {
      hasher.combine(value)
    }
    for value in [arrivals, requests, fillNumber, marksVersion, heartbeats, acceptedOperations] {
      hasher.combine(value)
    }
    hasher.combine(isHalted ? 1 : 0 as UInt64)
    hasher.combine(epochFills.bytes)
    hashBooks(into: &hasher)
    hasher.combine(orderSum())
    hasher.combine(accountSum())
    hasher.combine(positionSum())
    hasher.combine(nonceSum())
    for job in jobs {
      hasher.combine(UInt64(job.kind.rawValue))
      hasher.combine(job.accountSlot == 0 ? 0 : UInt64(accounts[job.accountSlot].id.rawValue) + 1)
      hasher.combine(UInt64(job.book))
      hasher.combine(job.arrival)
      hasher.combine(job.number)
      hasher.combine(job.generation)
      hasher.combine(job.amount)
    }
  }

  private borrowing func hashBooks(into hasher: inout StateHasher) {
    for place in 0..<books.count {
      let book = books[place]
      hasher.combine(book.marksVersion)
      for value in [book.mark, book.marginToBuy, book.marginToSell, book.bandLow, book.bandHigh] {
        hasher.combine(value)
      }
      hasher.combine(book.deltas)
      hasher.combine(book.settlementIndex)
      hasher.combine((book.isSettling ? 1 : 0) | (book.isSettled ? 2 : 0) as UInt64)
    }
  }

  private borrowing func orderSum() -> UInt64 {
    var sum = RecordSum()
    for slot in 1..<max(1, orders.end) {
      let order = orders[slot]
      if order.arrival == 0 { continue }
      sum.begin()
      sum.combine(order.nonce, UInt64(accounts[order.accountSlot].id.rawValue))
      sum.combine(UInt64(order.key) << 16 | UInt64(order.index), order.arrival)
      sum.combine(UInt64(order.book) << 32 | UInt64(order.rank), UInt64(order.side.rawValue))
      sum.combine(order.lots, order.reserved)
      if order.extra != 0 {
        let extra = extras[order.extra]
        sum.combine(UInt64(extra.expiry), (extra.diesWithSession ? 1 : 0) | (order.isReduceOnly ? 2 : 0))
        sum.combine(extra.session, extra.generation)
      }
      sum.end()
    }
    return sum.value
  }

  private borrowing func accountSum() -> UInt64 {
    var sum = RecordSum()
    for slot in 1..<max(1, accounts.end) {
      let account = accounts[slot]
      sum.begin()
      sum.combine(UInt64(account.id.rawValue), account.creditVersion)
      sum.combine(account.ceiling, account.consumed)
      sum.combine(account.owner.words.0, account.owner.words.1)
      sum.combine(UInt64(account.owner.words.2), UInt64(account.chargeMultiplier))
      sum.combine((account.isOpen ? 1 : 0) | (account.isFrozen ? 2 : 0), account.freezeID)
      sum.combine(account.liquidationStep, UInt64(account.liquidationOutcome.rawValue))
      sum.combine(account.liquidationFilled, account.reserved)
      for place in currencies.indices { sum.combine(ledger[slot, place], Int64(place)) }
      var waiting = account.firstHeld
      while waiting != 0 {
        let order = held[waiting]
        sum.combine(order.request, order.nonce)
        sum.combine(UInt64(order.key) << 16 | UInt64(order.index), UInt64(bitPattern: order.deadline.nanoseconds))
        sum.combine(order.charge, order.maximumFee)
        waiting = order.next
      }
      sum.end()
    }
    return sum.value
  }

  private borrowing func positionSum() -> UInt64 {
    var sum = RecordSum()
    for slot in 1..<max(1, positions.end) {
      let position = positions[slot]
      if !position.isLive || position.lots | position.lotsAtEpochStart == 0 { continue }
      sum.begin()
      sum.combine(UInt64(accounts[position.accountSlot].id.rawValue), UInt64(position.book))
      sum.combine(position.lots, position.lotsAtEpochStart)
      sum.combine(position.reducingLots, 0 as Int64)
      sum.end()
    }
    return sum.value
  }

  private borrowing func nonceSum() -> UInt64 {
    var sum = RecordSum()
    nonces.forEach { slot, second in
      let record = nonces.records[slot]
      sum.begin()
      sum.combine(record.nonce, UInt64(accounts[record.accountSlot].id.rawValue) << 16 | UInt64(record.key))
      sum.combine(record.hash, record.sequence.rawValue)
      sum.combine(record.stamp.nanoseconds, second)
      sum.combine(UInt64(record.term.rawValue), UInt64(record.count))
      nonces.forEachResult(slot) { outcome, filled in sum.combine(Int64(outcome.rawValue), filled) }
      sum.end()
    }
    return sum.value
  }
}
