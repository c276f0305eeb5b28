import Market

/// Turns an index price into integer marks, risk arrays, margins and price bands: all that the machines know of prices.
///
/// It is a function of its arguments: the same market, surface, settings, index and time give the same integers.
public struct MarkCalculator: Sendable {
  public let market: MarketDefinition
  public let surface: VolatilitySurface
  public let settings: MarkSettings

  private let instruments: [[Instrument]]
  private let shards: [[ShardID]]

  /// Refuses a surface that does not have the market's underlyings, settings out of their limits,
  /// quotations that a kind of contract does not have, and coin-settled instruments whose currency is not their
  /// underlying's coin.
  public init(
    market: MarketDefinition, surface: VolatilitySurface, settings: MarkSettings = MarkSettings()
  ) throws(PricingRefusal) {
    try settings.check()
    guard surface.underlyings.count == market.underlyings.count else {
      throw PricingRefusal(
        field: "surface.underlyings", value: "\(surface.underlyings.count)",
        rule: "the market has \(market.underlyings.count)")
    }
    var instruments = [[Instrument]](repeating: [], count: market.underlyings.count)
    var shards = [[ShardID]](repeating: [], count: market.underlyings.count)
    for instrument in market.instruments {
      let underlying = Int(instrument.underlying.rawValue)
      guard instruments.indices.contains(underlying) else {
        throw PricingRefusal(field: instrument.name, value: "underlying \(underlying)", rule: "must be listed")
      }
      let currency = Int(instrument.settlementCurrency.rawValue)
      let coin = market.currencies.indices.contains(currency) ? market.currencies[currency].underlying : nil
      guard coin == (instrument.settlement == .linear ? nil : instrument.underlying) else {
        throw PricingRefusal(
          field: instrument.name, value: "settled in currency \(currency)",
          rule: "linear contracts settle in dollars, others in their underlying's coin")
      }
      guard instrument.settlement == .linear || (instrument.settlement == .coin) == instrument.kind.isOption else {
        throw PricingRefusal(
          field: instrument.name, value: "\(instrument.kind) quoted \(instrument.settlement)",
          rule: "options are linear or coin, futures and perpetuals linear or inverse")
      }
      instruments[underlying].append(instrument)
      if !shards[underlying].contains(instrument.shard) { shards[underlying].append(instrument.shard) }
    }
    self.market = market
    self.surface = surface
    self.settings = settings
    self.instruments = instruments
    self.shards = shards.map { $0.sorted() }
  }

  /// One publication for one underlying.
  ///
  /// - Parameters:
  ///   - version: of these marks, for risk and every shard of the underlying alike; the caller lets it grow.
  ///   - previous: stamp of the publication before. An instrument that expired since then appears once more, at what it
  ///     settles for at `index`; later, or when there was none before, expired ones are absent.
  /// - Throws: when the index itself is no price. A single instrument that cannot be priced is left out, with the
  ///   reason.
  public func marks(
    of underlying: UnderlyingID, index: Price, now: Timestamp, previous: Timestamp? = nil, version: UInt64
  ) throws(PricingRefusal) -> UnderlyingMarks {
    guard let slices = surface[underlying] else {
      throw PricingRefusal(field: "underlying", value: "\(underlying)", rule: "must be listed")
    }
    try PricingRefusal.require(index.dollars, in: 1e-6...1e8, "index")
    var coinArray: [Int64] = []
    for scenario in settings.grid.scenarios {
      guard let units = ScaledInteger.nearest(index.dollars * (scenario.priceFactor - 1) * scenario.damping) else {
        throw PricingRefusal(field: "index", value: "\(index)", rule: "a coin's loss must fit the risk array")
      }
      coinArray.append(units)
    }
    var riskEntries: [RiskMarks.Entry] = []
    var shardEntries: [(shard: ShardID, entry: ShardMarks.Entry)] = []
    var leftOut: [UnderlyingMarks.LeftOut] = []
    for instrument in instruments[Int(underlying.rawValue)] {
      let wasAlive = previous.map { $0 < instrument.expiry } ?? false
      guard instrument.expiry > now || wasAlive else { continue }
      do throws(PricingRefusal) {
        let valuation = try InstrumentValuation(
          instrument: instrument, index: index.dollars, surface: slices, now: now)
        let (risk, shard) = try entries(of: valuation, coinArray: coinArray)
        riskEntries.append(risk)
        shardEntries.append((instrument.shard, shard))
      } catch {
        leftOut.append(.init(instrument: instrument.id, name: instrument.name, reason: error))
      }
    }
    let risk = RiskMarks(
      version: version, stamp: now, underlying: underlying, index: index,
      scenarioCount: UInt8(settings.grid.scenarios.count), coinProfitAndLoss: Self.lanes(coinArray),
      entries: riskEntries)
    let toShards = shards[Int(underlying.rawValue)].map { shard in
      let entries = shardEntries.filter { $0.shard == shard }.map(\.entry)
      return (shard: shard, marks: ShardMarks(version: version, stamp: now, index: index, entries: entries))
    }
    return UnderlyingMarks(risk: risk, shards: toShards, leftOut: leftOut)
  }

