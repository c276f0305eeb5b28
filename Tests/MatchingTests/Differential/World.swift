import Bytes
import Machine
import Market

/// The market of the random tests: one shard with every kind of contract, small enough that everything collides.
enum World {
  static let start = Timestamp(seconds: 1_700_000_000)
  static let expiry = Timestamp(seconds: 1_700_000_200)
  static let accounts: UInt32 = 6

  static func owner(_ account: UInt32) -> Address {
    Address((0..<20).map { UInt8(truncatingIfNeeded: account &* 37 &+ UInt32($0) &+ 1) })
  }

  static func instrument(
    _ id: UInt32, _ kind: Instrument.Kind, _ settlement: Instrument.Settlement, shard: UInt16 = 0,
    expiry: Timestamp = .never, strike: Int64 = 0, tick: String, lot: String, most: Int64 = 10_000, least: Int64 = 1,
    steps: [Instrument.TickStep] = []
  ) -> Instrument {
    Instrument(
      id: InstrumentID(id), name: "BTC-\(id)", kind: kind, settlement: settlement, underlying: UnderlyingID(0),
      settlementCurrency: Currency(settlement == .linear ? 0 : 1), shard: ShardID(shard), expiry: expiry,
      strike: Price(whole: strike), tickSize: Price(tick)!, lotSize: Quantity(lot)!, maximumOrder: Lots(most),
      minimumOrder: Lots(least), tickSteps: steps)
  }

  static let instruments = [
    instrument(
      0, .perpetual, .linear, tick: "0.5", lot: "0.1",
      steps: [
        Instrument.TickStep(from: Price(whole: 1_000), tick: Price(whole: 1)),
        Instrument.TickStep(from: Price(whole: 1_010), tick: Price(whole: 2)),
      ]),
    instrument(1, .perpetual, .inverse, tick: "0.5", lot: "10", least: 2),
    instrument(2, .call, .coin, expiry: expiry, strike: 1_000, tick: "0.0005", lot: "0.1"),
    instrument(3, .future, .linear, expiry: expiry, tick: "1", lot: "1"),
    instrument(4, .future, .linear, shard: 1, expiry: expiry, tick: "1", lot: "1"),
    instrument(5, .put, .linear, expiry: expiry, strike: 1_000, tick: "1", lot: "1"),
  ]

  static func market(_ parameters: MarketParameters) -> MarketDefinition {
    MarketDefinition(
      currencies: [
        .init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero),
        .init(name: "BTC", underlying: UnderlyingID(0), collateralWeight: 900_000, token: .zero),
      ],
      underlyings: [.init(name: "BTC", openingIndex: Price(whole: 1_000))], instruments: instruments, shardCount: 2,
      parameters: parameters)
  }

  static func message(_ message: some StreamMessage) -> [UInt8] {
    var body = ByteWriter()
    body.u8(type(of: message).kind.rawValue)
    message.write(to: &body)
    var writer = ByteWriter()
    writer.blob(body.bytes)
    return writer.array
  }
}

/// How often a random test does what.
struct Mix: Sendable, CustomStringConvertible {
  var name: String
  var stepBounds: [UInt32] = [1_000]
  /// Weights of the inputs.
  var actions = 850
  var marks = 30
  var credits = 40
  var liquidations = 6
  var ticks = 40
  var others = 20
  var malformed = 4
  /// Kept from the machine.
  var quarantined = 0
  /// Weights of the operations.
  var orders = 500
  var changes = 300
  var stops = 30
  var quotes = 30
  var settings = 20
  var states = 3
  /// Orders of a hundred with a combination of anything.
  var oddities = 4
  /// Orders of a hundred that are fill or kill, have a minimum, or are makers that get in the way of such.
  var allOrNothing = 0
  /// Ticks around the middle at which orders are priced.
  var spread: Int64 = 8
  /// USD that a ceiling is about; ample if large.
  var ceiling: Int64 = 1_000_000
  /// USD that it grows by with every input.
  var growth: Int64 = 0
  /// Milliseconds between inputs, at most.
  var pause: Int64 = 40
  var description: String { name }

  static let all: [Mix] = [
    Mix(name: "plain", orders: 600, changes: 390, stops: 0, quotes: 0, settings: 0, states: 0, oddities: 0),
    Mix(name: "hostile", stepBounds: [4, 1_000], malformed: 40, changes: 300, oddities: 40, spread: 3),
    Mix(name: "stops", stepBounds: [5, 1_000], marks: 90, orders: 350, stops: 300, states: 3, spread: 6),
    Mix(name: "quotes", stepBounds: [6, 1_000], orders: 350, quotes: 300, settings: 40, spread: 5),
    Mix(name: "auctions", stepBounds: [3, 8, 1_000], quotes: 60, states: 30, spread: 5),
    Mix(
      name: "wide auctions", stepBounds: [1, 3, 5, 17, 1_000], marks: 60, quotes: 60, states: 60, spread: 25),
    Mix(name: "credit", stepBounds: [4, 1_000], credits: 140, liquidations: 40, ceiling: 400, growth: 6),
    Mix(name: "tiny steps", stepBounds: [1, 2, 3], ticks: 120, quotes: 80, states: 8, spread: 4),
    Mix(
      name: "all or nothing", stepBounds: [4, 9, 1_000], changes: 200, quotes: 200, settings: 60, allOrNothing: 60,
      spread: 4),
    Mix(
      name: "everything", stepBounds: [2, 7, 1_000], stops: 100, quotes: 100, settings: 60, states: 10, ceiling: 1_500,
      growth: 9),
  ]
}
