import Foundation
import Market
import Pricing

/// An instrument file as read and checked: what a market lists, before its expiries are fixed by an opening.
///
/// The format is described in the shipped file, `cluster/config/instruments.toml`.
public struct ListingFile: Sendable {
  /// Version of the format that is read.
  public static let formatVersion: Int64 = 1
  /// Largest file that is read, in bytes.
  static let sizeLimit = 16 << 20

  /// Name of the file, for errors.
  public let name: String
  public let parameters: MarketParameters
  public let marks: MarkSettings
  /// The dollar first.
  public let currencies: [MarketDefinition.CurrencyDefinition]
  public let underlyings: [ListedUnderlying]

  /// Reads and checks the file at `path`.
  public static func load(_ path: String) throws(ListingError) -> ListingFile {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ListingError(field: "", value: "", rule: "cannot be read; must be an instrument file", file: path)
    }
    guard data.count <= sizeLimit else {
      throw ListingError(field: "", value: "\(data.count) bytes", rule: "must be at most \(sizeLimit)", file: path)
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw ListingError(field: "", value: "", rule: "is not UTF-8 text", file: path)
    }
    return try ListingFile(text: text, name: path)
  }

  /// Reads and checks the text of a file.
  public init(text: String, name: String) throws(ListingError) {
    var document = try Section(document: text, name: name)
    self.name = name
    _ = try document.integer("version", in: Self.formatVersion...Self.formatVersion)
    parameters = try MarketParameters(reading: try document.table("parameters"))
    marks = try MarkSettings(reading: try document.table("marks"))
    var underlyings: [ListedUnderlying] = []
    let sections = try document.tables("underlyings")
    for section in sections {
      let underlying = try ListedUnderlying(reading: section)
      if underlyings.contains(where: { $0.name == underlying.name }) {
        throw section.refusal("name", "is listed twice")
      }
      underlyings.append(underlying)
    }
    guard (1...64).contains(underlyings.count) else {
      throw document.refusal("underlyings", "must be 1 to 64", value: "\(underlyings.count)")
    }
    currencies = try Self.currencies(&document, names: underlyings.map(\.name))
    self.underlyings = underlyings
    for (index, underlying) in underlyings.enumerated() where underlying.needsCoin {
      if !currencies.contains(where: { $0.underlying == UnderlyingID(UInt8(index)) }) {
        throw sections[index].refusal(
          "name", "has coin-settled contracts; list a currency with underlying = \"\(underlying.name)\"")
      }
    }
    try document.finish()
  }

  private static func currencies(
    _ document: inout Section, names: [String]
  ) throws(ListingError) -> [MarketDefinition.CurrencyDefinition] {
    var currencies: [MarketDefinition.CurrencyDefinition] = []
    for var section in try document.tables("currencies") {
      let name = try section.text("name")
      guard ContractName.isTicker(name), !currencies.contains(where: { $0.name == name }) else {
        throw section.refusal("name", "must be 2 to 8 capital letters or digits, and listed once")
      }
      var underlying: UnderlyingID?
      if section.has("underlying") {
        guard let index = names.firstIndex(of: try section.text("underlying")) else {
          throw section.refusal("underlying", "must be one of \(names.joined(separator: ", "))")
        }
        underlying = UnderlyingID(UInt8(index))
        if currencies.contains(where: { $0.underlying == underlying }) {
          throw section.refusal("underlying", "has a currency already")
        }
      }
      guard currencies.isEmpty == (underlying == nil) else {
        throw section.refusal(
          "underlying", "the first currency is the dollar and has none, every other needs one",
          value: underlying == nil ? "missing" : nil)
      }
      let weight = try section.integer("collateral_weight_ppm", default: 1_000_000, in: 0...1_000_000)
      guard underlying != nil || weight == 1_000_000 else {
        throw section.refusal("collateral_weight_ppm", "the dollar counts whole: must be 1000000")
      }
      let token = try section.address("token", default: LocalAddress.token(currencies.count))
      if currencies.contains(where: { $0.token == token }) { throw section.refusal("token", "is used twice") }
      currencies.append(
        .init(name: name, underlying: underlying, collateralWeight: UInt32(weight), token: token))
      try section.finish()
    }
    guard (1...64).contains(currencies.count) else {
      throw document.refusal("currencies", "must be 1 to 64, the dollar first", value: "\(currencies.count)")
    }
    return currencies
  }
}