  /// What risk and the owning shard learn of one instrument.
  private func entries(
    of valuation: InstrumentValuation, coinArray: [Int64]
  ) throws(PricingRefusal) -> (RiskMarks.Entry, ShardMarks.Entry) {
    let instrument = valuation.instrument
    let exact = try valuation.mark()
    guard exact >= 0, let nearest = ScaledInteger.nearest(exact), nearest > 0 || instrument.kind.isOption else {
      throw PricingRefusal(field: "mark", value: "\(exact)", rule: "must be a positive price")
    }
    // A worthless option still has a price: the smallest there is.
    let mark = Price(units: max(1, nearest))
    var lotArray: [Int64] = []
    for scenario in settings.grid.scenarios {
      let unit = try valuation.profitAndLoss(in: scenario, shocks: settings.grid.shocks)
      guard let units = ScaledInteger.nearest(unit * instrument.lotSize.amount) else {
        throw PricingRefusal(
          field: "profit and loss", value: "\(unit) per unit", rule: "one lot's must fit the risk array")
      }
      lotArray.append(units)
    }
    let band = try PriceBand(
      around: mark.dollars, halfWidth: halfWidth(instrument, mark: mark.dollars, index: valuation.index),
      tickSize: instrument.tickSize)
    let currency = market.currencies[Int(instrument.settlementCurrency.rawValue)]
    let covering = CoveringMargin(
      instrument: instrument, index: valuation.index, mark: mark.dollars, band: band, lotArray: lotArray,
      coinArray: coinArray, initialFactor: Double(market.parameters.initialMarginFactor) / 1e6,
      collateralWeight: Double(currency.collateralWeight) / 1e6,
      feeRate: Double(max(market.parameters.makerFee, market.parameters.takerFee)) / 1e6,
      shortOptionContingency: settings.shortOptionContingency)
    let sensitivities = try valuation.sensitivities()
    let risk = RiskMarks.Entry(instrument: instrument.id, mark: mark, profitAndLoss: Self.lanes(lotArray))
    let shard = ShardMarks.Entry(
      instrument: instrument.id, mark: mark, marginToBuy: try covering.margin(.buy),
      marginToSell: try covering.margin(.sell), bandLow: band.low, bandHigh: band.high,
      delta: try Self.ofLot(sensitivities.delta, instrument, "delta"),
      vega: try Self.ofLot(sensitivities.vega, instrument, "vega"))
    return (risk, shard)
  }

  /// One lot's share of a sensitivity, in 1e-8.
  private static func ofLot(
    _ perUnit: Double, _ instrument: Instrument, _ field: String
  ) throws(PricingRefusal) -> Int64 {
    guard let units = ScaledInteger.nearest(perUnit * instrument.lotSize.amount),
      units.magnitude <= ShardMarks.largestGreek
    else {
      throw PricingRefusal(field: field, value: "\(perUnit) per unit", rule: "one lot's must fit the marks")
    }
    return units
  }

  /// Half of the price band's width, in the instrument's quotation.
  private func halfWidth(_ instrument: Instrument, mark: Double, index: Double) -> Double {
    guard instrument.kind.isOption else { return settings.futureBand * mark }
    let ofIndex = settings.optionBandOfIndex * (instrument.settlement == .coin ? 1 : index)
    return max(settings.optionBand * mark, ofIndex)
  }

  /// The array in its lanes; those beyond the grid are zero.
  private static func lanes(_ array: [Int64]) -> [Money] {
    (0..<scenarioLanes).map { $0 < array.count ? Money(units: array[$0]) : .zero }
  }
}
