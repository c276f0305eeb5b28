import Bytes
import Machine
import Market

// Layout: opened bool; then, if it is, the genesis payload as a blob, instruments listed since, scalars, stream
// numbers, books, accounts in order of id (with held orders, ledger deltas, protection), positions, open orders by
// book, side and priority, stops, sweeps, the queue, nonces in order of (expiry, arrival), jobs, the epoch's fills as
// a blob.
extension ShardMachine {
  public borrowing func writeSnapshot(to writer: inout ByteWriter) {
    writer.bool(isOpened)
    if !isOpened { return }
    definition.withUnsafeBytes { writer.blob($0) }
    writer.u32(UInt32(listings.count))
    for instrument in listings { instrument.write(to: &writer) }
    epoch.write(to: &writer)
    for stamp in [now, riskHeard, marksHeard, nextHeartbeat] { stamp.write(to: &writer) }
    for value in [arrivals, requests, fillNumber, marksVersion, heartbeats, acceptedOperations] { writer.u64(value) }
    writer.i64(index)
    writer.bool(isHalted)
    streams.write(to: &writer)
    for place in 0..<books.count {
      write(books[place], to: &writer)
      if books[place].state == .uncrossing { write(auctions[place] ?? Auction(), to: &writer) }
    }
    let known = (1..<accounts.end).sorted { accounts[$0].id < accounts[$1].id }
    writer.u32(UInt32(known.count))
    for slot in known { writeAccount(slot, to: &writer) }
    writePositions(to: &writer)
    writeOrders(to: &writer)
    writeStops(to: &writer)
    writer.u32(UInt32(sweepSlots.count))
    for slot in sweepSlots { write(sweeps[slot], to: &writer) }
    writer.u32(UInt32(queue.count))
    var waiting = firstQueued
    while waiting != 0 {
      write(queue[waiting].deferral, to: &writer)
      writer.u32(queue[waiting].book)
      waiting = queue[waiting].next
    }
    writeNonces(to: &writer)
    writer.u32(UInt32(jobs.count))
    for job in jobs { write(job, to: &writer) }
    writer.blob(epochFills.bytes)
  }

  private borrowing func write(_ book: Book, to writer: inout ByteWriter) {
    writer.u64(book.marksVersion)
    for value in [
      book.mark, book.marginToBuy, book.marginToSell, book.bandLow, book.bandHigh, book.delta, book.vega,
      book.settlementIndex, book.last, book.auctionTick, book.auctionVolume,
    ] { writer.i64(value) }
    writer.u64(book.deltas)
    for value in [book.isSettling, book.isSettled, book.hasTraded] { writer.bool(value) }
    writer.u8(book.state.rawValue)
    book.auctionEnd.write(to: &writer)
    book.indicativeAt.write(to: &writer)
  }

  private borrowing func write(_ auction: Auction, to writer: inout ByteWriter) {
    writer.bool(auction.isMatched)
    writer.bool(auction.search != nil)
    guard let search = auction.search else { return }
    for value in [
      search.bid, search.ask, search.bidRest, search.askRest, search.volume, search.lowestBid, search.highestAsk,
    ] { writer.i64(value) }
  }

