import Bytes
import Market

@testable import Clearing

/// A small market with every kind of contract: BTC and ETH, four shards, three currencies.
enum TestMarket {
  static let opening = Timestamp(seconds: 1_700_000_000)
  static let expiry = Timestamp(seconds: 1_700_000_000 + 86_400)
  static let later = Timestamp(seconds: 1_700_000_000 + 10 * 86_400)
  static let usd = Currency(0)
  static let btc = Currency(1)
  static let eth = Currency(2)
  static let scenarios = 16

  // Instruments, by what they are.
  static let perpetual = InstrumentID(0)  // BTC, linear, shard 0, lot 0.001
  static let future = InstrumentID(1)  // BTC, linear, expires first, shard 1
  static let call = InstrumentID(2)  // BTC, linear, shard 1
  static let put = InstrumentID(3)  // BTC, linear, later, shard 0
  static let coinCall = InstrumentID(4)  // BTC, quoted in coin, later, shard 1
  static let inverse = InstrumentID(5)  // BTC, inverse perpetual, 10 USD, shard 0
  static let etherPerpetual = InstrumentID(6)  // ETH, linear, shard 2
  static let etherCall = InstrumentID(7)  // ETH, linear, shard 3

  static func definition(_ adjust: (inout MarketParameters) -> Void = { _ in }) -> MarketDefinition {
    var parameters = MarketParameters()
    adjust(&parameters)
    func instrument(
      _ id: InstrumentID, _ kind: Instrument.Kind, _ settlement: Instrument.Settlement, _ underlying: UInt8,
      shard: UInt16, expiry: Timestamp, strike: Int64 = 0, tick: Int64, lot: Int64
    ) -> Instrument {
      Instrument(
        id: id, name: "I\(id)", kind: kind, settlement: settlement, underlying: UnderlyingID(underlying),
        settlementCurrency: settlement == .linear ? usd : Currency(underlying + 1), shard: ShardID(shard),
        expiry: expiry, strike: Price(whole: strike), tickSize: Price(units: tick), lotSize: Quantity(units: lot),
        maximumOrder: Lots(1_000_000))
    }
    return MarketDefinition(
      currencies: [
        .init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero),
        .init(name: "BTC", underlying: UnderlyingID(0), collateralWeight: 950_000, token: .zero),
        .init(name: "ETH", underlying: UnderlyingID(1), collateralWeight: 900_000, token: .zero),
      ],
      underlyings: [
        .init(name: "BTC", openingIndex: Price(whole: 100_000)), .init(name: "ETH", openingIndex: Price(whole: 4_000)),
      ],
      instruments: [
        instrument(perpetual, .perpetual, .linear, 0, shard: 0, expiry: .never, tick: 10_000_000, lot: 100_000),
        instrument(future, .future, .linear, 0, shard: 1, expiry: expiry, tick: 10_000_000, lot: 100_000),
        instrument(
          call, .call, .linear, 0, shard: 1, expiry: expiry, strike: 100_000, tick: 100_000_000, lot: 1_000_000),
        instrument(put, .put, .linear, 0, shard: 0, expiry: later, strike: 90_000, tick: 100_000_000, lot: 1_000_000),
        instrument(coinCall, .call, .coin, 0, shard: 1, expiry: later, strike: 110_000, tick: 10_000, lot: 10_000_000),
        instrument(inverse, .perpetual, .inverse, 0, shard: 0, expiry: .never, tick: 50_000_000, lot: 1_000_000_000),
        instrument(etherPerpetual, .perpetual, .linear, 1, shard: 2, expiry: .never, tick: 1_000_000, lot: 1_000_000),
        instrument(
          etherCall, .call, .linear, 1, shard: 3, expiry: later, strike: 4_000, tick: 10_000_000, lot: 10_000_000),
      ],
      shardCount: 4, parameters: parameters)
  }

  /// The price move of a scenario, in parts per thousand: −30 … +30 in 16 steps.
  static func move(_ lane: Int) -> Int64 { Int64(lane * 4 - 30) * 10 }

  /// Marks whose arrays are the exact change of value under the scenario's price move; options are worth a smooth-ish
  /// integer function of the price.
  static func marks(
    _ definition: MarketDefinition, underlying: UnderlyingID, index: Price, version: UInt64, at stamp: Timestamp
  ) -> RiskMarks {
    var entries: [RiskMarks.Entry] = []
    for instrument in definition.instruments where instrument.underlying == underlying && instrument.expiry > stamp {
      let mark = price(of: instrument, index: index.units)
      var array = [Money](repeating: .zero, count: scenarioLanes)
      for lane in 0..<scenarios {
        let shifted = index.units + index.units / 1_000 * move(lane)
        let before = worth(instrument, mark: mark, index: index.units)
        let after = worth(instrument, mark: price(of: instrument, index: shifted), index: shifted)
        array[lane] = Money(units: after - before)
      }
      entries.append(.init(instrument: instrument.id, mark: Price(units: mark), profitAndLoss: array))
    }
    var coins = [Money](repeating: .zero, count: scenarioLanes)
    for lane in 0..<scenarios { coins[lane] = Money(units: index.units / 1_000 * move(lane)) }
    return RiskMarks(
      version: version, stamp: stamp, underlying: underlying, index: index, scenarioCount: UInt8(scenarios),
      coinProfitAndLoss: coins, entries: entries)
  }

  /// A mark in the instrument's quotation: intrinsic value and a tenth of the index times closeness to the strike.
  static func price(of instrument: Instrument, index: Int64) -> Int64 {
    guard instrument.kind.isOption else { return index }
    let intrinsic = max(0, instrument.kind == .call ? index - instrument.strike.units : instrument.strike.units - index)
    let distance = abs(index - instrument.strike.units)
    let usd = intrinsic + max(0, index / 10 - distance / 4)
    return instrument.settlement == .coin
      ? Int64(Int128(usd) * Int128(fixedPointScale) / Int128(index)) : usd
  }

  /// USD worth of one held lot at a mark.
  static func worth(_ instrument: Instrument, mark: Int64, index: Int64) -> Int64 {
    let value = instrument.positionValue(Lots(1), at: Price(units: mark))?.units ?? 0
    return instrument.settlement == .linear ? value : Int64(Int128(value) * Int128(index) / Int128(fixedPointScale))
  }

  static func owner(_ account: UInt32) -> Address {
    var bytes = [UInt8](repeating: 7, count: 20)
    bytes[0] = UInt8(truncatingIfNeeded: account)
    bytes[1] = UInt8(truncatingIfNeeded: account >> 8)
    return Address(bytes)
  }
}

/// A seeded sequence (SplitMix64), so that a failing run is a number.
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
  mutating func within(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}
