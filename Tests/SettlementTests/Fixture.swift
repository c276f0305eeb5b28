import Bytes
import Cryptography
import Market
import Settlement

/// The market of these tests: two shards, three currencies, five instruments of every form of settlement.
enum Fixture {
  static let btc = UnderlyingID(0)
  static let eth = UnderlyingID(1)
  static let verifierKeys = (1...3).map { PrivateKey(Digest([UInt8](repeating: UInt8($0), count: 32)))! }

  static func market(quorum: UInt16 = 1, verifiers: Int = 1) -> MarketDefinition {
    var parameters = MarketParameters()
    parameters.attestationQuorum = quorum
    parameters.verifiers = verifierKeys.prefix(verifiers).map(\.address)
    parameters.verifyingContract = owner(200)
    return MarketDefinition(
      currencies: [
        .init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: owner(201)),
        .init(name: "BTC", underlying: btc, collateralWeight: 900_000, token: owner(202)),
        .init(name: "ETH", underlying: eth, collateralWeight: 900_000, token: owner(203)),
      ],
      underlyings: [
        .init(name: "BTC", openingIndex: Price(whole: 100_000)), .init(name: "ETH", openingIndex: Price(whole: 4_000)),
      ],
      instruments: [
        instrument(0, "BTC-USDC-PERPETUAL", .perpetual, .linear, btc, 0, shard: 0, lot: 100_000),
        instrument(1, "BTC-PERPETUAL", .perpetual, .inverse, btc, 1, shard: 0, lot: 10 * fixedPointScale),
        instrument(2, "BTC-27MAR27-100000-C", .call, .coin, btc, 1, shard: 0, lot: 10_000_000),
        instrument(3, "ETH-PERPETUAL", .perpetual, .inverse, eth, 2, shard: 1, lot: fixedPointScale),
        instrument(4, "ETH-27MAR27-4000-P", .put, .coin, eth, 2, shard: 1, lot: fixedPointScale),
      ],
      shardCount: 2, parameters: parameters)
  }

  /// Somebody's address, or a token's.
  static func owner(_ number: UInt8) -> Address { Address([UInt8](repeating: number, count: 20)) }

  private static func instrument(
    _ id: UInt32, _ name: String, _ kind: Instrument.Kind, _ settlement: Instrument.Settlement,
    _ underlying: UnderlyingID, _ currency: UInt8, shard: UInt16, lot: Int64
  ) -> Instrument {
    Instrument(
      id: InstrumentID(id), name: name, kind: kind, settlement: settlement, underlying: underlying,
      settlementCurrency: Currency(currency), shard: ShardID(shard), expiry: .never, strike: .zero,
      tickSize: Price(units: 100), lotSize: Quantity(units: lot), maximumOrder: Lots(1_000_000))
  }
}

/// SplitMix64: the same seed gives the same test.
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
}