  private borrowing func writeAccount(_ slot: Slot, to writer: inout ByteWriter) {
    let account = accounts[slot]
    account.id.write(to: &writer)
    account.group.write(to: &writer)
    writer.i64(account.ceiling)
    writer.i64(account.consumed)
    account.owner.write(to: &writer)
    writer.u32(account.chargeMultiplier)
    writer.u32(account.restrictions.rawValue)
    writer.bool(account.isKilledByOperator)
    for value in [account.creditVersion, account.freezeID, account.liquidationStep] { writer.u64(value) }
    writer.i64(account.liquidationFilled)
    writer.u16(account.liquidationOutcome.rawValue)
    account.deadMan.write(to: &writer)
    account.quotesFrozenUntil.write(to: &writer)
    writer.u64(account.quotesOut)
    for place in currencies.indices { writer.i64(ledger[slot, place]) }
    writer.u32(account.heldCount)
    var waiting = account.firstHeld
    while waiting != 0 {
      let order = held[waiting]
      writer.u64(order.request)
      writer.i64(order.charge)
      order.deadline.write(to: &writer)
      write(order.deferral, to: &writer)
      waiting = order.next
    }
    writer.bool(account.protection != 0)
    if account.protection == 0 { return }
    let protection = protections[account.protection]
    for value in [protection.quantityLimit, protection.deltaLimit, protection.vegaLimit] { writer.i64(value) }
    writer.u64(protection.times)
    var entries: [ProtectionFill] = []
    var entry = protection.first
    while entry != 0 {
      entries.append(protectionFills[entry])
      entry = protectionFills[entry].next
    }
    writer.u32(UInt32(entries.count))
    for entry in entries {
      entry.stamp.write(to: &writer)
      for value in [entry.quantity, entry.delta, entry.vega] { writer.i64(value) }
    }
  }

  private borrowing func write(_ deferral: Deferral, to writer: inout ByteWriter) {
    let origin = deferral.origin
    accounts[origin.accountSlot].id.write(to: &writer)
    writer.u16(origin.key)
    writer.u16(deferral.index)
    writer.u64(origin.nonce)
    origin.sequence.write(to: &writer)
    writer.u64(origin.session)
    writer.u64(origin.generation)
    writer.bool(origin.isTrade)
    writer.i64(origin.maximumFee)
    writer.bool(deferral.isTriggered)
    writer.u64(deferral.nameNonce)
    writer.u16(deferral.nameIndex)
    deferral.operation.write(to: &writer)
  }

  /// Those of books that expire in the order in which they were opened; the rest in order of account.
  private borrowing func writePositions(to writer: inout ByteWriter) {
    var rest: [Slot] = []
    for slot in 1..<positions.end {
      let position = positions[slot]
      let isListed = position.lots != 0 && books[Int(position.book)].contract.expiry != .never
      if position.isLive, !isListed, position.lots | position.lotsAtEpochStart != 0 { rest.append(slot) }
    }
    rest.sort {
      (accounts[positions[$0].accountSlot].id, positions[$0].book)
        < (accounts[positions[$1].accountSlot].id, positions[$1].book)
    }
    var live: [Slot] = []
    for book in 0..<books.count where books[book].contract.expiry != .never {
      forEachOpenPosition(book) { live.append($0) }
    }
    live += rest
    writer.u32(UInt32(live.count))
    for slot in live {
      accounts[positions[slot].accountSlot].id.write(to: &writer)
      writer.u16(positions[slot].book)
      writer.i64(positions[slot].lots)
      writer.i64(positions[slot].lotsAtEpochStart)
    }
  }

  private borrowing func writeOrders(to writer: inout ByteWriter) {
    writer.u32(UInt32(orders.count))
    for book in 0..<books.count {
      for side in Side.allCases {
        let handle = books.side(book, side)
        var rank = handle.pointee.best
        while rank >= 0 {
          var slot = handle.pointee.level(UInt32(rank)).pointee.first
          while slot != 0 {
            write(orders[slot], to: &writer)
            slot = orders[slot].next
          }
          rank = handle.pointee.highest(below: UInt32(rank))
        }
      }
    }
  }

  private borrowing func write(_ order: RestingOrder, to writer: inout ByteWriter) {
    let extra = order.extra == 0 ? OrderExtra() : extras[order.extra]
    name(of: order).write(to: &writer)
    writer.u16(order.book)
    writer.u32(order.rank)
    writer.u32(order.traits.rawValue)
    writer.u64(order.number)
    writer.u64(arrival(of: order))
    for value in [order.lots, order.reserved, extra.hidden, extra.display] { writer.i64(value) }
    writer.u32(extra.expiry)
    writer.u32(extra.label)
    writer.u64(extra.clientID)
    writer.bool(extra.diesWithSession)
    writer.u64(extra.session)
    writer.u64(extra.generation)
  }

