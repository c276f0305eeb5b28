import Bytes
import Machine
import Market

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
    isOpened = true
  }

  /// Takes the shard's part of the market; false if it cannot be hosted.
  mutating func host(_ market: MarketDefinition) -> Bool {
    let hosted = market.instruments(of: shard)
    let underlyings = Set(hosted.map(\.underlying))
    guard hosted.count <= BookSet.mostBooks, underlyings.count <= 1,
      hosted.allSatisfy({ $0.strike.units >= 0 && $0.expiry.nanoseconds >= 0 })
    else { return false }
    parameters = market.parameters
    underlying = hosted.first?.underlying
    instruments = hosted
    bookOfInstrument = [UInt32](repeating: 0, count: market.instruments.count)
    for (book, instrument) in hosted.enumerated() { bookOfInstrument[Int(instrument.id.rawValue)] = UInt32(book + 1) }
    currencies = Set(hosted.map(\.settlementCurrency)).sorted()
    currencyOfBook = hosted.map { instrument in currencies.firstIndex(of: instrument.settlementCurrency) ?? 0 }
    books = BookSet(hosted)
    ledger = LedgerDeltas(currencies: currencies.count)
    return true
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
  @inline(__always) func accountSlot(_ account: AccountID) -> Slot {
    let base = accounts.base
    return accountTable.find(accountTable.hash(UInt64(account.rawValue))) { base[Int($0)].id == account }
  }

  mutating func addAccount(_ account: AccountID) -> Slot {
    let slot = accounts.insert(Account(id: account))
    accountTable.insert(accountTable.hash(UInt64(account.rawValue)), slot)
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
    positionTable.insert(positionTable.hash(UInt64(account), UInt64(book)), slot)
    return slot
  }
}
