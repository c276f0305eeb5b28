import Bytes
import Market
import Pricing
import TOMLKit

/// A table of an instrument file while it is read: each field is asked for by name, with its default and limits, and
/// what nobody asked for is refused.
struct Section {
  /// The file's name and places.
  struct Source {
    var name: String
    var lines: SourceLines
  }

  let path: String
  private let source: Source
  private let values: [String: TOMLNode]
  private var known: [String] = []

  /// The whole document.
  init(document text: String, name: String) throws(ListingError) {
    source = Source(name: name, lines: SourceLines(text))
    path = ""
    do {
      let table = try TOMLTable(string: text)
      let node = withExtendedLifetime(table) { TOMLNode(table: table) }
      if case .table(let values) = node { self.values = values } else { values = [:] }
    } catch let error as TOMLParseError {
      throw ListingError(
        field: "", value: "", rule: "not TOML: \(error.description)", file: name, line: error.source.begin.line)
    } catch {
      throw ListingError(field: "", value: "", rule: "not TOML: \(error)", file: name)
    }
  }

  private init(path: String, source: Source, values: [String: TOMLNode]) {
    self.path = path
    self.source = source
    self.values = values
  }

  // MARK: Refusals

  /// Path of a field of this table.
  func field(_ key: String) -> String { path.isEmpty ? key : key.isEmpty ? path : "\(path).\(key)" }

  /// The error that says what is wrong with a field.
  func refusal(_ key: String, _ rule: String, value: String? = nil) -> ListingError {
    let field = field(key)
    return ListingError(
      field: field, value: value ?? values[key]?.description ?? "", rule: rule, file: source.name,
      line: source.lines.line(of: field))
  }

  /// The same, for what `Pricing` refuses.
  func refusal(_ key: String, _ refusal: PricingRefusal) -> ListingError {
    self.refusal(key, refusal.rule, value: "\(refusal.field) \(refusal.value)")
  }

  /// Refuses keys that nobody asked for.
  func finish() throws(ListingError) {
    for key in values.keys.sorted() where !known.contains(key) {
      throw refusal(key, "no such field; here are \(known.sorted().joined(separator: ", "))", value: "unknown")
    }
  }

  // MARK: Fields

  func has(_ key: String) -> Bool { values[key] != nil }

  private mutating func node(_ key: String) -> TOMLNode? {
    known.append(key)
    return values[key]
  }

  mutating func integer(
    _ key: String, default otherwise: Int64? = nil, in range: ClosedRange<Int64>
  ) throws(ListingError) -> Int64 {
    let rule = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    switch node(key) {
    case .integer(let value):
      guard range.contains(value) else { throw refusal(key, rule) }
      return value
    case nil:
      guard let otherwise else { throw refusal(key, "missing; \(rule)") }
      return otherwise
    default: throw refusal(key, rule)
    }
  }

  mutating func number(
    _ key: String, default otherwise: Double? = nil, in range: ClosedRange<Double>
  ) throws(ListingError) -> Double {
    let rule = "must be a number from \(range.lowerBound) to \(range.upperBound)"
    let value: Double
    switch node(key) {
    case .integer(let whole): value = Double(whole)
    case .decimal(let decimal): value = decimal
    case nil:
      guard let otherwise else { throw refusal(key, "missing; \(rule)") }
      return otherwise
    default: throw refusal(key, rule)
    }
    guard range.contains(value) else { throw refusal(key, rule) }
    return value
  }

  mutating func text(_ key: String, default otherwise: String? = nil) throws(ListingError) -> String {
    switch node(key) {
    case .text(let text): return text
    case nil:
      guard let otherwise else { throw refusal(key, "missing; must be text in quotes") }
      return otherwise
    default: throw refusal(key, "must be text in quotes")
    }
  }

  /// One of some words.
  mutating func word<Value>(_ key: String, of words: [(String, Value)]) throws(ListingError) -> Value {
    let word = try text(key)
    guard let value = words.first(where: { $0.0 == word }) else {
      throw refusal(key, "must be one of \(words.map(\.0).joined(separator: ", "))")
    }
    return value.1
  }

  mutating func words<Value>(_ key: String, of words: [(String, Value)]) throws(ListingError) -> [Value] {
    var chosen: [Value] = []
    for text in try texts(key) {
      guard let value = words.first(where: { $0.0 == text }) else {
        throw refusal(key, "must be some of \(words.map(\.0).joined(separator: ", "))", value: "\"\(text)\"")
      }
      chosen.append(value.1)
    }
    return chosen
  }

