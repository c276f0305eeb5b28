import Bytes
import Machine
import Market

/// # The canonical state hash
///
/// Two engines that follow the rules hold the same state if and only if they give the same hash. Nothing in it depends
/// on how a state is kept (slots, ranks, links, tables, stale timers), and nothing that follows from the rest is in it
/// (timers, open-order counts, level totals, checksums, the lots that reduce-only orders pledge); the reserved charges
/// of an account are, because a leak of them must show.
///
/// A `StateHasher` takes, in this order:
///
/// 1. opened (0 or 1), epoch, the stream numbers;
/// 2. time, stamps of risk and marks as last heard, index, next heartbeat;
/// 3. the counters of arrivals, requests, fills, marks' version, heartbeats, and operations accepted when they came;
/// 4. risk's halt (0 or 1), the encoded fills of the epoch as bytes;
/// 5. the number of the market's instruments, the number of shards that host one of the underlying (0 without one);
/// 6. each book, in order of instrument, see `hashBooks`;
/// 7. `RecordSum`s over orders, stops, held orders, accounts, ledgers, protection's entries, positions, nonces;
/// 8. the number of queued operations and each of them, in order, see `hash(_:_:)` of a ticket;
/// 9. the number of jobs and each of them, in order, see `hashJobs`.
///
/// In all of them:
/// - accounts and instruments go by their ids, prices and distances in 1e-8, quantities in lots, times in nanoseconds,
///   an order's expiry in unix seconds;
/// - a *name* is (nonce, account), (key · 2^16 + index);
/// - *session* and *generation* are 0 unless the order or its operation has the flag `cancelOnDisconnect`; the *maximum
///   fee* is 0 unless the action is a trade;
/// - an *operation* is its 64 bytes as signed, as eight little-endian words.
extension NaiveEngine {
  func hash(into hasher: inout StateHasher) {
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
    epochFills.withUnsafeBytes { hasher.combine($0) }
    hasher.combine(UInt64(listed.count))
    hasher.combine(UInt64(underlying == nil ? 0 : hostingShards))
    hashBooks(into: &hasher)
    for sum in [
      orderSum, stopSum, heldSum, accountSum, ledgerSum, entrySum, positionSum, nonceSum,
    ] { hasher.combine(sum) }
    hasher.combine(UInt64(queue.count))
    for ticket in queue { hash(ticket, &hasher) }
    hashJobs(into: &hasher)
  }

  /// A book: instrument; marks' version that last named it, mark, margins to buy and to sell, band's low and high,
  /// delta and vega; deltas sent; price of the last trade, −1 before the first; settlement index; settling (1) +
  /// settled (2); trading state; end of the auction (0 outside one); next indicative (`.never` outside an auction);
  /// price of the uncrossing (−1 for none and outside one) and its volume so far (0 outside one); its phase as in
  /// `NaiveBook.Phase`, and the search for its price while that goes on, see `hashSearch`; unless it never expires the
  /// number of open positions and their accounts, longs then shorts, each in the order in which they were opened; the
  /// number of fired stops and their arrivals in order; 0, or 1 and the order that sweeps it, see `hash(_:_:)` of a
  /// sweep.
  private func hashBooks(into hasher: inout StateHasher) {
    for (place, book) in books.enumerated() {
      hasher.combine(UInt64(book.instrument.id.rawValue))
      hasher.combine(book.marksVersion)
      hasher.combine(book.mark)
      hasher.combine(book.marginToBuy)
      hasher.combine(book.marginToSell)
      hasher.combine(book.bandLow)
      hasher.combine(book.bandHigh)
      hasher.combine(book.delta)
      hasher.combine(book.vega)
      hasher.combine(book.deltas)
      hasher.combine(book.last ?? -1)
      hasher.combine(book.settlementIndex)
      hasher.combine((book.isSettling ? 1 : 0) | (book.isSettled ? 2 : 0) as UInt64)
      hasher.combine(UInt64(book.state.rawValue))
      hasher.combine(book.until.nanoseconds)
      hasher.combine(book.nextIndicative.nanoseconds)
      hasher.combine(book.auctionPrice ?? -1)
      hasher.combine(book.auctionVolume)
      hasher.combine(book.phase.rawValue)
      if book.phase == .searching { hashSearch(book, &hasher) }
      if book.instrument.expiry != .never {
        let open =
          positions.filter { $0.book == place && $0.lots > 0 } + positions.filter { $0.book == place && $0.lots < 0 }
        hasher.combine(UInt64(open.count))
        for position in open { hasher.combine(UInt64(accounts[position.account].id.rawValue)) }
      }
      hasher.combine(UInt64(book.fired.count))
      for arrival in book.fired { hasher.combine(arrival) }
      if let sweep = sweeps.first(where: { $0.taker.book == place }) {
        hasher.combine(1 as UInt64)
        hash(sweep, &hasher)
      } else {
        hasher.combine(0 as UInt64)
      }
    }
  }

