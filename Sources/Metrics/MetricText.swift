/// Prometheus' text format, version 0.0.4.
public enum MetricText {
  /// What an answer in this format is called in HTTP.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// The families in order of name, each with its help and kind. Families of one name become one; the first's help
  /// stands.
  public static func write(_ families: [MetricFamily]) -> String {
    var places: [String: Int] = [:]
    var merged: [MetricFamily] = []
    for family in families {
      if let place = places[family.name] {
        merged[place].samples += family.samples
      } else {
        places[family.name] = merged.count
        merged.append(family)
      }
    }
    var text = ""
    for family in merged.sorted(by: { $0.name < $1.name }) where !family.samples.isEmpty {
      text += "# HELP \(family.name) \(escape(family.help, quotes: false))\n"
      text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
      for sample in family.samples {
        text += "\(family.name)\(sample.suffix)\(labels(sample.labels)) \(number(sample.value))\n"
      }
    }
    return text
  }

  private static func labels(_ labels: [MetricLabel]) -> String {
    guard !labels.isEmpty else { return "" }
    return "{" + labels.map { "\($0.name)=\"\(escape($0.value, quotes: true))\"" }.joined(separator: ",") + "}"
  }

  private static func escape(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }

  /// Whole numbers without a fraction, as far as a double holds them exactly.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return "\(whole)" }
    return "\(value)"
  }

  static func isName(_ name: String) -> Bool { isWord(name, colons: true) }
  /// A label that begins with `__` is Prometheus' own.
  static func isLabel(_ name: String) -> Bool { isWord(name, colons: false) && !name.hasPrefix("__") }

  private static func isWord(_ word: String, colons: Bool) -> Bool {
    guard let first = word.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
    return word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      case UInt8(ascii: ":"): colons
      default: false
      }
    }
  }
}
