import Market
import Pricing

/// One option of a chain snapshot, as recorded.
public struct ChainRow: Sendable, Hashable {
  public var name: String
  /// The coin: `BTC`, `ETH`.
  public var currency: String
  public var isCall: Bool
  public var strike: Price
  public var day: CalendarDay
  /// Annual, of the recorded mark.
  public var volatility: Double
  /// In coins.
  public var mark: Double
  /// USD, of the recorded mark.
  public var forward: Double
  /// USD.
  public var index: Double
  /// The future of this expiry, if there is one; nil for a synthetic forward.
  public var future: String?
}

/// Why a row of a snapshot is not imported, in words that count well.
struct RowRefusal: Error, Hashable {
  var reason: String
}

extension ChainRow {
  /// Columns that are read; others may be there.
  static let columns = [
    "timestamp", "instrument_name", "option_type", "strike", "expiry_datetime", "mark_price", "futures_price",
    "futures_instrument_name", "implied_volatility", "currency", "index_price",
  ]

  /// Reads the fields of a row, which `field` finds by column.
  init(at snapshot: Timestamp, _ field: (String) -> Substring) throws(RowRefusal) {
    name = String(field("instrument_name"))
    currency = String(field("currency"))
    guard ContractName.isTicker(currency) else { throw RowRefusal(reason: "currency is no ticker") }
    switch field("option_type") {
    case "call": isCall = true
    case "put": isCall = false
    default: throw RowRefusal(reason: "option_type is neither call nor put")
    }
    guard let strike = Self.strike(field("strike")) else { throw RowRefusal(reason: "strike is no positive decimal") }
    self.strike = strike
    guard let expiry = ChainTime.parse(field("expiry_datetime")) else {
      throw RowRefusal(reason: "expiry_datetime is no time")
    }
    day = CalendarDay(of: expiry)
    guard day.expiry == expiry, CalendarDay.numbers.contains(day.number) else {
      throw RowRefusal(reason: "expiry is not at 08:00 UTC")
    }
    guard expiry > snapshot else { throw RowRefusal(reason: "expired at the snapshot") }
    volatility = try Self.number(field("implied_volatility"), "implied_volatility", in: SmilePoints.volatilities)
    mark = try Self.number(field("mark_price"), "mark_price", in: 0...1e6)
    forward = try Self.number(field("futures_price"), "futures_price", in: 1e-6...1e7)
    index = try Self.number(field("index_price"), "index_price", in: 1e-6...1e7)
    let future = field("futures_instrument_name")
    self.future = future.isEmpty || future.hasPrefix("SYN.") ? nil : String(future)
    let expected = ContractName.option(currency, .coin, dollar: "", day: day, strike: strike, isCall: isCall)
    guard name == expected else { throw RowRefusal(reason: "instrument_name contradicts the row's fields") }
  }

  private static func number(
    _ text: Substring, _ column: String, in range: ClosedRange<Double>
  ) throws(RowRefusal) -> Double {
    guard let value = Double(text) else {
      throw RowRefusal(reason: text.isEmpty ? "\(column) is missing" : "\(column) is no number")
    }
    guard range.contains(value) else { throw RowRefusal(reason: "\(column) is out of range") }
    return value
  }

  /// `82000.0` or `0.95`.
  private static func strike(_ text: Substring) -> Price? {
    var text = text
    if text.contains(".") {
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
    }
    return Price(String(text)).flatMap { $0 > .zero ? $0 : nil }
  }
}

/// Times as snapshots write them: `2025-12-30T17:31:15.944181+00:00`, in UTC.
enum ChainTime {
  static func parse(_ text: Substring) -> Timestamp? {
    var rest = text
    if rest.hasSuffix("+00:00") {
      rest = rest.dropLast(6)
    } else if rest.hasSuffix("Z") {
      rest = rest.dropLast()
    } else {
      return nil
    }
    let halves = rest.split(separator: "T", omittingEmptySubsequences: false)
    guard halves.count == 2, let day = CalendarDay(halves[0]) else { return nil }
    let clock = halves[1].split(separator: ".", omittingEmptySubsequences: false)
    let parts = clock[0].split(separator: ":", omittingEmptySubsequences: false)
    guard clock.count <= 2, parts.count == 3, parts.allSatisfy({ $0.utf8.count == 2 }),
      let hour = Int64(parts[0]), let minute = Int64(parts[1]), let second = Int64(parts[2]),
      (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second)
    else { return nil }
    var nanoseconds: Int64 = 0
    if clock.count == 2 {
      let digits = clock[1]
      guard (1...9).contains(digits.utf8.count), digits.allSatisfy({ $0.isASCII && $0.isNumber }),
        let fraction = Int64(digits)
      else { return nil }
      nanoseconds = (digits.utf8.count..<9).reduce(fraction) { value, _ in value * 10 }
    }
    let seconds = day.number * 86_400 + hour * 3_600 + minute * 60 + second
    return Timestamp(nanoseconds: seconds * 1_000_000_000 + nanoseconds)
  }
}