  mutating func texts(_ key: String) throws(ListingError) -> [String] {
    var texts: [String] = []
    for node in try list(key) {
      guard case .text(let text) = node else { throw refusal(key, "must be a list of texts in quotes") }
      texts.append(text)
    }
    return texts
  }

  mutating func numbers(_ key: String) throws(ListingError) -> [Double] {
    var numbers: [Double] = []
    for node in try list(key) {
      switch node {
      case .integer(let whole): numbers.append(Double(whole))
      case .decimal(let decimal): numbers.append(decimal)
      default: throw refusal(key, "must be a list of numbers", value: node.description)
      }
    }
    return numbers
  }

  /// A positive decimal of at most 8 places, written as a number or as text.
  mutating func decimal(_ key: String) throws(ListingError) -> Price {
    guard let node = node(key) else { throw refusal(key, "missing; \(Self.decimalRule)") }
    guard let price = Self.price(node) else { throw refusal(key, Self.decimalRule) }
    return price
  }

  /// A list of such decimals.
  mutating func decimals(_ key: String) throws(ListingError) -> [Price] {
    var decimals: [Price] = []
    for node in try list(key) {
      guard let price = Self.price(node) else { throw refusal(key, Self.decimalRule, value: node.description) }
      decimals.append(price)
    }
    return decimals
  }

  /// A list of pairs of such decimals: [[1, 0.5], [2, 1]].
  mutating func pairs(_ key: String) throws(ListingError) -> [(Price, Price)] {
    let rule = "must be a list of pairs such as [[0.005, 0.0005]], each \(Self.decimalRule.dropFirst(8))"
    var pairs: [(Price, Price)] = []
    for node in try list(key) {
      guard case .list(let pair) = node, pair.count == 2, let first = Self.price(pair[0]),
        let second = Self.price(pair[1])
      else { throw refusal(key, rule, value: node.description) }
      pairs.append((first, second))
    }
    return pairs
  }

  private static let decimalRule = "must be a positive decimal of at most 8 places"

  private static func price(_ node: TOMLNode) -> Price? {
    switch node {
    case .integer(let whole):
      guard whole > 0, whole <= 10_000_000_000 else { return nil }
      return Price(whole: whole)
    case .decimal(let value):
      let units = (value * Double(fixedPointScale)).rounded()
      guard value > 0, units >= 1, units < 1e18,
        abs(units / Double(fixedPointScale) - value) <= 1e-14 * value
      else { return nil }
      return Price(units: Int64(units))
    case .text(let text): return Price(text).flatMap { $0 > .zero ? $0 : nil }
    default: return nil
    }
  }

  mutating func address(_ key: String, default otherwise: Address) throws(ListingError) -> Address {
    guard has(key) else {
      known.append(key)
      return otherwise
    }
    guard let address = Address(hexadecimal: try text(key)) else {
      throw refusal(key, "must be an address: 0x and 40 hexadecimal digits")
    }
    return address
  }

  /// A date such as 2027-03-27.
  mutating func day(_ key: String) throws(ListingError) -> CalendarDay {
    let rule = "must be a date such as 2027-03-27"
    switch node(key) {
    case .date(let day): return day
    case .text(let text):
      guard let day = CalendarDay(text) else { throw refusal(key, rule) }
      return day
    default: throw refusal(key, rule)
    }
  }

  private mutating func list(_ key: String) throws(ListingError) -> [TOMLNode] {
    switch node(key) {
    case .list(let nodes): return nodes
    case nil: return []
    default: throw refusal(key, "must be a list")
    }
  }

  // MARK: Tables within

  /// A table of this one; `nil` when it is not there.
  mutating func table(_ key: String) throws(ListingError) -> Section? {
    switch node(key) {
    case .table(let values): return Section(path: field(key), source: source, values: values)
    case nil: return nil
    default: throw refusal(key, "must be a table")
    }
  }

  /// A list of tables of this one; empty when it is not there.
  mutating func tables(_ key: String) throws(ListingError) -> [Section] {
    var sections: [Section] = []
    for (index, node) in try list(key).enumerated() {
      guard case .table(let values) = node else { throw refusal(key, "must be a list of tables: [[\(field(key))]]") }
      sections.append(Section(path: "\(field(key))[\(index)]", source: source, values: values))
    }
    return sections
  }
}