  /// A search: price of the last bid and of the last ask looked at, price of the last bid and of the last ask level
  /// that take part in what trades, −1 each for none; lots of the last bid and the last ask that do not trade; lots
  /// that do.
  private func hashSearch(_ book: NaiveBook, _ hasher: inout StateHasher) {
    let (bids, asks) = (Self.sum(book.seenBids), Self.sum(book.seenAsks))
    let volume = min(bids, asks)
    func last(_ levels: [NaiveBook.Level]) -> Int64 {
      var sum: Int128 = 0
      for level in levels where volume > 0 {
        sum += Int128(level.lots)
        if sum >= volume { return level.price }
      }
      return -1
    }
    hasher.combine(book.seenBids.last?.price ?? -1)
    hasher.combine(book.seenAsks.last?.price ?? -1)
    hasher.combine(last(book.seenBids))
    hasher.combine(last(book.seenAsks))
    hasher.combine(Int64(clamping: bids - volume))
    hasher.combine(Int64(clamping: asks - volume))
    hasher.combine(Int64(clamping: volume))
  }

  /// A sweep: its ticket; the order's name: nonce, key · 2^16 + index; side; limit; lots left; lots filled; charge
  /// still reserved; expiry; client id that its order has; 0, or for a side of a quote 1 and the other side's outcome
  /// and fills.
  private func hash(_ sweep: NaiveSweep, _ hasher: inout StateHasher) {
    hash(sweep.ticket, &hasher)
    hasher.combine(sweep.taker.name.nonce)
    hasher.combine(UInt64(sweep.taker.name.key) << 16 | UInt64(sweep.taker.name.index))
    hasher.combine(UInt64(sweep.taker.side.rawValue))
    hasher.combine(sweep.taker.limit)
    hasher.combine(sweep.taker.lots)
    hasher.combine(sweep.taker.filled)
    hasher.combine(sweep.taker.reserved)
    hasher.combine(UInt64(sweep.candidate.expiry))
    hasher.combine(sweep.candidate.clientID)
    if let partner = sweep.partner {
      hasher.combine(1 as UInt64)
      hasher.combine(UInt64(partner.outcome.rawValue))
      hasher.combine(partner.filled)
    } else {
      hasher.combine(0 as UInt64)
    }
  }

  /// A ticket: account; the action's nonce, key · 2^16 + index, + 2^32 for a stop whose trigger is met; sequence;
  /// session; generation; maximum fee; operation.
  private func hash(_ ticket: NaiveTicket, _ hasher: inout StateHasher) {
    hasher.combine(UInt64(accounts[ticket.account].id.rawValue))
    hasher.combine(ticket.nonce)
    hasher.combine(UInt64(ticket.key) << 16 | UInt64(ticket.index) | (ticket.isTriggered ? 1 << 32 : 0))
    hasher.combine(ticket.sequence.rawValue)
    let dies = ticket.operation.flags.contains(.cancelOnDisconnect)
    hasher.combine(dies ? ticket.session : 0)
    hasher.combine(dies ? ticket.generation : 0)
    hasher.combine(ticket.isTrade ? ticket.maximumFee : 0)
    let words = Self.words(ticket.operation)
    for word in 0..<8 { hasher.combine(words[word]) }
  }

  /// A job: kind as in `NaiveJob.Kind`; account + 1, or 0; instrument + 1, or 0; arrival of orders, of stops; number;
  /// generation; amount. A cancel-all has scope + flags · 2^8 as its number and its label as its generation.
  ///
  /// Arrival: up to where a mass cancel (kinds 1, 3, 4, 6, 7, 8) is still to look at orders, and at stops; the counter
  /// when a recall began (orders only), else 0. Number: the credit's
  /// version, the freeze's id, the session. Amount: the recall's ceiling.
  private func hashJobs(into hasher: inout StateHasher) {
    hasher.combine(UInt64(jobs.count))
    for job in jobs {
      hasher.combine(job.kind.rawValue)
      hasher.combine(job.account.map { UInt64(accounts[$0].id.rawValue) + 1 } ?? 0)
      hasher.combine(job.book.map { UInt64(books[$0].instrument.id.rawValue) + 1 } ?? 0)
      hasher.combine(job.arrival)
      hasher.combine(job.stopArrival)
      let isCancelAll = job.kind == .cancelAll
      hasher.combine(isCancelAll ? UInt64(job.scope) | UInt64(job.flags.rawValue) << 8 : job.number)
      hasher.combine(isCancelAll ? UInt64(job.label) : job.generation)
      hasher.combine(job.amount)
    }
  }

