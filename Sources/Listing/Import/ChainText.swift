import Foundation
import Market

/// Writes a chain as an instrument file.
struct ChainText {
  let chain: DeribitChain
  /// By currency.
  let indices: [String: Double]
  /// Days by which expiries move.
  let shift: Int64

  /// Names of the dollar and of the coins.
  private var coins: [String] { Set(chain.rows.map(\.currency)).sorted() }

  var text: String {
    var text = """
      # Made from an option-chain snapshot of \(CalendarDay(of: chain.snapshot)), expiries moved by \(shift) days.

      version = 1

      [[currencies]]
      name = "USDC"

      """
    for coin in coins {
      text += "\n[[currencies]]\nname = \"\(coin)\"\nunderlying = \"\(coin)\"\ncollateral_weight_ppm = 950000\n"
    }
    for coin in coins { text += underlying(coin) }
    return text
  }

  private func underlying(_ coin: String) -> String {
    let rows = chain.rows.filter { $0.currency == coin }
    let index = indices[coin] ?? 0
    var text = """

      [[underlyings]]
      name = "\(coin)"
      opening_index = \(index)
      index_volatility = \(rounded(volatility(rows, index: index), 4))

      """
    let terms = DeribitTerms.of(coin, index: index)
    for (kind, quoting, tick, steps, lot, maximum) in [
      ("perpetual", "inverse", terms.perpetualTick, "", terms.futureLot, 1_000_000),
      ("future", "inverse", terms.futureTick, "", terms.futureLot, 1_000_000),
      ("option", "coin", "0.0001", "tick_steps = [[\"0.005\", \"0.0005\"]]\n", terms.optionLot, 10_000),
    ] {
      text += """

        [[underlyings.contracts]]
        kind = "\(kind)"
        quoting = "\(quoting)"
        tick_size = "\(tick)"
        \(steps)lot_size = "\(lot)"
        maximum_order = \(maximum)

        """
    }
    for day in Set(rows.map(\.day)).sorted() { text += expiry(day, rows.filter { $0.day == day }, index: index) }
    return text
  }

  private func expiry(_ day: CalendarDay, _ rows: [ChainRow], index: Double) -> String {
    let forward = DeribitImport.median(rows.map(\.forward))
    let carry = DeribitImport.carry(forward, index: index, day: day, at: chain.snapshot)
    var strikes: [String] = []
    var volatilities: [String] = []
    var unlisted: [String] = []
    for strike in Set(rows.map(\.strike)).sorted() {
      let pair = rows.filter { $0.strike == strike }
      strikes.append("\(strike)")
      volatilities.append("\(rounded(pair.map(\.volatility).reduce(0, +) / Double(pair.count), 6))")
      for (isCall, letter) in [(true, "C"), (false, "P")] where !pair.contains(where: { $0.isCall == isCall }) {
        unlisted.append("\"\(ContractName.strike(strike))-\(letter)\"")
      }
    }
    let places = strikes.joined(separator: ", ")
    var text = "\n[[underlyings.expiries]]\ndate = \(CalendarDay(number: day.number + shift))\n"
    if rows.contains(where: { $0.future != nil }) { text += "futures = [\"inverse\"]\n" }
    text += "options = [\"coin\"]\nstrikes = [\(places)]\n"
    if !unlisted.isEmpty { text += "unlisted = [\(unlisted.joined(separator: ", "))]\n" }
    text += "carry = \(rounded(carry, 10))\n"
    text += "smile = { strikes = [\(places)], volatilities = [\(volatilities.joined(separator: ", "))] }\n"
    return text
  }

  /// Volatility at the money of the expiry nearest to 30 days, for the built-in index.
  private func volatility(_ rows: [ChainRow], index: Double) -> Double {
    let target = CalendarDay(of: chain.snapshot).number + 30
    let nearest = rows.min {
      (abs($0.day.number - target), abs($0.strike.asDouble - $0.forward))
        < (abs($1.day.number - target), abs($1.strike.asDouble - $1.forward))
    }
    return min(10, nearest?.volatility ?? 0.5)
  }

  /// A number of so many decimals, and never in exponent form.
  private func rounded(_ value: Double, _ places: Int) -> String {
    String(format: "%.\(places)f", locale: Locale(identifier: "en_US_POSIX"), value)
  }
}

/// Ticks and lots as Deribit had them; they are not in the snapshots.
struct DeribitTerms {
  var perpetualTick: String
  var futureTick: String
  /// In dollars.
  var futureLot: String
  /// In coins.
  var optionLot: String

  static func of(_ coin: String, index: Double) -> DeribitTerms {
    switch coin {
    case "BTC": return DeribitTerms(perpetualTick: "0.5", futureTick: "2.5", futureLot: "10", optionLot: "0.1")
    case "ETH": return DeribitTerms(perpetualTick: "0.05", futureTick: "0.05", futureLot: "1", optionLot: "1")
    default:
      // Another coin: a tick of about a hundred-thousandth of its price.
      var tick = Price(units: 1)
      while tick.asDouble * 100_000 < index { tick = Price(units: tick.units * 10) }
      return DeribitTerms(perpetualTick: "\(tick)", futureTick: "\(tick)", futureLot: "1", optionLot: "1")
    }
  }
}

extension Price {
  /// The price as a floating-point number, for statistics.
  var asDouble: Double { Double(units) / Double(fixedPointScale) }
}
