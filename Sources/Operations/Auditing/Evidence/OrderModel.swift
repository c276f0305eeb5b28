import Market

/// An order as its signed operation says it.
struct OrderTerms {
  var instrument: InstrumentID
  var side: Side
  /// `nil` for a market order.
  var limit: Price?
  /// Open lots; for a reduce-only order that has not filled yet, at most so many.
  var lots: Int64
  /// From when on it may not trade; `.never` without an expiry.
  var expiry: Timestamp
  /// Where it stands in time, from 1.
  var arrival: UInt64 = 0

  /// `nil` for an operation that places nothing. `placed` is the stamp of its action.
  init?(_ operation: Operation, _ market: MarketDefinition, placed: Timestamp) {
    guard let side = operation.side, let instrument = market[operation.instrument] else { return nil }
    self.instrument = operation.instrument
    self.side = side
    limit = operation.type == .market ? nil : operation.price
    lots = operation.quantity.units / instrument.lotSize.units
    switch operation.timeInForce {
    case .goodTillDate: expiry = Timestamp(seconds: Int64(operation.expiry))
    case .day: expiry = Self.endOfDay(placed)
    default: expiry = .never
    }
  }

  /// The next 08:00 UTC.
  private static func endOfDay(_ stamp: Timestamp) -> Timestamp {
    let (day, opening): (Int64, Int64) = (86_400, 28_800)
    var end = stamp.seconds / day * day + opening
    if end <= stamp.seconds { end += day }
    return Timestamp(seconds: end)
  }
}

/// The resting orders of one shard by the auditor's own book-keeping: what is open, and who comes first at each price.
///
/// A level's queue holds names; one whose order has gone, or was placed anew, is skipped when it comes up.
struct OrderModel {
  private struct Level {
    var price: Price
    var queue: [(order: OrderID, arrival: UInt64)] = []
    var head = 0
  }
  private struct Ladder: Hashable {
    var instrument: InstrumentID
    var side: Side
  }

  private var orders: [OrderID: OrderTerms] = [:]
  /// Levels of one side, the best last.
  private var ladders: [Ladder: [Level]] = [:]
  private var arrivals: UInt64 = 0

  subscript(order: OrderID) -> OrderTerms? { orders[order] }

  /// Puts an order last at its price.
  mutating func rest(_ order: OrderID, _ terms: OrderTerms) {
    guard let price = terms.limit else { return }
    arrivals += 1
    var terms = terms
    terms.arrival = arrivals
    orders[order] = terms
    let ladder = Ladder(instrument: terms.instrument, side: terms.side)
    var levels = ladders.removeValue(forKey: ladder) ?? []
    let place = Self.place(of: price, in: levels, terms.side)
    if place == levels.count || levels[place].price != price { levels.insert(Level(price: price), at: place) }
    levels[place].queue.append((order, arrivals))
    ladders[ladder] = levels
  }

  mutating func remove(_ order: OrderID) { orders[order] = nil }
  mutating func setLots(_ order: OrderID, _ lots: Int64) {
    if lots > 0 { orders[order]?.lots = lots } else { orders[order] = nil }
  }

  /// Whose turn it is on a side; `nil` when nothing rests there.
  mutating func first(_ instrument: InstrumentID, _ side: Side) -> (order: OrderID, terms: OrderTerms)? {
    let ladder = Ladder(instrument: instrument, side: side)
    guard var levels = ladders.removeValue(forKey: ladder) else { return nil }
    defer { ladders[ladder] = levels }
    while !levels.isEmpty {
      let last = levels.count - 1
      while levels[last].head < levels[last].queue.count {
        let (order, arrival) = levels[last].queue[levels[last].head]
        if let terms = orders[order], terms.arrival == arrival { return (order, terms) }
        levels[last].head += 1
      }
      levels.removeLast()
    }
    return nil
  }

  /// Drops the names of orders that are gone, wherever they stand.
  mutating func compact() {
    for ladder in ladders.keys {
      var levels = ladders.removeValue(forKey: ladder) ?? []
      for place in levels.indices {
        levels[place].queue.removeAll { orders[$0.order]?.arrival != $0.arrival }
        levels[place].head = 0
      }
      levels.removeAll { $0.queue.isEmpty }
      ladders[ladder] = levels
    }
  }

  /// Bids ascend, asks descend: the best is the last.
  private static func place(of price: Price, in levels: [Level], _ side: Side) -> Int {
    var low = 0
    var high = levels.count
    while low < high {
      let middle = (low + high) / 2
      let isBefore = side == .buy ? levels[middle].price < price : levels[middle].price > price
      if isBefore { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
