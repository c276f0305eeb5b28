import Bytes
import Machine
import Market

// Reads what `writeSnapshot` wrote. Every reference and range is checked: a malformed snapshot leaves the reader
// failed.
extension ShardMachine {
  public init(id: MachineID, snapshot reader: inout ByteReader) {
    self.init(id: id)
    if !reader.bool() { return }
    guard let market = try? MarketDefinition(decoding: reader.blob()), host(market) else {
      reader.fail()
      return
    }
    definition = market.encoded
    for _ in 0..<reader.itemCount(minimumSize: 100) where !reader.hasFailed {
      let count = listings.count
      take(InstrumentListing(instrument: Instrument(from: &reader)))
      if listings.count != count + 1 { reader.fail() }
    }
    epoch = Epoch(from: &reader)
    now = Timestamp(from: &reader)
    riskHeard = Timestamp(from: &reader)
    marksHeard = Timestamp(from: &reader)
    nextHeartbeat = Timestamp(from: &reader)
    arrivals = reader.u64()
    requests = reader.u64()
    fillNumber = reader.u64()
    marksVersion = reader.u64()
    heartbeats = reader.u64()
    acceptedOperations = reader.u64()
    index = reader.i64()
    isHalted = reader.bool()
    streams = StreamNumbers(from: &reader)
    if now < .zero || now > Self.latest || arrivals >= 1 << 48 { reader.fail() }
    for place in 0..<books.count { readBook(place, &reader) }
    for _ in 0..<reader.itemCount(minimumSize: 116) where !reader.hasFailed { readAccount(&reader) }
    if accounts.count == 0 || accounts[Self.houseSlot].id != .house { reader.fail() }
    if reader.hasFailed { return }
    for _ in 0..<reader.itemCount(minimumSize: 22) where !reader.hasFailed { readPosition(&reader) }
    readOrders(&reader)
    readStops(&reader)
    for _ in 0..<reader.itemCount(minimumSize: 200) where !reader.hasFailed { readSweep(&reader) }
    for _ in 0..<reader.itemCount(minimumSize: 122) where !reader.hasFailed { readQueued(&reader) }
    for _ in 0..<reader.itemCount(minimumSize: 62) where !reader.hasFailed { readNonce(&reader) }
    for slot in 1..<orders.end { nonces.note(orders[slot].nonce, orders[slot].accountSlot) }
    // Waiting operations have called for their job already; the snapshot says where it stands.
    jobs = []
    for _ in 0..<reader.itemCount(minimumSize: 58) where !reader.hasFailed { readJob(&reader) }
    let fills = reader.blob()
    if fills.count % Fill.byteCount != 0 { reader.fail() }
    epochFills.bytes(fills)
    if reader.hasFailed { return }
    isOpened = true
    updateHeard()
    for book in 0..<books.count { updateGate(book) }
    updateWakeup()
  }

  private mutating func readBook(_ place: Int, _ reader: inout ByteReader) {
    books[place].marksVersion = reader.u64()
    books[place].mark = reader.i64()
    books[place].marginToBuy = reader.i64()
    books[place].marginToSell = reader.i64()
    books[place].bandLow = reader.i64()
    books[place].bandHigh = reader.i64()
    books[place].delta = reader.i64()
    books[place].vega = reader.i64()
    books[place].settlementIndex = reader.i64()
    books[place].last = reader.i64()
    books[place].auctionTick = reader.i64()
    books[place].auctionVolume = reader.i64()
    books[place].deltas = reader.u64()
    books[place].isSettling = reader.bool()
    books[place].isSettled = reader.bool()
    books[place].hasTraded = reader.bool()
    books[place].state = reader.enumeration(TradingState.self, otherwise: .open)
    books[place].auctionEnd = Timestamp(from: &reader)
    books[place].indicativeAt = Timestamp(from: &reader)
    let book = books[place]
    if book.mark < 0 || book.marginToBuy < 0 || book.marginToSell < 0 || book.settlementIndex < 0 || book.last < 0
      || book.mark == 0 && book.marksVersion != 0 && book.contract.settlement == .inverse
      || max(book.delta.magnitude, book.vega.magnitude) > ShardMarks.largestGreek
      || book.auctionTick < -1 || book.auctionTick > Self.highestTick || book.auctionVolume < 0
    {
      reader.fail()
    }
    if book.state == .auction { startAuctionTimers(place) }
    if book.state == .uncrossing { auctions[place] = readAuction(&reader) }
  }

