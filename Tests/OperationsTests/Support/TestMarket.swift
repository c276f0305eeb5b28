import Bytes
import Cryptography
import Market

/// The market of these tests: BTC in shard 0 (a linear perpetual and a dated future), ETH in shard 1 (an inverse
/// perpetual), with epochs of a few hundredths of a second.
enum TestMarket {
  static let perpetual = InstrumentID(0)
  static let future = InstrumentID(1)
  static let ether = InstrumentID(2)
  static let verifier = PrivateKey(Digest([UInt8](repeating: 0x77, count: 32)))!
  private static let scenarios = 16

  static func key(_ trader: Int) -> PrivateKey { PrivateKey(Digest([UInt8](repeating: UInt8(trader + 1), count: 32)))! }

  static func definition(opening: Timestamp) -> MarketDefinition {
    var parameters = MarketParameters()
    parameters.verifiers = [verifier.address]
    parameters.epochLength = .milliseconds(40)
    parameters.heartbeatInterval = .milliseconds(10)
    // Tests share their processors: a pause must not look like silence.
    parameters.heartbeatLapse = .seconds(60)
    parameters.verifyingContract = address(0x51)
    parameters.tradeModule = address(0x52)
    parameters.batchModule = address(0x53)
    parameters.withdrawalModule = address(0x54)
    func instrument(
      _ id: InstrumentID, _ name: String, _ kind: Instrument.Kind, _ settlement: Instrument.Settlement,
      _ underlying: UInt8, _ currency: UInt8, expiry: Timestamp, tick: Int64, lot: Int64
    ) -> Instrument {
      Instrument(
        id: id, name: name, kind: kind, settlement: settlement, underlying: UnderlyingID(underlying),
        settlementCurrency: Currency(currency), shard: ShardID(UInt16(underlying)), expiry: expiry, strike: .zero,
        tickSize: Price(units: tick), lotSize: Quantity(units: lot), maximumOrder: Lots(100_000),
        asset: address(UInt8(0x60 + id.rawValue)))
    }
    return MarketDefinition(
      currencies: [
        .init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: address(0x71)),
        .init(name: "BTC", underlying: UnderlyingID(0), collateralWeight: 950_000, token: address(0x72)),
        .init(name: "ETH", underlying: UnderlyingID(1), collateralWeight: 900_000, token: address(0x73)),
      ],
      underlyings: [
        .init(name: "BTC", openingIndex: Price(whole: 100_000)), .init(name: "ETH", openingIndex: Price(whole: 4_000)),
      ],
      instruments: [
        instrument(
          perpetual, "BTC-USDC-PERPETUAL", .perpetual, .linear, 0, 0, expiry: .never, tick: 50_000_000, lot: 100_000),
        instrument(
          future, "BTC-FUTURE", .future, .linear, 0, 0, expiry: opening + .days(1), tick: 50_000_000, lot: 100_000),
        instrument(
          ether, "ETH-PERPETUAL", .perpetual, .inverse, 1, 2, expiry: .never, tick: 5_000_000, lot: 100_000_000),
      ],
      shardCount: 2, parameters: parameters)
  }

  static func address(_ byte: UInt8) -> Address { Address([UInt8](repeating: byte, count: 20)) }

  /// The index of an underlying moved by so many basis points from where it opened.
  static func index(_ market: MarketDefinition, _ underlying: UnderlyingID, moved basisPoints: Int64) -> Price {
    let opening = market.underlyings[Int(underlying.rawValue)].openingIndex.units
    return Price(units: opening + opening / 10_000 * basisPoints)
  }

  /// Marks at the index, with arrays that are the exact change of value from −30 % to +30 %.
  static func riskMarks(
    _ market: MarketDefinition, _ underlying: UnderlyingID, index: Price, version: UInt64, at stamp: Timestamp
  ) -> RiskMarks {
    let entries = market.instruments.filter { $0.underlying == underlying }.map { instrument in
      RiskMarks.Entry(instrument: instrument.id, mark: index, profitAndLoss: profits(instrument, index))
    }
    var coins = [Money](repeating: .zero, count: scenarioLanes)
    for lane in 0..<scenarios { coins[lane] = Money(units: shifted(index, lane) - index.units) }
    return RiskMarks(
      version: version, stamp: stamp, underlying: underlying, index: index, scenarioCount: UInt8(scenarios),
      coinProfitAndLoss: coins, entries: entries)
  }

  static func shardMarks(
    _ market: MarketDefinition, _ underlying: UnderlyingID, index: Price, version: UInt64, at stamp: Timestamp
  ) -> ShardMarks {
    let entries = market.instruments.filter { $0.underlying == underlying }.map { instrument in
      let worst = profits(instrument, index).map(\.units.magnitude).max() ?? 0
      let margin = Money(units: Int64(worst) * 2)
      return ShardMarks.Entry(
        instrument: instrument.id, mark: index, marginToBuy: margin, marginToSell: margin,
        bandLow: Price(units: index.units / 2), bandHigh: Price(units: index.units * 2))
    }
    return ShardMarks(version: version, stamp: stamp, index: index, entries: entries)
  }

  private static func shifted(_ index: Price, _ lane: Int) -> Int64 {
    index.units + index.units / 1_000 * Int64(lane * 40 - 300)
  }

  private static func profits(_ instrument: Instrument, _ index: Price) -> [Money] {
    var array = [Money](repeating: .zero, count: scenarioLanes)
    for lane in 0..<scenarios {
      array[lane] = Money(units: worth(instrument, shifted(index, lane)) - worth(instrument, index.units))
    }
    return array
  }

  /// USD worth of one held lot at a mark that is the index.
  private static func worth(_ instrument: Instrument, _ mark: Int64) -> Int64 {
    let value = instrument.positionValue(Lots(1), at: Price(units: mark))?.units ?? 0
    return instrument.settlement == .linear ? value : Int64(Int128(value) * Int128(mark) / Int128(fixedPointScale))
  }
}

/// A seeded sequence (SplitMix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
