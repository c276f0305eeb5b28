import Market
import Pricing

/// One underlying as listed: where its index starts, the terms of its contracts, and its expiries.
public struct ListedUnderlying: Sendable {
  public var name: String
  /// USD.
  public var openingIndex: Price
  /// Annual carry of forwards where no expiry says another.
  public var carry: Double
  /// Annual volatility of the built-in index.
  public var indexVolatility: Double
  /// At most one for each kind and quoting.
  public var contracts: [ContractTerms]
  public var expiries: [ListedExpiry]

  /// Whether something of it settles in its coin.
  var needsCoin: Bool { contracts.contains { $0.quoting != .linear } }

  func terms(_ kind: ContractTerms.Kind, _ quoting: Instrument.Settlement) -> ContractTerms? {
    contracts.first { $0.kind == kind && $0.quoting == quoting }
  }

  /// One `[[underlyings]]` table.
  init(reading section: Section) throws(ListingError) {
    var section = section
    name = try section.text("name")
    guard ContractName.isTicker(name) else {
      throw section.refusal("name", "must be 2 to 8 capital letters or digits")
    }
    openingIndex = try section.decimal("opening_index")
    guard openingIndex <= Price(whole: 10_000_000) else {
      throw section.refusal("opening_index", "must be at most 10000000")
    }
    carry = try section.number("carry", default: 0, in: ExpirySlice.carries)
    indexVolatility = try section.number("index_volatility", default: 0.5, in: 0...10)
    var contracts: [ContractTerms] = []
    for contract in try section.tables("contracts") {
      let terms = try ContractTerms(reading: contract)
      guard !contracts.contains(where: { $0.kind == terms.kind && $0.quoting == terms.quoting }) else {
        throw contract.refusal("quoting", "this kind and quoting is listed already")
      }
      contracts.append(terms)
    }
    self.contracts = contracts
    expiries = []
    for table in try section.tables("expiries") {
      let expiry = try ListedExpiry(reading: table, terms: contracts, openingIndex: openingIndex)
      guard !expiries.contains(where: { $0.day == expiry.day }) else {
        throw table.refusal(table.has("days") ? "days" : "date", "is listed already")
      }
      expiries.append(expiry)
    }
    guard expiries.allSatisfy({ $0.options.isEmpty }) || expiries.contains(where: { $0.smile != nil }) else {
      throw section.refusal("expiries", "options need a smile, at one expiry at least", value: "without a smile")
    }
    try section.finish()
  }
}