  private func readAuction(_ reader: inout ByteReader) -> Auction {
    var auction = Auction()
    auction.isMatched = reader.bool()
    if !reader.bool() { return auction }
    var search = PriceSearch()
    (search.bid, search.ask) = (reader.i64(), reader.i64())
    (search.bidRest, search.askRest, search.volume) = (reader.i64(), reader.i64(), reader.i64())
    (search.lowestBid, search.highestAsk) = (reader.i64(), reader.i64())
    let ticks = [search.bid, search.ask, search.lowestBid, search.highestAsk]
    if ticks.contains(where: { $0 < -1 || $0 > Self.highestTick })
      || min(search.bidRest, search.askRest) != 0 || max(search.bidRest, search.askRest) > Contract.largestSum
      || search.volume < 0 || (search.volume == 0) != (search.lowestBid < 0)
      || (search.lowestBid < 0) != (search.highestAsk < 0)
    {
      reader.fail()
    }
    auction.search = search
    return auction
  }

  private mutating func readAccount(_ reader: inout ByteReader) {
    let account = AccountID(from: &reader)
    if accounts.count > 0, accounts[Slot(accounts.count)].id >= account { return reader.fail() }
    let slot = addAccount(account)
    accounts[slot].group = AccountID(from: &reader)
    accounts[slot].ceiling = reader.i64()
    accounts[slot].consumed = reader.i64()
    accounts[slot].owner = Address(from: &reader)
    accounts[slot].chargeMultiplier = reader.u32()
    accounts[slot].restrictions = Account.Restrictions(rawValue: reader.u32())
    accounts[slot].isKilledByOperator = reader.bool()
    accounts[slot].creditVersion = reader.u64()
    accounts[slot].freezeID = reader.u64()
    accounts[slot].liquidationStep = reader.u64()
    accounts[slot].liquidationFilled = reader.i64()
    accounts[slot].liquidationOutcome = reader.enumeration(Outcome.self, otherwise: .malformed)
    accounts[slot].deadMan = Timestamp(from: &reader)
    accounts[slot].quotesFrozenUntil = Timestamp(from: &reader)
    accounts[slot].quotesOut = reader.u64()
    if accounts[slot].deadMan != .never { armDeadMan(slot) }
    for place in currencies.indices {
      let amount = reader.i64()
      if amount.magnitude > UInt64(Contract.largestSum) { return reader.fail() }
      ledger[slot, place] = amount
      if amount != 0, !accounts[slot].movedInEpoch {
        accounts[slot].movedInEpoch = true
        movedAccounts.append(slot)
      }
    }
    if accounts[slot].consumed < 0 || accounts[slot].consumed > accounts[slot].ceiling { reader.fail() }
    for _ in 0..<reader.itemCount(minimumSize: 142) where !reader.hasFailed {
      let request = reader.u64()
      let charge = reader.i64()
      let deadline = Timestamp(from: &reader)
      guard let deferral = readDeferral(&reader), deferral.origin.accountSlot == slot else { return reader.fail() }
      enlistHeld(HeldOrder(request: request, deferral: deferral, charge: charge, deadline: deadline))
    }
    if !reader.bool() || reader.hasFailed { return }
    let limits = [reader.i64(), reader.i64(), reader.i64()]
    if limits.contains(where: { $0 < 0 }) { return reader.fail() }
    let protection = protections.insert(
      Protection(quantityLimit: limits[0], deltaLimit: limits[1], vegaLimit: limits[2], times: reader.u64()))
    accounts[slot].protection = protection
    var sums: (Int128, Int128, Int128) = (0, 0, 0)
    for _ in 0..<reader.itemCount(minimumSize: 32) where !reader.hasFailed {
      let fill = ProtectionFill(
        stamp: Timestamp(from: &reader), quantity: reader.i64(), delta: reader.i64(), vega: reader.i64())
      sums = (sums.0 + Int128(fill.quantity), sums.1 + Int128(fill.delta), sums.2 + Int128(fill.vega))
      let isWithin = [sums.0, sums.1, sums.2].allSatisfy { Int64(exactly: $0) != nil }
      if !isWithin { return reader.fail() }
      enter(fill, protection)
    }
  }

