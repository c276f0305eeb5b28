import Bytes
import Machine
import Market

/// The market of the scenario tables: every tick is 1, every lot is 1, fees are zero unless a table says otherwise.
enum ScenarioMarket {
  static let start = Timestamp(seconds: 1_700_000_000)
  /// Instruments by their letter: P and Q linear perpetuals, T one with a tick table (1, from 100 in twos, from 120 in
  /// tens), I inverse with orders of 2 to 50 lots, C a call, U a put, F a future that expires after ten seconds, E one
  /// that another shard hosts.
  static let letters = ["P", "Q", "T", "I", "C", "U", "F", "E"]
  static let house = "op"
  /// A to H are accounts 1 to 8; M is 9.
  static let accounts = ["op", "A", "B", "C", "D", "E", "F", "G", "H", "M"]

  static func owner(_ account: Int) -> Address { Address((0..<20).map { UInt8(account * 20 + $0 + 1) }) }

  static func market(_ parameters: MarketParameters) -> MarketDefinition {
    let expiry = start + .seconds(10)
    func listed(
      _ id: UInt32, _ kind: Instrument.Kind, _ settlement: Instrument.Settlement = .linear, shard: UInt16 = 0,
      expiry: Timestamp = .never, most: Int64 = 1_000, least: Int64 = 1, steps: [Instrument.TickStep] = []
    ) -> Instrument {
      Instrument(
        id: InstrumentID(id), name: letters[Int(id)], kind: kind, settlement: settlement, underlying: UnderlyingID(0),
        settlementCurrency: Currency(settlement == .linear ? 0 : 1), shard: ShardID(shard), expiry: expiry,
        strike: Price(whole: kind.isOption ? 100 : 0), tickSize: Price(whole: 1), lotSize: Quantity(whole: 1),
        maximumOrder: Lots(most), minimumOrder: Lots(least), tickSteps: steps)
    }
    let steps = [
      Instrument.TickStep(from: Price(whole: 100), tick: Price(whole: 2)),
      Instrument.TickStep(from: Price(whole: 120), tick: Price(whole: 10)),
    ]
    return MarketDefinition(
      currencies: [
        .init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero),
        .init(name: "BTC", underlying: UnderlyingID(0), collateralWeight: 900_000, token: .zero),
      ],
      underlyings: [.init(name: "BTC", openingIndex: Price(whole: 100))],
      instruments: [
        listed(0, .perpetual), listed(1, .perpetual), listed(2, .perpetual, steps: steps),
        listed(3, .perpetual, .inverse, most: 50, least: 2), listed(4, .call, expiry: expiry),
        listed(5, .put, expiry: expiry), listed(6, .future, expiry: expiry),
        listed(7, .future, shard: 1, expiry: expiry),
      ], shardCount: 2, parameters: parameters)
  }
}

/// One named case of a table: its lines, each `input -> what the engine says`.
struct ScenarioCase: Sendable, CustomStringConvertible {
  var table: String
  var name: String
  /// Parameters as `name=value`.
  var settings: [String]
  var lines: [(input: String, said: String)]
  var description: String { "\(table): \(name)" }

  /// Cases begin with `# name`; `with name=value …` under it sets parameters of the market.
  static func parse(_ table: String, _ text: String) -> [ScenarioCase] {
    var cases: [ScenarioCase] = []
    for line in text.split(separator: "\n") {
      let line = line.drop { $0 == " " }
      if line.hasPrefix("# ") {
        cases.append(ScenarioCase(table: table, name: String(line.dropFirst(2)), settings: [], lines: []))
      } else if line.hasPrefix("with ") {
        cases[cases.count - 1].settings = line.split(separator: " ").dropFirst().map(String.init)
      } else if let arrow = line.firstRange(of: "->") {
        let input = line[..<arrow.lowerBound].split(separator: " ").joined(separator: " ")
        let said = line[arrow.upperBound...].split(separator: " ").joined(separator: " ")
        cases[cases.count - 1].lines.append((input, said))
      } else if !line.isEmpty {
        cases[cases.count - 1].lines.append((line.split(separator: " ").joined(separator: " "), ""))
      }
    }
    return cases
  }
}
