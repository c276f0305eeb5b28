import Market

/// A shard's instruments with the last marks that a bot knows.
package struct ShardQuotes {
  package let shard: ShardID
  package private(set) var quotes: [Workload.Quote]
  private var places: [InstrumentID: Int] = [:]
  private var turn = -1

  package init(_ shard: ShardID, _ market: MarketDefinition) {
    self.shard = shard
    quotes = []
    list(market)
  }

  /// Takes the shard's instruments that it does not have yet: what was listed meanwhile. Marks follow.
  package mutating func list(_ market: MarketDefinition) {
    for instrument in market.instruments(of: shard) where places[instrument.id] == nil {
      places[instrument.id] = quotes.count
      quotes.append(Workload.Quote(instrument: instrument, mark: nil))
    }
  }

  package var isQuoted: Bool { quotes.contains { $0.mark != nil } }
  func place(of instrument: InstrumentID) -> Int? { places[instrument] }
  package subscript(place: Int) -> Workload.Quote { _read { yield quotes[place] } }

  /// How many ticks a price lies behind its instrument's mark, seen from the side; 0 without a mark.
  func ticksBehind(_ price: Price, _ side: Side, at place: Int) -> Int64 {
    guard let mark = quotes[place].mark else { return 0 }
    return side.sign * ((mark.units - price.units) / quotes[place].instrument.tickSize.units)
  }

  /// The instrument whose turn it is to get an order: each in order, whichever account asks, so that all are touched;
  /// those without a mark are passed over. `nil` when none has one.
  package mutating func next() -> Workload.Quote? {
    for _ in quotes.indices {
      turn = (turn + 1) % quotes.count
      if quotes[turn].mark != nil { return quotes[turn] }
    }
    return nil
  }

  /// Takes the newest marks; an instrument that they leave out is not quoted until it is back.
  package mutating func take(_ marks: ShardMarks) {
    for place in quotes.indices { quotes[place].mark = nil }
    for entry in marks.entries {
      guard let place = places[entry.instrument] else { continue }
      quotes[place].mark = entry.mark
      quotes[place].bandLow = entry.bandLow
      quotes[place].bandHigh = entry.bandHigh
    }
  }
}
