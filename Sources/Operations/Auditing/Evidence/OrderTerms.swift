import Market

/// An order as its signed operation says it.
struct OrderTerms {
  var instrument: InstrumentID
  var side: Side
  /// `nil` for an order that takes the market's price.
  var limit: Price?
  /// It may rest at a price better for others than its limit.
  var isSliding: Bool
  /// Open lots, hidden ones included; where they may have shrunk unseen (reduce-only, self-trade), at most so many.
  var lots: Int64
  /// Lots that an iceberg shows at a time; `nil` for an order that shows itself whole.
  var display: Int64?
  /// From when on it may not trade; `.never` without an expiry.
  var expiry: Timestamp
  /// Its expiry is the end of the day in which it is placed.
  var isOfDay: Bool

  /// `nil` for an operation that places nothing. `placed` is the stamp of its action.
  init?(_ operation: Operation, _ market: MarketDefinition, placed: Timestamp) {
    guard let side = operation.side, let listed = market[operation.instrument] else { return nil }
    let hasLimit =
      switch operation.type {
      case .limit, .stopLimit, .takeProfitLimit: true
      case .market, .stopMarket, .takeProfitMarket, .trailingStop, nil: false
      }
    self.init(
      operation, listed, side, limit: hasLimit ? operation.price : nil, quantity: operation.quantity, placed: placed)
    if operation.displayQuantity > .zero, !operation.flags.contains(.minimumQuantity) {
      display = operation.displayQuantity.units / listed.lotSize.units
    }
  }

  /// One side of a quote; `nil` for one that it leaves empty.
  init?(_ side: Side, of quote: Operation, _ market: MarketDefinition, placed: Timestamp) {
    let quantity = side == .buy ? quote.quantity : quote.displayQuantity
    guard let listed = market[quote.instrument], quantity > .zero else { return nil }
    let price = side == .buy ? quote.price : quote.triggerPrice
    self.init(quote, listed, side, limit: price, quantity: quantity, placed: placed)
  }

  private init(
    _ operation: Operation, _ listed: Instrument, _ side: Side, limit: Price?, quantity: Quantity, placed: Timestamp
  ) {
    instrument = listed.id
    self.side = side
    self.limit = limit
    isSliding = operation.flags.contains(.slide)
    lots = quantity.units / listed.lotSize.units
    isOfDay = operation.timeInForce == .day
    switch operation.timeInForce {
    case .goodTillDate: expiry = Timestamp(seconds: Int64(operation.expiry))
    case .day: expiry = Self.endOfDay(placed)
    default: expiry = .never
    }
  }

  /// What the order is once it is placed, which may be long after it was asked for.
  func placed(at now: Timestamp) -> OrderTerms {
    var terms = self
    if isOfDay { terms.expiry = Self.endOfDay(now) }
    return terms
  }

  /// Whether a book change may tell of this order's coming to rest.
  func couldRest(as delta: BookDelta) -> Bool {
    guard instrument == delta.instrument, side == delta.side, delta.orderLots.count <= min(display ?? lots, lots) else {
      return false
    }
    guard let limit, limit != delta.price else { return true }
    return isSliding && (side == .buy ? delta.price < limit : delta.price > limit)
  }

  /// The next 08:00 UTC.
  private static func endOfDay(_ stamp: Timestamp) -> Timestamp {
    let (day, opening): (Int64, Int64) = (86_400, 28_800)
    var end = stamp.seconds / day * day + opening
    if end <= stamp.seconds { end += day }
    return Timestamp(seconds: end)
  }
}