  /// (nonce, account), (key · 2^16 + index, instrument), (price, side), (number, arrival), (shown, hidden),
  /// (display, 0 when nothing is hidden; reserved), (expiry · 2^32 + label, client id), (session, generation),
  /// (flags, self-trade mode with unspecified as cancelTaker).
  /// Flags: reduce-only 1, dies with its session 2, side of a quote 4, auction only 8, taken out by protection 16.
  private var orderSum: UInt64 {
    var sum = RecordSum()
    for order in orders {
      sum.begin()
      sum.combine(order.name.nonce, UInt64(accounts[order.account].id.rawValue))
      sum.combine(
        UInt64(order.name.key) << 16 | UInt64(order.name.index), UInt64(books[order.book].instrument.id.rawValue))
      sum.combine(order.price, Int64(order.side.rawValue))
      sum.combine(order.number, order.arrival)
      sum.combine(order.shown, order.hidden)
      sum.combine(order.hidden == 0 ? 0 : order.display, order.reserved)
      sum.combine(UInt64(order.expiry) << 32 | UInt64(order.label), order.clientID)
      sum.combine(order.session, order.generation)
      var flags: UInt64 = order.isReduceOnly ? 1 : 0
      if order.diesWithSession { flags |= 2 }
      if order.isQuote { flags |= 4 }
      if order.isAuctionOnly { flags |= 8 }
      if order.isOut { flags |= 16 }
      sum.combine(flags, UInt64(order.mode.rawValue))
      sum.end()
    }
    return sum.value
  }

  /// (nonce, account), (key · 2^16 + index, arrival), (trigger price now, 0 while a trailing stop has none
  /// or if fired; 1 if it has one, 2 if fired), (session, generation), (maximum fee, expiry), the operation's words in
  /// pairs.
  private var stopSum: UInt64 {
    var sum = RecordSum()
    for stop in stops {
      let ticket = stop.ticket
      let dies = ticket.operation.flags.contains(.cancelOnDisconnect)
      sum.begin()
      sum.combine(ticket.nonce, UInt64(accounts[ticket.account].id.rawValue))
      sum.combine(UInt64(ticket.key) << 16 | UInt64(ticket.index), stop.arrival)
      sum.combine(stop.isFired ? 0 : stop.trigger ?? 0, stop.isFired ? 2 : stop.trigger == nil ? 0 : 1)
      sum.combine(dies ? ticket.session : 0, dies ? ticket.generation : 0)
      sum.combine(ticket.isTrade ? ticket.maximumFee : 0, Int64(stop.expiry))
      combine(ticket.operation, &sum)
      sum.end()
    }
    return sum.value
  }

  /// (request, account), (nonce of the action, key · 2^16 + index), (nonce of the order's name, key · 2^16 + index),
  /// (sequence of the action, deadline), (charge, maximum fee), (session, generation), the operation's words in pairs.
  private var heldSum: UInt64 {
    var sum = RecordSum()
    for order in held {
      let ticket = order.ticket
      let dies = ticket.operation.flags.contains(.cancelOnDisconnect)
      sum.begin()
      sum.combine(order.request, UInt64(accounts[ticket.account].id.rawValue))
      sum.combine(ticket.nonce, UInt64(ticket.key) << 16 | UInt64(ticket.index))
      sum.combine(order.name.nonce, UInt64(order.name.key) << 16 | UInt64(order.name.index))
      sum.combine(ticket.sequence.rawValue, UInt64(bitPattern: order.deadline.nanoseconds))
      sum.combine(order.charge, ticket.isTrade ? ticket.maximumFee : 0)
      sum.combine(dies ? ticket.session : 0, dies ? ticket.generation : 0)
      combine(ticket.operation, &sum)
      sum.end()
    }
    return sum.value
  }