  private mutating func readDeferral(_ reader: inout ByteReader) -> Deferral? {
    let account = accountSlot(AccountID(from: &reader))
    let key = reader.u16()
    let index = reader.u16()
    let nonce = reader.u64()
    let sequence = SequenceNumber(from: &reader)
    let session = reader.u64()
    let generation = reader.u64()
    let isTrade = reader.bool()
    let origin = Origin(
      accountSlot: account, key: key, isTrade: isTrade, nonce: nonce, session: session, generation: generation,
      maximumFee: reader.i64(), sequence: sequence)
    let isTriggered = reader.bool()
    let nameNonce = reader.u64()
    let nameIndex = reader.u16()
    var deferral = Deferral(origin: origin, index: index, operation: Operation(from: &reader))
    deferral.isTriggered = isTriggered
    deferral.nameNonce = nameNonce
    deferral.nameIndex = nameIndex
    return account == 0 || reader.hasFailed ? nil : deferral
  }

  private mutating func readPosition(_ reader: inout ByteReader) {
    let account = accountSlot(AccountID(from: &reader))
    let book = Int(reader.u16())
    let lots = reader.i64()
    let atStart = reader.i64()
    guard account != 0, book < books.count, positionSlot(account, book) == 0,
      max(lots.magnitude, atStart.magnitude) <= UInt64(books[book].contract.largestPosition)
    else { return reader.fail() }
    let slot = addPosition(account, book)
    positions[slot].lots = lots
    positions[slot].lotsAtEpochStart = atStart
    relist(slot, before: 0)
    if lots != atStart {
      positions[slot].movedInEpoch = true
      movedPositions.append(slot)
    }
  }

  /// Orders come by level and priority, each of which is by number, so that in order of number they enter their levels
  /// as they stood, and in order of arrival their accounts' lists.
  private mutating func readOrders(_ reader: inout ByteReader) {
    var read: [(order: RestingOrder, extra: OrderExtra, arrival: UInt64)] = []
    for _ in 0..<reader.itemCount(minimumSize: 107) where !reader.hasFailed {
      let name = OrderID(from: &reader)
      let account = accountSlot(name.account)
      let book = reader.u16()
      let rank = reader.u32()
      let traits = RestingOrder.Traits(rawValue: reader.u32())
      let number = reader.u64()
      let arrival = reader.u64()
      let lots = reader.i64()
      let reserved = reader.i64()
      var extra = OrderExtra()
      extra.hidden = reader.i64()
      extra.display = reader.i64()
      extra.expiry = reader.u32()
      extra.label = reader.u32()
      extra.clientID = reader.u64()
      extra.diesWithSession = reader.bool()
      extra.session = reader.u64()
      extra.generation = reader.u64()
      extra.arrival = arrival
      let isIceberg = traits.contains(.iceberg)
      guard account != 0, Int(book) < books.count, rank < BookSide.span, number > 0, number <= arrivals,
        arrival > 0, isIceberg ? arrival <= number : arrival == number, lots > 0, reserved >= 0, extra.hidden >= 0,
        lots + extra.hidden <= books[Int(book)].contract.maximumLots, isIceberg == (extra.display > 0),
        isIceberg || extra.hidden == 0, traits.contains(.expires) == (extra.expiry != 0)
      else { return reader.fail() }
      let order = RestingOrder(
        nonce: name.nonce, accountSlot: account, key: name.key.rawValue, index: name.index, book: book,
        number: number, rank: rank, traits: traits, extra: 0, lots: lots, reserved: reserved)
      read.append((order, extra, arrival))
    }
    read.sort { $0.order.number < $1.order.number }
    var last: UInt64 = 0
    var linked: [(arrival: UInt64, slot: Slot)] = []
    for (order, extra, arrival) in read {
      let account = order.accountSlot
      let (used, overflow) = accounts[account].used.addingReportingOverflow(order.reserved)
      let level = books.side(Int(order.book), order.side).pointee.lots(order.rank)
      guard order.number != last, openOrder(account, order.key, order.nonce, order.index) == 0, !overflow,
        used <= accounts[account].ceiling,
        level + books[Int(order.book)].hiddenLots <= Contract.largestSum - order.lots - extra.hidden,
        extra.clientID == 0 || clientSlot(account, extra.clientID) == 0
      else { return reader.fail() }
      last = order.number
      accounts[account].reserved += order.reserved
      linked.append((arrival, restore(order, extra)))
    }
    linked.sort { $0.arrival < $1.arrival }
    for (_, slot) in linked {
      link(slot)
      let extra = orders[slot].extra
      if extra != 0, extras[extra].diesWithSession { joinSession(extra) }
    }
  }

