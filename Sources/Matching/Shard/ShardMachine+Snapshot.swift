import Bytes
import Machine
import Market

// Layout: opened bool; then, if it is, the genesis payload as a blob, scalars, stream numbers, marks by book, accounts
// (with their held orders and ledger deltas) in order of id, positions, open orders by book, side and priority, nonces
// in order of (expiry, arrival), jobs, the epoch's fills as a blob.
extension ShardMachine {
  public borrowing func writeSnapshot(to writer: inout ByteWriter) {
    writer.bool(isOpened)
    if !isOpened { return }
    definition.withUnsafeBytes { writer.blob($0) }
    epoch.write(to: &writer)
    for stamp in [now, riskHeard, marksHeard, nextHeartbeat] { stamp.write(to: &writer) }
    for value in [arrivals, requests, fillNumber, marksVersion, heartbeats, acceptedOperations] { writer.u64(value) }
    writer.i64(index)
    writer.bool(isHalted)
    streams.write(to: &writer)
    for place in 0..<books.count { write(books[place], to: &writer) }
    let known = (1..<max(1, accounts.end)).sorted { accounts[$0].id < accounts[$1].id }
    writer.u32(UInt32(known.count))
    for slot in known { writeAccount(slot, to: &writer) }
    writePositions(to: &writer)
    writeOrders(to: &writer)
    writeNonces(to: &writer)
    writer.u32(UInt32(jobs.count))
    for job in jobs {
      writer.u8(job.kind.rawValue)
      writer.u32(job.accountSlot == 0 ? .max : accounts[job.accountSlot].id.rawValue)
      writer.u32(job.book)
      writer.u64(job.arrival)
      writer.u64(job.number)
      writer.u64(job.generation)
      writer.i64(job.amount)
    }
    writer.blob(epochFills.bytes)
  }

  private borrowing func write(_ book: Book, to writer: inout ByteWriter) {
    writer.u64(book.marksVersion)
    for value in [book.mark, book.marginToBuy, book.marginToSell, book.bandLow, book.bandHigh] { writer.i64(value) }
    writer.u64(book.deltas)
    writer.bool(book.isSettling)
    writer.bool(book.isSettled)
    writer.i64(book.settlementIndex)
  }

  private borrowing func writeAccount(_ slot: Slot, to writer: inout ByteWriter) {
    let account = accounts[slot]
    account.id.write(to: &writer)
    writer.i64(account.ceiling)
    writer.i64(account.consumed)
    account.owner.write(to: &writer)
    writer.u32(account.chargeMultiplier)
    writer.bool(account.isOpen)
    writer.bool(account.isFrozen)
    writer.u64(account.creditVersion)
    writer.u64(account.freezeID)
    writer.u64(account.liquidationStep)
    writer.i64(account.liquidationFilled)
    writer.u16(account.liquidationOutcome.rawValue)
    for place in currencies.indices { writer.i64(ledger[slot, place]) }
    writer.u32(account.heldCount)
    var waiting = account.firstHeld
    while waiting != 0 {
      let order = held[waiting]
      writer.u64(order.request)
      writer.u16(order.key)
      writer.u16(order.index)
      writer.u64(order.nonce)
      order.sequence.write(to: &writer)
      writer.u64(order.session)
      writer.u64(order.generation)
      writer.bool(order.isTrade)
      writer.i64(order.maximumFee)
      writer.i64(order.charge)
      order.deadline.write(to: &writer)
      order.operation.write(to: &writer)
      waiting = order.next
    }
  }

  private borrowing func writePositions(to writer: inout ByteWriter) {
    var live: [Slot] = []
    for slot in 1..<max(1, positions.end) {
      let position = positions[slot]
      if position.isLive, position.lots | position.lotsAtEpochStart != 0 { live.append(slot) }
    }
    live.sort {
      (accounts[positions[$0].accountSlot].id, positions[$0].book)
        < (accounts[positions[$1].accountSlot].id, positions[$1].book)
    }
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
        guard let handle = books.side(book, side) else { continue }
        var rank = handle.best
        while rank >= 0 {
          var slot = handle[UInt32(rank)].first
          while slot != 0 {
            write(orders[slot], to: &writer)
            slot = orders[slot].next
          }
          rank = handle.highest(below: UInt32(rank))
        }
      }
    }
  }

  private borrowing func write(_ order: RestingOrder, to writer: inout ByteWriter) {
    let extra = order.extra == 0 ? OrderExtra() : extras[order.extra]
    name(of: order).write(to: &writer)
    writer.u16(order.book)
    writer.u8(order.side.rawValue)
    writer.u32(order.rank)
    writer.u64(order.arrival)
    writer.i64(order.lots)
    writer.i64(order.reserved)
    writer.bool(order.isReduceOnly)
    writer.u32(extra.expiry)
    writer.bool(extra.diesWithSession)
    writer.u64(extra.session)
    writer.u64(extra.generation)
  }

  private borrowing func writeNonces(to writer: inout ByteWriter) {
    writer.u32(UInt32(nonces.count))
    nonces.forEach { slot, second in
      let record = nonces.records[slot]
      accounts[record.accountSlot].id.write(to: &writer)
      writer.u16(record.key)
      writer.u16(record.count)
      writer.u64(record.nonce)
      writer.u64(record.hash)
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
}