  /// (id, version of the credit), (ceiling, consumed), the owner's words (0, 1), (2; charge multiplier), (open 1 +
  /// frozen 2, freeze id), (liquidation step, its outcome), (its fills, reserved), (group, kill switch: 0 off, 1 the
  /// account's, 2 the house's), (limits: quantity, delta), (vega; window + freeze · 2^32 in milliseconds),
  /// (protection's freeze ends, the dead-man timer fires (`.never` when disarmed)).
  private var accountSum: UInt64 {
    var sum = RecordSum()
    for account in accounts {
      sum.begin()
      sum.combine(UInt64(account.id.rawValue), account.creditVersion)
      sum.combine(account.ceiling, account.consumed)
      sum.combine(account.owner.words.0, account.owner.words.1)
      sum.combine(UInt64(account.owner.words.2), UInt64(account.chargeMultiplier))
      sum.combine((account.isOpen ? 1 : 0) | (account.isFrozen ? 2 : 0), account.freezeID)
      sum.combine(account.liquidationStep, UInt64(account.liquidationOutcome.rawValue))
      sum.combine(account.liquidationFilled, account.reserved)
      sum.combine(UInt64(account.group.rawValue), account.killSwitch.rawValue)
      sum.combine(account.quantityLimit, account.deltaLimit)
      sum.combine(UInt64(bitPattern: account.vegaLimit), account.protectionTimes)
      sum.combine(account.protectionFrozenUntil.nanoseconds, account.deadMan.nanoseconds)
      sum.end()
    }
    return sum.value
  }

  /// (account, currency), (movement in the epoch, 0), where it is not zero.
  private var ledgerSum: UInt64 {
    var sum = RecordSum()
    for ledger in ledgers where ledger.amount != 0 {
      sum.begin()
      sum.combine(UInt64(accounts[ledger.account].id.rawValue), UInt64(ledger.currency.rawValue))
      sum.combine(ledger.amount, 0 as Int64)
      sum.end()
    }
    return sum.value
  }

  /// Protection's entries that lie in the window, those of one stamp as one: (account, stamp), (Σ quantity, Σ delta),
  /// (Σ vega, 0), the sums wrapping.
  private var entrySum: UInt64 {
    var sum = RecordSum()
    for account in accounts {
      let window = Int64(account.protectionTimes & 0xFFFF_FFFF) * 1_000_000
      let entries = account.entries.filter { $0.stamp.nanoseconds > now.nanoseconds - window }
      var place = 0
      while place < entries.count {
        var merged = entries[place]
        place += 1
        while place < entries.count, entries[place].stamp == merged.stamp {
          merged.quantity &+= entries[place].quantity
          merged.delta &+= entries[place].delta
          merged.vega &+= entries[place].vega
          place += 1
        }
        sum.begin()
        sum.combine(Int64(account.id.rawValue), merged.stamp.nanoseconds)
        sum.combine(merged.quantity, merged.delta)
        sum.combine(merged.vega, 0 as Int64)
        sum.end()
      }
    }
    return sum.value
  }

  /// (account, instrument), (lots, lots at the epoch's start), where one of them is not zero.
  private var positionSum: UInt64 {
    var sum = RecordSum()
    for position in positions where position.lots != 0 || position.lotsAtEpochStart != 0 {
      sum.begin()
      sum.combine(
        UInt64(accounts[position.account].id.rawValue), UInt64(books[position.book].instrument.id.rawValue))
      sum.combine(position.lots, position.lotsAtEpochStart)
      sum.end()
    }
    return sum.value
  }

  /// (nonce, account · 2^16 + key), (sequence, 0), (stamp, second of its expiry), (term, count of results), then
  /// (outcome, lots filled) of each. The sequence names the action, and with it the content.
  private var nonceSum: UInt64 {
    var sum = RecordSum()
    for record in nonces {
      sum.begin()
      sum.combine(record.nonce, UInt64(accounts[record.account].id.rawValue) << 16 | UInt64(record.key))
      sum.combine(record.sequence.rawValue, 0)
      sum.combine(record.stamp.nanoseconds, record.expiry)
      sum.combine(UInt64(record.term.rawValue), UInt64(record.results.count))
      for result in record.results { sum.combine(Int64(result.outcome.rawValue), result.filled) }
      sum.end()
    }
    return sum.value
  }

  private func combine(_ operation: Market.Operation, _ sum: inout RecordSum) {
    let words = Self.words(operation)
    for pair in 0..<4 { sum.combine(words[pair * 2], words[pair * 2 + 1]) }
  }

  private static func words(_ operation: Market.Operation) -> SIMD8<UInt64> {
    withUnsafeBytes(of: operation) { $0.loadUnaligned(as: SIMD8<UInt64>.self) }
  }
}