  /// Per book: those that wait, in order of arrival; each trailing group; each run of fired ones in its order.
  private borrowing func writeStops(to writer: inout ByteWriter) {
    writer.u32(UInt32(stops.count == 0 ? 0 : triggers.count))
    if stops.count == 0 { return }
    let tree = TriggerTree(stops)
    for book in triggers.indices {
      var plain: [Slot] = []
      for root in triggers[book].plain { tree.forEach(root) { plain.append($0) } }
      plain.sort { stops[$0].arrival < stops[$1].arrival }
      writeStops(plain, to: &writer)
      for groups in triggers[book].trailing {
        writer.u32(UInt32(groups.count))
        for group in groups {
          writer.bool(group.extreme != nil)
          writer.i64(group.extreme ?? 0)
          writer.u64(group.firstArrival)
          writeStops(inOrder(group.root), to: &writer)
        }
      }
      writer.u32(UInt32(triggers[book].fired.count))
      for root in triggers[book].fired { writeStops(inOrder(root), to: &writer) }
    }
  }
  private borrowing func inOrder(_ root: Slot) -> [Slot] {
    var slots: [Slot] = []
    TriggerTree(stops).forEach(root) { slots.append($0) }
    return slots
  }
  private borrowing func writeStops(_ slots: [Slot], to writer: inout ByteWriter) {
    writer.u32(UInt32(slots.count))
    for slot in slots {
      write(stops[slot].deferral, to: &writer)
      writer.u64(stops[slot].arrival)
      writer.u32(stops[slot].expiry)
      writer.i64(stops[slot].key)
    }
  }

  private borrowing func write(_ sweep: Sweep, to writer: inout ByteWriter) {
    write(sweep.deferral, to: &writer)
    let taker = sweep.taker
    writer.u64(taker.nonce)
    writer.u16(taker.index)
    writer.u16(UInt16(taker.book))
    writer.u8(taker.side.rawValue)
    writer.u32(taker.limit)
    for value in [taker.lots, taker.reserved, taker.filled, taker.consumed] { writer.i64(value) }
    writer.u8(taker.kind.rawValue)
    writer.u8(taker.mode.rawValue)
    let candidate = sweep.candidate
    for value in [candidate.tick, candidate.lots, candidate.display] { writer.i64(value) }
    for value in [
      candidate.isMarket, candidate.isImmediate, candidate.isReduceOnly, candidate.isQuote, candidate.isReplacement,
      candidate.diesWithSession,
    ] { writer.bool(value) }
    writer.u32(candidate.expiry)
    writer.u32(candidate.label)
    writer.u64(candidate.clientID)
    writer.bool(sweep.partner != nil)
    writer.u16(sweep.partner?.outcome.rawValue ?? Outcome.quoted.rawValue)
    writer.i64(sweep.partner?.filled ?? 0)
  }

  private borrowing func writeNonces(to writer: inout ByteWriter) {
    writer.u32(UInt32(nonces.count))
    nonces.forEach { slot, second in
      let record = nonces.records[Int(slot)]
      accounts[record.accountSlot].id.write(to: &writer)
      writer.u16(record.key)
      writer.u16(record.count)
      writer.u64(record.nonce)
      writer.u64(record.content)
      record.sequence.write(to: &writer)
      record.stamp.write(to: &writer)
      record.term.write(to: &writer)
      writer.i64(second)
      nonces.forEachResult(slot) { outcome, filled in
        writer.u16(outcome.rawValue)
        writer.i64(filled)
      }
    }
  }

  private borrowing func write(_ job: Job, to writer: inout ByteWriter) {
    writer.u8(job.kind.rawValue)
    writer.u32(job.accountSlot == 0 ? .max : accounts[job.accountSlot].id.rawValue)
    writer.u32(job.book)
    for value in [job.arrival, job.stopArrival, job.number, job.generation] { writer.u64(value) }
    writer.i64(job.amount)
    writer.u16(job.outcome.rawValue)
    writer.u8(job.scope.rawValue)
    writer.u16(job.flags)
    writer.u32(job.label)
  }
}