  private mutating func restore(_ order: RestingOrder, _ extra: OrderExtra) -> Slot {
    let slot = orders.insert(order)
    let book = Int(order.book)
    books.map(book, order.side)
    let needsExtra =
      extra.expiry != 0 || extra.diesWithSession || order.isReduceOnly || extra.label != 0 || extra.clientID != 0
      || order.isIceberg || order.isQuote || order.traits.contains(.auctionOnly)
    if needsExtra {
      var extra = extra
      let diesWithSession = extra.diesWithSession
      extra.order = slot
      if !order.isIceberg { extra.arrival = 0 }
      // Sessions are joined in order of arrival, when all orders are there.
      extra.diesWithSession = false
      attach(extra, to: slot)
      extras[orders[slot].extra].diesWithSession = diesWithSession
      if extra.hidden != 0 { hide(extra.hidden, of: order) }
    }
    books.side(book, order.side).pointee.append(slot, orders.base)
    register(slot)
    let tick = BookSide.tick(order.side, order.rank)
    let weight = BookDelta.weight(of: order.side, Price(units: tick &* books[book].contract.tickSize))
    books[book].checksum &+= UInt64(bitPattern: order.lots) &* weight
    return slot
  }

  private mutating func readStops(_ reader: inout ByteReader) {
    let count = reader.itemCount(minimumSize: 56)
    if count > books.count { return reader.fail() }
    for book in 0..<count where !reader.hasFailed {
      for slot in readStopRun(book, &reader) where !stops[slot].watch.trails {
        watchFor(slot, stops[slot].watch, book)
      }
      for place in 0..<Watch.count {
        for _ in 0..<reader.itemCount(minimumSize: 21) where !reader.hasFailed {
          let hasExtreme = reader.bool()
          let extreme = reader.i64()
          let first = reader.u64()
          var root: Slot = 0
          let slots = readStopRun(book, &reader)
          for slot in slots { root = TriggerTree(stops).insert(slot, into: root) }
          if slots.isEmpty { return reader.fail() }
          triggers[book].trailing[place].append(
            TrailingGroup(extreme: hasExtreme ? extreme : nil, firstArrival: first, root: root))
        }
      }
      for _ in 0..<reader.itemCount(minimumSize: 4) where !reader.hasFailed {
        var root: Slot = 0
        let slots = readStopRun(book, &reader)
        for slot in slots { root = TriggerTree(stops).insert(slot, into: root) }
        if slots.isEmpty { return reader.fail() }
        triggers[book].fired.append(root)
      }
    }
    relinkStops()
  }

