import Market

/// One contract in floating point: what a unit of it is worth now and in each scenario.
struct InstrumentValuation {
  let instrument: Instrument
  /// USD per coin.
  let index: Double
  /// USD per coin for delivery at the contract's expiry; the index itself for a perpetual.
  let forward: Double
  /// Annual; zero unless an option.
  let volatility: Double
  let years: Double

  init(instrument: Instrument, index: Double, surface: UnderlyingSurface, now: Timestamp) throws(PricingRefusal) {
    self.instrument = instrument
    self.index = index
    let isPerpetual = instrument.kind == .perpetual
    years = isPerpetual ? 0 : now.years(until: instrument.expiry)
    forward = isPerpetual ? index : surface.forward(index: index, expiry: instrument.expiry, now: now)
    try PricingRefusal.require(forward, in: 1e-8...1e9, "forward")
    guard instrument.kind.isOption else {
      volatility = 0
      return
    }
    let strike = instrument.strike.dollars
    try PricingRefusal.require(strike, in: 1e-8...1e9, "strike")
    guard years > 0 else {
      volatility = 0
      return
    }
    guard let volatility = surface.volatility(strike: strike, expiry: instrument.expiry, index: index, now: now) else {
      throw PricingRefusal(field: "volatility", value: "missing", rule: "the surface needs a smile for options")
    }
    try PricingRefusal.require(volatility, in: SmilePoints.volatilities, "volatility")
    self.volatility = volatility
  }

  /// The mark in the contract's own quotation.
  func mark() throws(PricingRefusal) -> Double {
    switch (instrument.kind, instrument.settlement) {
    case (.perpetual, _), (.future, _): forward
    case (.call, .coin), (.put, .coin): try premium(forward: forward, volatility: volatility) / forward
    case (.call, _), (.put, _): try premium(forward: forward, volatility: volatility)
    }
  }

  /// Profit and loss of one unit of quantity held, in USD.
  func profitAndLoss(in scenario: Scenario, shocks: VolatilityShocks) throws(PricingRefusal) -> Double {
    let moved = forward * scenario.priceFactor
    let change: Double
    switch (instrument.kind, instrument.settlement) {
    case (_, .inverse):
      // −1/p coins at the scenario's own coin price: price and coin move together, dollars stay. The coins that the
      // trade paid are in the ledger, and carry the risk there.
      change = 0
    case (.perpetual, _), (.future, _):
      change = moved - forward
    case (.call, _), (.put, _):
      let shocked = shocks.shocked(volatility, scenario.volatility, days: years * 365)
      let difference =
        try premium(forward: moved, volatility: shocked) - premium(forward: forward, volatility: volatility)
      // A coin premium is USD premium over forward, times the scenario's coin price: the ratio of the two stays.
      change = instrument.settlement == .coin ? difference * (index / forward) : difference
    }
    return change * scenario.damping
  }

  /// How a unit of quantity moves, as market-maker protection adds it up: by its forward, in coins of the underlying
  /// (a future or perpetual of one coin is one; an inverse one of a dollar is the coins that a dollar is worth), and by
  /// one volatility point, in USD.
  func sensitivities() throws(PricingRefusal) -> (delta: Double, vega: Double) {
    guard instrument.kind.isOption else { return (instrument.settlement == .inverse ? 1 / forward : 1, 0) }
    let option = try option(forward: forward, volatility: volatility)
    let point = option.vega / 100
    return (option.delta, instrument.settlement == .coin ? point * (index / forward) : point)
  }

  private func premium(forward: Double, volatility: Double) throws(PricingRefusal) -> Double {
    try option(forward: forward, volatility: volatility).price
  }

  private func option(forward: Double, volatility: Double) throws(PricingRefusal) -> Black76 {
    guard
      let option = Black76(
        instrument.kind == .call ? .call : .put, forward: forward, strike: instrument.strike.dollars,
        volatility: volatility, years: years)
    else { throw PricingRefusal(field: "option", value: "no number", rule: "its price must be finite") }
    return option
  }
}

extension Price {
  /// The price as a floating-point number.
  var dollars: Double { Double(units) / Double(fixedPointScale) }
}

extension Quantity {
  /// The quantity as a floating-point number.
  var amount: Double { Double(units) / Double(fixedPointScale) }
}
