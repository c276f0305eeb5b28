import Bytes
import Machine
import Market

/// Where an instrument of the market trades.
struct Placement: BitwiseCopyable {
  var underlying: UnderlyingID
  var shard: ShardID
}

extension ShardMachine {
  /// Opens the shard with the market's definition; bytes that are none, or a market that the shard cannot host, are
  /// ignored, and the shard stays shut.
  mutating func open(_ payload: UnsafeRawBufferPointer, at stamp: Timestamp) {
    guard let market = try? MarketDefinition(decoding: payload), host(market) else { return }
    definition = [UInt8](payload)
    now = min(max(stamp, .zero), Self.latest)
    nextHeartbeat = now + heartbeatInterval
    wakeup = nextHeartbeat
    let house = addAccount(.house)
    assert(house == Self.houseSlot)
    openHouse()
    isOpened = true
  }

  /// Takes the shard's part of the market; false if it cannot be hosted.
  mutating func host(_ market: MarketDefinition) -> Bool {
    let hosted = market.instruments(of: shard)
    let underlyings = Set(hosted.map(\.underlying))
    guard hosted.count <= BookSet.mostBooks, underlyings.count <= 1, hosted.allSatisfy(Self.isHostable) else {
      return false
    }
    parameters = market.parameters
    feeRate = max(parameters.makerFee, parameters.takerFee)
    openNonces = parameters.liveNonces - parameters.liveNonces / 16
    // Far below the range of seconds, so that adding it to a time cannot overflow.
    signatureSeconds = max(0, parameters.signatureLifetime.nanoseconds / 1_000_000_000)
    stepBound = max(1, Int(parameters.stepBound))
    underlying = hosted.first?.underlying
    bookOfInstrument = [UInt32](repeating: 0, count: market.instruments.count)
    for (book, instrument) in hosted.enumerated() { bookOfInstrument[Int(instrument.id.rawValue)] = UInt32(book + 1) }
    currencies = Set(hosted.map(\.settlementCurrency)).sorted()
    ledger = LedgerDeltas(currencies: max(currencies.count, market.currencies.count))
    for instrument in hosted { host(instrument) }
    placements = market.instruments.map { Placement(underlying: $0.underlying, shard: $0.shard) }
    countNeighbours()
    return true
  }

  /// Gives an instrument its book.
  mutating func host(_ instrument: Instrument) {
    if underlying == nil { underlying = instrument.underlying }
    plainKey = underlying.map { UInt64($0.rawValue) << 32 } ?? .max
    instruments.append(instrument)
    // New currencies come last: the ledger's columns stay where they are.
    if !currencies.contains(instrument.settlementCurrency) { currencies.append(instrument.settlementCurrency) }
    books.append(instrument, currency: currencies.firstIndex(of: instrument.settlementCurrency) ?? 0)
    openPositions.append(contentsOf: repeatElement(PositionList(), count: 2))
  }

  /// Counts the shards that protection's limits are shared among.
  mutating func countNeighbours() {
    shardsOfUnderlying = Int64(max(1, Set(placements.filter { $0.underlying == underlying }.map(\.shard)).count))
  }

  static func isHostable(_ instrument: Instrument) -> Bool {
    instrument.strike.units >= 0 && instrument.expiry.nanoseconds >= 0
  }

  /// The operator signs for the house, if the market names one.
  mutating func openHouse() {
    if parameters.operatorAddress == .zero { return }
    accounts[Self.houseSlot].owner = parameters.operatorAddress
    accounts[Self.houseSlot].restrictions.remove(.unopened)
  }

  /// The configured interval, but never so short that it would fire without end.
  var heartbeatInterval: Interval { max(parameters.heartbeatInterval, .milliseconds(1)) }

  /// The book of an instrument, or why there is none here.
  @inline(__always) func book(of instrument: InstrumentID) -> (book: Int, refusal: Outcome?) {
    let place = Int(instrument.rawValue)
    if place >= bookOfInstrument.count { return (0, .unknownInstrument) }
    let book = bookOfInstrument[place]
    return book == 0 ? (0, .wrongShard) : (Int(book) - 1, nil)
  }
}

extension ShardMachine {
  /// The account's slot, or 0.
  @inline(__always) func accountSlot(_ account: AccountID) -> Slot { accountIndex.find(account, accounts.base) }

  mutating func addAccount(_ account: AccountID) -> Slot {
    let slot = accounts.insert(Account(id: account))
    accountIndex.insert(account, slot, accounts.base)
    ledger.reserve(slot)
    return slot
  }

  /// The slot of the account's position in the book, or 0 if it never had one.
  @inline(__always) func positionSlot(_ account: Slot, _ book: Int) -> Slot {
    let base = positions.base
    return positionTable.find(positionTable.hash(UInt64(account), UInt64(book))) {
      base[Int($0)].accountSlot == account && Int(base[Int($0)].book) == book
    }
  }

  @inline(__always) mutating func openPosition(_ account: Slot, _ book: Int) -> Slot {
    let slot = positionSlot(account, book)
    return slot != 0 ? slot : addPosition(account, book)
  }

  @inline(never) mutating func addPosition(_ account: Slot, _ book: Int) -> Slot {
    let slot = positions.insert(Position(accountSlot: account, book: UInt16(book)))
    let base = positions.base
    positionTable.insert(positionTable.hash(UInt64(account), UInt64(book)), slot) {
      (UInt64(base[Int($0)].accountSlot), UInt64(base[Int($0)].book))
    }
    return slot
  }
}
