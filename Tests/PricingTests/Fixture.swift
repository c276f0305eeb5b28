import Bytes
import Market

@testable import Pricing

/// A small market of every kind of contract, with its surface.
enum Fixture {
  static let now = Timestamp(seconds: 1_800_000_000)
  static let bitcoin = UnderlyingID(0)
  static let ether = UnderlyingID(1)

  static let surface: VolatilitySurface = {
    func slice(_ days: Int64, carry: Double, _ smile: ExpirySlice.Smile) throws -> ExpirySlice {
      try ExpirySlice(expiry: now + .days(days), carry: carry, smile: smile)
    }
    do {
      let svi = try SVIParameters(a: 0.01, b: 0.05, rho: -0.2, m: 0.01, sigma: 0.1, referenceYears: 0.1)
      let points = try SmilePoints(
        axis: .strike, places: [60_000, 100_000, 150_000], volatilities: [0.8, 0.5, 0.65])
      let bitcoin = try UnderlyingSurface(
        carry: 0.05, slices: [slice(7, carry: 0.04, .points(points)), slice(90, carry: 0.07, .svi(svi))])
      let ether = try UnderlyingSurface(carry: 0.03, slices: [slice(30, carry: 0.02, .svi(svi))])
      return VolatilitySurface(underlyings: [bitcoin, ether])
    } catch { preconditionFailure("the fixture is sane: \(error)") }
  }()

  static let market: MarketDefinition = {
    var instruments: [Instrument] = []
    func list(
      _ name: String, _ kind: Instrument.Kind, _ settlement: Instrument.Settlement, _ underlying: UnderlyingID,
      days: Int64? = nil, strike: Int64 = 0, tick: String, lot: String
    ) {
      let coin = Currency(underlying.rawValue + 1)
      instruments.append(
        Instrument(
          id: InstrumentID(UInt32(instruments.count)), name: name, kind: kind, settlement: settlement,
          underlying: underlying, settlementCurrency: settlement == .linear ? .usd : coin,
          shard: ShardID(underlying == bitcoin && days == 90 ? 1 : underlying == bitcoin ? 0 : 2),
          expiry: days.map { now + .days($0) } ?? .never, strike: Price(whole: strike),
          tickSize: Price(tick) ?? .zero, lotSize: Quantity(lot) ?? .zero, maximumOrder: Lots(1_000)))
    }
    list("BTC-PERPETUAL", .perpetual, .inverse, bitcoin, tick: "0.5", lot: "10")
    list("BTC_USDC-PERPETUAL", .perpetual, .linear, bitcoin, tick: "0.5", lot: "0.001")
    list("ETH-PERPETUAL", .perpetual, .inverse, ether, tick: "0.05", lot: "1")
    for days in [7, 90] as [Int64] {
      list("BTC-\(days)", .future, .inverse, bitcoin, days: days, tick: "2.5", lot: "10")
      for strike in [60_000, 90_000, 100_000, 110_000, 150_000] as [Int64] {
        for (kind, letter) in [(Instrument.Kind.call, "C"), (.put, "P")] {
          list(
            "BTC-\(days)-\(strike)-\(letter)", kind, .coin, bitcoin, days: days, strike: strike, tick: "0.0001",
            lot: "0.1")
          list(
            "BTC_USDC-\(days)-\(strike)-\(letter)", kind, .linear, bitcoin, days: days, strike: strike, tick: "5",
            lot: "0.01")
        }
      }
    }
    for strike in [3_000, 4_000, 5_000] as [Int64] {
      list("ETH-\(strike)-C", .call, .coin, ether, days: 30, strike: strike, tick: "0.0001", lot: "1")
      list("ETH-\(strike)-P", .put, .coin, ether, days: 30, strike: strike, tick: "0.0001", lot: "1")
    }
    return MarketDefinition(
      currencies: [
        .init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero),
        .init(name: "BTC", underlying: bitcoin, collateralWeight: 950_000, token: .zero),
        .init(name: "ETH", underlying: ether, collateralWeight: 900_000, token: .zero),
      ],
      underlyings: [
        .init(name: "BTC", openingIndex: Price(whole: 100_000)), .init(name: "ETH", openingIndex: Price(whole: 4_000)),
      ],
      instruments: instruments, shardCount: 3)
  }()

  static func calculator(_ settings: MarkSettings = MarkSettings()) throws -> MarkCalculator {
    try MarkCalculator(market: market, surface: surface, settings: settings)
  }
}
