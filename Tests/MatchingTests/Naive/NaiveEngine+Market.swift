import Bytes
import Machine
import Market

// Genesis, listing, marks, and what they say about prices.
extension NaiveEngine {
  mutating func open(_ payload: UnsafeRawBufferPointer, at stamp: Timestamp) {
    guard let market = try? MarketDefinition(decoding: payload) else { return }
    let hosted = market.instruments.filter { $0.shard == shard }
    guard hosted.count <= 65_536, Set(hosted.map(\.underlying)).count <= 1, hosted.allSatisfy(Self.isHostable)
    else { return }
    parameters = market.parameters
    for instrument in market.instruments { list(instrument) }
    now = min(max(stamp, .zero), Self.latest)
    nextHeartbeat = now + heartbeatInterval
    var house = NaiveAccount(id: .house, group: .house)
    house.owner = parameters.operatorAddress
    house.isOpen = parameters.operatorAddress != .zero
    accounts = [house]
    isOpened = true
  }

  private static func isHostable(_ instrument: Instrument) -> Bool {
    instrument.strike.units >= 0 && instrument.expiry.nanoseconds >= 0
  }

  private mutating func list(_ instrument: Instrument) {
    var book: Int?
    let isOurs = underlying == nil || underlying == instrument.underlying
    if instrument.shard == shard, isOurs, books.count < 65_536, Self.isHostable(instrument) {
      underlying = instrument.underlying
      book = books.count
      books.append(NaiveBook(instrument: instrument))
    }
    listed.append((instrument.underlying, instrument.shard, book))
  }

  mutating func take(_ listing: InstrumentListing) {
    if Int(listing.instrument.id.rawValue) == listed.count { list(listing.instrument) }
  }

  /// Shards that host instruments of the shard's underlying.
  var hostingShards: Int {
    Set(listed.filter { $0.underlying == underlying }.map(\.shard)).count
  }

  var heartbeatInterval: Interval { max(parameters.heartbeatInterval, .milliseconds(1)) }

  /// The book of an instrument, or why there is none here.
  func book(of instrument: InstrumentID) -> (book: Int?, refusal: Outcome) {
    if Int(instrument.rawValue) >= listed.count { return (nil, .unknownInstrument) }
    return (listed[Int(instrument.rawValue)].book, .wrongShard)
  }

  /// A newer publication replaces the marks in force; instruments that it leaves out have none.
  mutating func takeMarks(_ payload: UnsafeRawBufferPointer) {
    guard let marks = try? ShardMarks(decoding: payload) else { return }
    marksHeard = max(marksHeard, marks.stamp)
    guard marks.version > marksVersion else { return }
    marksVersion = marks.version
    index = marks.index.units
    for entry in marks.entries {
      guard let place = book(of: entry.instrument).book else { continue }
      if entry.mark == .zero, books[place].instrument.settlement == .inverse { continue }
      books[place].marksVersion = marks.version
      books[place].mark = entry.mark.units
      books[place].marginToBuy = entry.marginToBuy.units
      books[place].marginToSell = entry.marginToSell.units
      books[place].bandLow = entry.bandLow.units
      books[place].bandHigh = entry.bandHigh.units
      books[place].delta = entry.delta
      books[place].vega = entry.vega
    }
    for place in books.indices where books[place].marksVersion == marksVersion {
      lookAtSources(place, [.mark, .index])
    }
  }

  func hasMark(_ book: Int) -> Bool { marksVersion != 0 && books[book].marksVersion == marksVersion }
}

// Prices of the ladder.
extension NaiveEngine {
  /// The highest price that the ladder has.
  private func top(_ book: Int) -> Int64 {
    Int64(clamping: Int128(books[book].instrument.tickSize.units) * ((1 << 22) - 1))
  }
  private func lowest(_ book: Int) -> Int64 {
    let instrument = books[book].instrument
    return instrument.settlement == .inverse ? instrument.tickSize.units : 0
  }

  /// The highest valid price that is not above `price`.
  func validPrice(atOrBelow price: Int64, _ book: Int) -> Int64? {
    let capped = min(price, top(book))
    if capped < lowest(book) { return nil }
    let valid = capped - capped % books[book].instrument.tick(at: Price(units: capped)).units
    return valid < lowest(book) ? nil : valid
  }

  /// The lowest valid price that is not below `price`.
  func validPrice(atOrAbove price: Int64, _ book: Int) -> Int64? {
    let raised = max(price, lowest(book))
    if raised > top(book) { return nil }
    let tick = books[book].instrument.tick(at: Price(units: raised)).units
    let rest = raised % tick
    let (valid, overflow) = raised.addingReportingOverflow(rest == 0 ? 0 : tick - rest)
    return overflow || valid > top(book) ? nil : valid
  }

  /// Whether a limit may stand in the book, bands apart.
  func refusal(ofLimit price: Int64, _ book: Int) -> Outcome? {
    let instrument = books[book].instrument
    if price < 0 { return .priceOutOfRange }
    if price % instrument.tickSize.units != 0 { return .priceOffTick }
    if price > top(book) || price < lowest(book) { return .priceOutOfRange }
    if price % instrument.tick(at: Price(units: price)).units != 0 { return .priceOffTick }
    return nil
  }

  /// Where a market order stops: the last valid price inside the band.
  func bandEdge(_ side: Side, _ book: Int) -> Int64? {
    let low = books[book].bandLow
    let high = books[book].bandHigh
    let edge = side == .buy ? validPrice(atOrBelow: high, book) : validPrice(atOrAbove: low, book)
    guard let edge, edge >= low, edge <= high else { return nil }
    return edge
  }
}
