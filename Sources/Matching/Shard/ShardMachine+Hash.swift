import Bytes
import Machine
import Market

// The canonical state: nothing in it depends on how it is kept here, and nothing that follows from the rest is in it.
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
    hasher.combine(UInt64(bookOfInstrument.count))
    hasher.combine(UInt64(underlying == nil ? 0 : shardsOfUnderlying))
    for place in 0..<books.count { hash(book: place, &hasher) }
    for sum in [
      orderSum(), stopSum(), heldSum(), accountSum(), ledgerSum(), protectionSum(), positionSum(), nonceSum(),
    ] { hasher.combine(sum) }
    hasher.combine(UInt64(queue.count))
    var waiting = firstQueued
    while waiting != 0 {
      hash(queue[waiting].deferral, &hasher)
      waiting = queue[waiting].next
    }
    hasher.combine(UInt64(jobs.count))
    for job in jobs {
      let isAsked = job.kind == .cancel && job.outcome == .cancelled
      hasher.combine(job.name)
      hasher.combine(job.accountSlot == 0 ? 0 : UInt64(accounts[job.accountSlot].id.rawValue) + 1)
      let isOfBook = job.book != Job.everyBook
      hasher.combine(isOfBook ? UInt64(books[Int(job.book)].instrument.rawValue) + 1 : 0)
      hasher.combine(job.arrival)
      hasher.combine(job.stopArrival)
      hasher.combine(isAsked ? UInt64(job.scope.rawValue) | UInt64(job.flags) << 8 : job.number)
      hasher.combine(isAsked ? UInt64(job.label) : job.generation)
      hasher.combine(job.amount)
    }
  }

  private borrowing func hash(book place: Int, _ hasher: inout StateHasher) {
    let book = books[place]
    hasher.combine(UInt64(book.instrument.rawValue))
    hasher.combine(book.marksVersion)
    for value in [
      book.mark, book.marginToBuy, book.marginToSell, book.bandLow, book.bandHigh, book.delta, book.vega,
    ] { hasher.combine(value) }
    hasher.combine(book.deltas)
    hasher.combine(book.hasTraded ? book.last : -1)
    hasher.combine(book.settlementIndex)
    hasher.combine((book.isSettling ? 1 : 0) | (book.isSettled ? 2 : 0) as UInt64)
    hasher.combine(UInt64(book.state.rawValue))
    hasher.combine(book.auctionEnd == .never ? 0 : book.auctionEnd.nanoseconds)
    hasher.combine(book.indicativeAt.nanoseconds)
    let isUncrossing = book.state == .uncrossing
    hasher.combine(isUncrossing && book.auctionTick >= 0 ? book.auctionTick &* book.contract.tickSize : -1)
    hasher.combine(isUncrossing ? book.auctionVolume : 0)
    let auction = isUncrossing ? auctions[place] : nil
    hasher.combine(auction == nil ? 0 : auction?.search != nil ? 1 : auction?.isMatched == true ? 3 : 2 as UInt64)
    if let search = auction?.search { hash(search, book.contract.tickSize, &hasher) }
    if book.contract.expiry != .never {
      hasher.combine(UInt64(openPositions[place * 2].count + openPositions[place * 2 + 1].count))
      forEachOpenPosition(place) { hasher.combine(UInt64(accounts[positions[$0].accountSlot].id.rawValue)) }
    }
    let fired = firedStops(place)
    hasher.combine(UInt64(fired.count))
    for slot in fired { hasher.combine(stops[slot].arrival) }
    hasher.combine(book.sweep == 0 ? 0 : 1 as UInt64)
    if book.sweep != 0 { hash(sweeps[book.sweep], &hasher) }
  }

  private borrowing func hash(_ search: PriceSearch, _ tickSize: Int64, _ hasher: inout StateHasher) {
    for tick in [search.bid, search.ask, search.lowestBid, search.highestAsk] {
      hasher.combine(tick < 0 ? -1 : tick &* tickSize)
    }
    for lots in [search.bidRest, search.askRest, search.volume] { hasher.combine(lots) }
  }

  private borrowing func hash(_ sweep: Sweep, _ hasher: inout StateHasher) {
    hash(sweep.deferral, &hasher)
    let taker = sweep.taker
    hasher.combine(taker.nonce)
    hasher.combine(UInt64(taker.key) << 16 | UInt64(taker.index))
    hasher.combine(UInt64(taker.side.rawValue))
    hasher.combine(BookSide.tick(taker.side.opposite, taker.limit) &* books[taker.book].contract.tickSize)
    for value in [taker.lots, taker.filled, taker.reserved] { hasher.combine(value) }
    hasher.combine(UInt64(sweep.candidate.expiry))
    hasher.combine(sweep.candidate.clientID)
    hasher.combine(sweep.partner == nil ? 0 : 1 as UInt64)
    if let partner = sweep.partner {
      hasher.combine(UInt64(partner.outcome.rawValue))
      hasher.combine(partner.filled)
    }
  }

  private borrowing func hash(_ deferral: Deferral, _ hasher: inout StateHasher) {
    let origin = deferral.origin
    hasher.combine(UInt64(accounts[origin.accountSlot].id.rawValue))
    hasher.combine(origin.nonce)
    hasher.combine(
      UInt64(origin.key) << 16 | UInt64(deferral.index) | (deferral.isTriggered ? 1 << 32 : 0))
    hasher.combine(origin.sequence.rawValue)
    let dies = deferral.operation.flags.contains(.cancelOnDisconnect)
    hasher.combine(dies ? origin.session : 0)
    hasher.combine(dies ? origin.generation : 0)
    hasher.combine(origin.isTrade ? origin.maximumFee : 0)
    let words = deferral.words
    for word in 0..<8 { hasher.combine(words[word]) }
  }

  /// Fired stops of a book, in the order in which they are taken up.
  borrowing func firedStops(_ book: Int) -> [Slot] {
    if triggers.count <= book { return [] }
    var fired: [Slot] = []
    for root in triggers[book].fired { TriggerTree(stops).forEach(root) { fired.append($0) } }
    return fired
  }

  private borrowing func orderSum() -> UInt64 {
    var sum = RecordSum()
    for slot in 1..<orders.end {
      let order = orders[slot]
      if order.number == 0 { continue }
      let extra = order.extra == 0 ? OrderExtra() : extras[order.extra]
      let book = books[Int(order.book)]
      sum.begin()
      sum.combine(order.nonce, UInt64(accounts[order.accountSlot].id.rawValue))
      sum.combine(UInt64(order.key) << 16 | UInt64(order.index), UInt64(book.instrument.rawValue))
      sum.combine(
        BookSide.tick(order.side, order.rank) &* book.contract.tickSize, Int64(order.side.rawValue))
      sum.combine(order.number, arrival(of: order))
      sum.combine(order.lots, extra.hidden)
      sum.combine(extra.hidden == 0 ? 0 : extra.display, order.reserved)
      sum.combine(UInt64(extra.expiry) << 32 | UInt64(extra.label), extra.clientID)
      sum.combine(extra.session, extra.generation)
      var flags: UInt64 = order.isReduceOnly ? 1 : 0
      if extra.diesWithSession { flags |= 2 }
      if order.isQuote { flags |= 4 }
      if order.traits.contains(.auctionOnly) { flags |= 8 }
      if order.isQuote, order.number <= accounts[order.accountSlot].quotesOut { flags |= 16 }
      sum.combine(flags, UInt64(max(1, order.mode.rawValue)))
      sum.end()
    }
    return sum.value
  }

  private borrowing func stopSum() -> UInt64 {
    if stops.count == 0 { return 0 }
    var sum = RecordSum()
    for book in triggers.indices {
      let tree = TriggerTree(stops)
      for place in 0..<Watch.count {
        tree.forEach(triggers[book].plain[place]) { add($0, stops[$0].triggerPrice, isFired: false, &sum) }
        for group in triggers[book].trailing[place] {
          tree.forEach(group.root) { slot in
            let distance = stops[slot].triggerPrice
            let price = group.extreme.map { Self.trigger($0, distance, stops[slot].watch.rises) }
            add(slot, price, isFired: false, &sum)
          }
        }
      }
      for slot in firedStops(book) { add(slot, nil, isFired: true, &sum) }
    }
    return sum.value
  }

  private borrowing func add(_ slot: Slot, _ price: Int64?, isFired: Bool, _ sum: inout RecordSum) {
    let stop = stops[slot]
    let origin = stop.deferral.origin
    let dies = stop.deferral.operation.flags.contains(.cancelOnDisconnect)
    sum.begin()
    sum.combine(origin.nonce, UInt64(accounts[origin.accountSlot].id.rawValue))
    sum.combine(UInt64(origin.key) << 16 | UInt64(stop.deferral.index), stop.arrival)
    sum.combine(price ?? 0, (price == nil ? 0 : 1) + (isFired ? 2 : 0))
    sum.combine(dies ? origin.session : 0, dies ? origin.generation : 0)
    sum.combine(origin.isTrade ? origin.maximumFee : 0, Int64(stop.expiry))
    let words = stop.deferral.words
    for pair in 0..<4 { sum.combine(words[pair * 2], words[pair * 2 + 1]) }
    sum.end()
  }

  private borrowing func heldSum() -> UInt64 {
    if held.count == 0 { return 0 }
    var sum = RecordSum()
    for account in 1..<accounts.end {
      var slot = accounts[account].firstHeld
      while slot != 0 {
        let order = held[slot]
        let origin = order.deferral.origin
        let dies = order.deferral.operation.flags.contains(.cancelOnDisconnect)
        sum.begin()
        sum.combine(order.request, UInt64(accounts[account].id.rawValue))
        sum.combine(origin.nonce, UInt64(origin.key) << 16 | UInt64(order.deferral.index))
        sum.combine(order.deferral.nameNonce, UInt64(origin.key) << 16 | UInt64(order.deferral.nameIndex))
        sum.combine(origin.sequence.rawValue, UInt64(bitPattern: order.deadline.nanoseconds))
        sum.combine(order.charge, origin.isTrade ? origin.maximumFee : 0)
        sum.combine(dies ? origin.session : 0, dies ? origin.generation : 0)
        let words = order.deferral.words
        for pair in 0..<4 { sum.combine(words[pair * 2], words[pair * 2 + 1]) }
        sum.end()
        slot = order.next
      }
    }
    return sum.value
  }

  private borrowing func accountSum() -> UInt64 {
    var sum = RecordSum()
    for slot in 1..<accounts.end {
      let account = accounts[slot]
      let protection = account.protection == 0 ? nil : protections[account.protection]
      sum.begin()
      sum.combine(UInt64(account.id.rawValue), account.creditVersion)
      sum.combine(account.ceiling, account.consumed)
      sum.combine(account.owner.words.0, account.owner.words.1)
      sum.combine(UInt64(account.owner.words.2), UInt64(account.chargeMultiplier))
      sum.combine((account.isOpen ? 1 : 0) | (account.isFrozen ? 2 : 0), account.freezeID)
      sum.combine(account.liquidationStep, UInt64(account.liquidationOutcome.rawValue))
      sum.combine(account.liquidationFilled, account.reserved)
      sum.combine(
        UInt64(account.group.rawValue), account.isKilled ? account.isKilledByOperator ? 2 : 1 : 0 as UInt64)
      sum.combine(protection?.quantityLimit ?? 0, protection?.deltaLimit ?? 0)
      sum.combine(UInt64(bitPattern: protection?.vegaLimit ?? 0), protection?.times ?? 0)
      sum.combine(account.quotesFrozenUntil.nanoseconds, account.deadMan.nanoseconds)
      sum.end()
    }
    return sum.value
  }

  private borrowing func ledgerSum() -> UInt64 {
    var sum = RecordSum()
    for slot in movedAccounts {
      for (place, currency) in currencies.enumerated() where ledger[slot, place] != 0 {
        sum.begin()
        sum.combine(UInt64(accounts[slot].id.rawValue), UInt64(currency.rawValue))
        sum.combine(ledger[slot, place], 0 as Int64)
        sum.end()
      }
    }
    return sum.value
  }

  /// What was counted at one stamp counts as one; what lies before the window does not count.
  private borrowing func protectionSum() -> UInt64 {
    if protectionFills.count == 0 { return 0 }
    var sum = RecordSum()
    for slot in 1..<accounts.end where accounts[slot].protection != 0 {
      let window = protections[accounts[slot].protection].window
      var entry = protections[accounts[slot].protection].first
      while entry != 0 {
        if protectionFills[entry].stamp + window <= now {
          entry = protectionFills[entry].next
          continue
        }
        var merged = protectionFills[entry]
        entry = merged.next
        while entry != 0, protectionFills[entry].stamp == merged.stamp {
          merged.quantity &+= protectionFills[entry].quantity
          merged.delta &+= protectionFills[entry].delta
          merged.vega &+= protectionFills[entry].vega
          entry = protectionFills[entry].next
        }
        sum.begin()
        sum.combine(Int64(accounts[slot].id.rawValue), merged.stamp.nanoseconds)
        sum.combine(merged.quantity, merged.delta)
        sum.combine(merged.vega, 0 as Int64)
        sum.end()
      }
    }
    return sum.value
  }

  private borrowing func positionSum() -> UInt64 {
    var sum = RecordSum()
    for slot in 1..<positions.end {
      let position = positions[slot]
      if !position.isLive || position.lots | position.lotsAtEpochStart == 0 { continue }
      sum.begin()
      sum.combine(
        UInt64(accounts[position.accountSlot].id.rawValue), UInt64(books[Int(position.book)].instrument.rawValue))
      sum.combine(position.lots, position.lotsAtEpochStart)
      sum.end()
    }
    return sum.value
  }

  /// The content's hash is left out: the sequence names the action.
  private borrowing func nonceSum() -> UInt64 {
    var sum = RecordSum()
    nonces.forEach { slot, second in
      let record = nonces.records[Int(slot)]
      sum.begin()
      sum.combine(record.nonce, UInt64(accounts[record.accountSlot].id.rawValue) << 16 | UInt64(record.key))
      sum.combine(record.sequence.rawValue, 0)
      sum.combine(record.stamp.nanoseconds, second)
      sum.combine(UInt64(record.term.rawValue), UInt64(record.count))
      nonces.forEachResult(slot) { outcome, filled in sum.combine(Int64(outcome.rawValue), filled) }
      sum.end()
    }
    return sum.value
  }
}

extension Job {
  /// What the job is, with mass cancels told apart by their reasons.
  var name: UInt64 {
    switch kind {
    case .cancel:
      switch outcome {
      case .cancelledByDeadMan: 6
      case .cancelledByKillSwitch: 7
      case .cancelledByProtection: 8
      default: 1
      }
    case .recall: 2
    case .freeze: 3
    case .sessionEnd: 4
    case .settle: 5
    case .fire: 9
    case .sweep: 10
    case .uncross: 11
    case .takeUp: 12
    }
  }
}

extension Deferral {
  /// The operation's bytes as little-endian words.
  var words: SIMD8<UInt64> { withUnsafeBytes(of: operation) { $0.loadUnaligned(as: SIMD8<UInt64>.self) } }
}

extension ArmedStop {
  /// As given; a trailing stop's distance.
  var triggerPrice: Int64 { deferral.operation.triggerPrice.units }
}
