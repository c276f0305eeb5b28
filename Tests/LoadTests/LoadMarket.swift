import Bytes
import Market

@testable import Operations

/// A small market with two shards of one underlying, and marks for it.
enum LoadMarket {
  static let perShard = 7

  static let definition: MarketDefinition = {
    let instruments = (0..<(2 * perShard)).map { number in
      Instrument(
        id: InstrumentID(UInt32(number)), name: "BTC-\(number)", kind: number % 2 == 0 ? .future : .call,
        settlement: .linear, underlying: UnderlyingID(0), settlementCurrency: .usd,
        shard: ShardID(UInt16(number / perShard)), expiry: .never, strike: .zero,
        tickSize: Price(units: number % 2 == 0 ? 50_000_000 : 1_000), lotSize: Quantity(units: 100_000),
        maximumOrder: Lots(number % 3 == 0 ? 2 : 1_000))
    }
    return MarketDefinition(
      currencies: [.init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero)],
      underlyings: [.init(name: "BTC", openingIndex: Price(whole: 100_000))], instruments: instruments, shardCount: 2)
  }()

  /// Marks for every instrument of a shard but `missing`; the mark is off tick, and the bands are close.
  static func marks(_ shard: ShardID, missing: Set<InstrumentID> = []) -> ShardMarks {
    let entries = definition.instruments(of: shard).filter { !missing.contains($0.id) }.map { instrument in
      let mark = instrument.tickSize.units * 1_000 + 7
      return ShardMarks.Entry(
        instrument: instrument.id, mark: Price(units: mark), marginToBuy: .zero, marginToSell: .zero,
        bandLow: Price(units: mark - instrument.tickSize.units * 6),
        bandHigh: Price(units: mark + instrument.tickSize.units * 6))
    }
    return ShardMarks(version: 1, stamp: Timestamp(nanoseconds: 1), index: Price(whole: 100_000), entries: entries)
  }

  static func quotes(_ shard: UInt16 = 0, missing: Set<InstrumentID> = []) -> ShardQuotes {
    var quotes = ShardQuotes(ShardID(shard), definition)
    quotes.take(marks(ShardID(shard), missing: missing))
    return quotes
  }
}