  private mutating func readStopRun(_ book: Int, _ reader: inout ByteReader) -> [Slot] {
    var run: [Slot] = []
    for _ in 0..<reader.itemCount(minimumSize: 138) where !reader.hasFailed {
      guard let deferral = readDeferral(&reader), OperationCode.stops.contains(deferral.operation.rawType),
        deferral.operation.triggerSource <= 2, self.book(of: deferral.operation.instrument).book == book,
        armedStop(
          deferral.origin.accountSlot, deferral.origin.key, deferral.origin.nonce, deferral.index) == 0
      else {
        reader.fail()
        return run
      }
      var stop = ArmedStop(deferral: deferral)
      stop.arrival = reader.u64()
      stop.expiry = reader.u32()
      stop.key = reader.i64()
      stop.book = UInt16(book)
      if stop.arrival == 0 || stop.arrival > arrivals { reader.fail() }
      enlistStop(stop)
      run.append(accounts[deferral.origin.accountSlot].newestStop)
    }
    return run
  }

  /// The lists of stops run from the newest, however they were read.
  private mutating func relinkStops() {
    var inSession = (1..<stops.end).map { stops[$0].extra }.filter { $0 != 0 && extras[$0].diesWithSession }
    inSession.sort { stops[extras[$0].stop].arrival < stops[extras[$1].stop].arrival }
    for extra in inSession { leaveSession(extra) }
    for extra in inSession { joinSession(extra) }
    for account in 1..<accounts.end where accounts[account].newestStop != 0 {
      var slots: [Slot] = []
      var slot = accounts[account].newestStop
      while slot != 0 {
        slots.append(slot)
        slot = stops[slot].older
      }
      slots.sort { stops[$0].arrival > stops[$1].arrival }
      accounts[account].newestStop = slots[0]
      for (place, slot) in slots.enumerated() {
        stops[slot].newer = place == 0 ? 0 : slots[place - 1]
        stops[slot].older = place == slots.count - 1 ? 0 : slots[place + 1]
      }
    }
    for book in triggers.indices where triggers[book].newest != 0 {
      var slots: [Slot] = []
      var slot = triggers[book].newest
      while slot != 0 {
        slots.append(slot)
        slot = stops[slot].olderInBook
      }
      slots.sort { stops[$0].arrival > stops[$1].arrival }
      triggers[book].newest = slots[0]
      for (place, slot) in slots.enumerated() {
        stops[slot].newerInBook = place == 0 ? 0 : slots[place - 1]
        stops[slot].olderInBook = place == slots.count - 1 ? 0 : slots[place + 1]
      }
    }
  }

  private mutating func readSweep(_ reader: inout ByteReader) {
    guard let deferral = readDeferral(&reader) else { return reader.fail() }
    let nonce = reader.u64()
    let index = reader.u16()
    let book = Int(reader.u16())
    let side = reader.enumeration(Side.self, otherwise: .buy)
    let account = deferral.origin.accountSlot
    var taker = Taker(
      accountSlot: account, nonce: nonce, key: deferral.origin.key, index: index, book: book, side: side,
      limit: reader.u32(), lots: reader.i64(), reserved: reader.i64(), kind: .taker)
    taker.filled = reader.i64()
    taker.consumed = reader.i64()
    taker.kind = reader.enumeration(Fill.Kind.self, otherwise: .taker)
    taker.mode = reader.enumeration(Operation.SelfTradePrevention.self, otherwise: .unspecified)
    var candidate = Candidate(accountSlot: account, key: deferral.origin.key, index: index, nonce: nonce)
    candidate.book = book
    candidate.side = side
    candidate.mode = taker.mode
    candidate.tick = reader.i64()
    candidate.lots = reader.i64()
    candidate.display = reader.i64()
    candidate.isMarket = reader.bool()
    candidate.isImmediate = reader.bool()
    candidate.isReduceOnly = reader.bool()
    candidate.isQuote = reader.bool()
    candidate.isReplacement = reader.bool()
    candidate.diesWithSession = reader.bool()
    candidate.expiry = reader.u32()
    candidate.label = reader.u32()
    candidate.clientID = reader.u64()
    var sweep = Sweep(deferral: deferral, taker: taker, candidate: candidate)
    let hasPartner = reader.bool()
    let outcome = reader.enumeration(Outcome.self, otherwise: .quoted)
    let filled = reader.i64()
    if hasPartner { sweep.partner = Answer(outcome: outcome, filled: filled) }
    let (used, overflow) = accounts[account].used.addingReportingOverflow(taker.reserved)
    guard book < books.count, books[book].sweep == 0, taker.limit < BookSide.span, taker.lots > 0,
      taker.reserved >= 0, taker.filled >= 0, taker.lots <= books[book].contract.maximumLots, !overflow,
      used <= accounts[account].ceiling, candidate.tick >= 0, candidate.tick <= Self.highestTick,
      candidate.display >= 0
    else { return reader.fail() }
    accounts[account].reserved += taker.reserved
    enlistSweep(sweep)
  }

