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
    for place in 0..<books.count { readBook(place, &reader) }
    for _ in 0..<reader.itemCount(minimumSize: 84) where !reader.hasFailed { readAccount(&reader) }
    if accounts.count == 0 || accounts[Self.houseSlot].id != .house { reader.fail() }
    if reader.hasFailed { return }
    for _ in 0..<reader.itemCount(minimumSize: 22) where !reader.hasFailed { readPosition(&reader) }
    readOrders(&reader)
    for _ in 0..<reader.itemCount(minimumSize: 62) where !reader.hasFailed { readNonce(&reader) }
    for _ in 0..<reader.itemCount(minimumSize: 41) where !reader.hasFailed { readJob(&reader) }
    let fills = reader.blob()
    if fills.count % Fill.byteCount != 0 { reader.fail() }
    epochFills.bytes(fills)
    if now < .zero || now > Self.latest { reader.fail() }
    if reader.hasFailed { return }
    isOpened = true
    updateWakeup()
  }

  private mutating func readBook(_ place: Int, _ reader: inout ByteReader) {
    books[place].marksVersion = reader.u64()
    books[place].mark = reader.i64()
    books[place].marginToBuy = reader.i64()
    books[place].marginToSell = reader.i64()
    books[place].bandLow = reader.i64()
    books[place].bandHigh = reader.i64()
    books[place].deltas = reader.u64()
    books[place].isSettling = reader.bool()
    books[place].isSettled = reader.bool()
    books[place].settlementIndex = reader.i64()
    let book = books[place]
    if book.mark < 0 || book.marginToBuy < 0 || book.marginToSell < 0 || book.settlementIndex < 0
      || book.mark == 0 && book.marksVersion != 0 && book.contract.settlement == .inverse
    {
      reader.fail()
    }
  }

  private mutating func readAccount(_ reader: inout ByteReader) {
    let account = AccountID(from: &reader)
    if accounts.count > 0, accounts[Slot(accounts.count)].id >= account { return reader.fail() }
    let slot = addAccount(account)
    accounts[slot].ceiling = reader.i64()
    accounts[slot].consumed = reader.i64()
    accounts[slot].owner = Address(from: &reader)
    accounts[slot].chargeMultiplier = reader.u32()
    accounts[slot].isOpen = reader.bool()
    accounts[slot].isFrozen = reader.bool()
    accounts[slot].creditVersion = reader.u64()
    accounts[slot].freezeID = reader.u64()
    accounts[slot].liquidationStep = reader.u64()
    accounts[slot].liquidationFilled = reader.i64()
    accounts[slot].liquidationOutcome = reader.enumeration(Outcome.self, otherwise: .malformed)
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
    for _ in 0..<reader.itemCount(minimumSize: 133) where !reader.hasFailed {
      let order = HeldOrder(
        request: reader.u64(), accountSlot: slot, key: reader.u16(), index: reader.u16(), nonce: reader.u64(),
        sequence: SequenceNumber(from: &reader), session: reader.u64(), generation: reader.u64(),
        isTrade: reader.bool(), maximumFee: reader.i64(), charge: reader.i64(), deadline: Timestamp(from: &reader),
        operation: Operation(from: &reader))
      enlistHeld(order)
    }
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
    if lots != atStart {
      positions[slot].movedInEpoch = true
      movedPositions.append(slot)
    }
  }

  /// Orders come by level and priority; entered again by age they stand in the same levels, and in their accounts'
  /// lists.
  private mutating func readOrders(_ reader: inout ByteReader) {
    var read: [(order: RestingOrder, extra: OrderExtra?)] = []
    for _ in 0..<reader.itemCount(minimumSize: 71) where !reader.hasFailed {
      let name = OrderID(from: &reader)
      let account = accountSlot(name.account)
      let book = reader.u16()
      let side = reader.enumeration(Side.self, otherwise: .buy)
      let rank = reader.u32()
      let arrival = reader.u64()
      let lots = reader.i64()
      let reserved = reader.i64()
      let isReduceOnly = reader.bool()
      let extra = OrderExtra(
        expiry: reader.u32(), session: 0, generation: 0, diesWithSession: reader.bool())
      let session = reader.u64()
      let generation = reader.u64()
      guard account != 0, Int(book) < books.count, rank < BookSide.span, arrival > 0, arrival <= arrivals,
        arrivals < 1 << 48, lots > 0, lots <= books[Int(book)].contract.maximumLots, reserved >= 0
      else { return reader.fail() }
      let needsExtra = extra.expiry != 0 || extra.diesWithSession || isReduceOnly
      var whole = extra
      whole.session = session
      whole.generation = generation
      let order = RestingOrder(
        nonce: name.nonce, accountSlot: account, key: name.key.rawValue, index: name.index, book: book,
        arrival: arrival, rank: rank, side: side, isReduceOnly: isReduceOnly, extra: 0, lots: lots, reserved: reserved)
      read.append((order, needsExtra ? whole : nil))
    }
    read.sort { $0.order.arrival < $1.order.arrival }
    var last: UInt64 = 0
    for (order, extra) in read {
      let account = order.accountSlot
      let (used, overflow) = accounts[account].used.addingReportingOverflow(order.reserved)
      let level = books.side(Int(order.book), order.side)?[order.rank].lots ?? 0
      guard order.arrival != last, openOrder(account, order.key, order.nonce, order.index) == 0, !overflow,
        used <= accounts[account].ceiling, level <= Contract.largestSum - order.lots
      else { return reader.fail() }
      last = order.arrival
      accounts[account].reserved += order.reserved
      let slot = orders.insert(order)
      if var extra {
        extra.order = slot
        attach(extra, to: slot)
      }
      enlist(slot)
    }
  }

  private mutating func readNonce(_ reader: inout ByteReader) {
    let account = accountSlot(AccountID(from: &reader))
    let key = reader.u16()
    let count = reader.u16()
    let record = NonceRecord(
      nonce: reader.u64(), accountSlot: account, key: key, count: count, hash: reader.u64(),
      sequence: SequenceNumber(from: &reader), stamp: Timestamp(from: &reader), term: Term(from: &reader))
    let second = reader.i64()
    guard account != 0, count >= 1, Int(count) <= SignedActionHeader.maximumOperations,
      nonces.find(account, key, record.nonce) == 0
    else { return reader.fail() }
    let slot = nonces.insert(record, expiring: second)
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
    let arrival = reader.u64()
    let number = reader.u64()
    let generation = reader.u64()
    let amount = reader.i64()
    guard let kind else { return reader.fail() }
    let needsAccount = kind != .sessionEnd && kind != .settle
    let isHosted = Int(book) < books.count
    if needsAccount && slot == 0 || !isHosted && (kind == .settle || book != Job.everyBook) { return reader.fail() }
    jobs.append(
      Job(
        kind: kind, accountSlot: slot, book: book, arrival: arrival, number: number, generation: generation,
        amount: amount))
  }
}