  private mutating func readQueued(_ reader: inout ByteReader) {
    guard let deferral = readDeferral(&reader) else { return reader.fail() }
    let book = reader.u32()
    if book != Job.everyBook && Int(book) >= books.count { return reader.fail() }
    enlistQueued(QueuedOperation(deferral: deferral, book: book))
  }

  private mutating func readNonce(_ reader: inout ByteReader) {
    let account = accountSlot(AccountID(from: &reader))
    let key = reader.u16()
    let count = reader.u16()
    let nonce = reader.u64()
    let record = NonceRecord(
      nonce: nonce, accountSlot: account, key: key, count: count, content: reader.u64(),
      sequence: SequenceNumber(from: &reader), stamp: Timestamp(from: &reader), term: Term(from: &reader))
    let second = reader.i64()
    guard account != 0, count >= 1, Int(count) <= SignedActionHeader.maximumOperations, second >= 0,
      nonces.find(account, key, nonce) == 0
    else { return reader.fail() }
    let slot = nonces.insert(record, expiring: second).slot
    accounts[account].liveNonces += 1
    for place in 0..<Int(count) {
      let outcome = reader.enumeration(Outcome.self, otherwise: .malformed)
      nonces.setResult(slot, place, outcome, filled: reader.i64())
    }
  }

  private mutating func readJob(_ reader: inout ByteReader) {
    let kind = Job.Kind(rawValue: reader.u8())
    let account = AccountID(from: &reader)
    let slot = account == AccountID(.max) ? 0 : accountSlot(account)
    let book = reader.u32()
    var job = Job(kind: kind ?? .takeUp, accountSlot: slot, book: book)
    job.arrival = reader.u64()
    job.stopArrival = reader.u64()
    job.number = reader.u64()
    job.generation = reader.u64()
    job.amount = reader.i64()
    job.outcome = reader.enumeration(Outcome.self, otherwise: .cancelled)
    job.scope = reader.enumeration(Operation.Scope.self, otherwise: .everything)
    job.flags = reader.u16()
    job.label = reader.u32()
    jobsStarted &+= 1
    job.id = jobsStarted
    guard let kind else { return reader.fail() }
    let needsAccount = kind == .cancel || kind == .recall || kind == .freeze
    let needsBook = kind == .settle || kind == .fire || kind == .sweep || kind == .uncross
    let isHosted = Int(book) < books.count
    if needsAccount && slot == 0 || !isHosted && (needsBook || book != Job.everyBook) { return reader.fail() }
    if kind == .fire {
      if triggers.count <= Int(book) {
        triggers.append(contentsOf: repeatElement(TriggerBook(), count: books.count - triggers.count))
      }
      triggers[Int(book)].isFiring = true
    }
    if job.isMassCancel {
      job.order = newestOrder(of: job)
      job.stop = newestStop(of: job)
      awaitNext(job)
    }
    jobs.append(job)
  }
}
