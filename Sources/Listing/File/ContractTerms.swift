import Market

/// Tick, lot and largest order of one kind of contract in one quotation.
public struct ContractTerms: Sendable, Hashable {
  public enum Kind: UInt8, Sendable, CaseIterable {
    case perpetual = 0
    case future = 1
    case option = 2
  }
  static let kinds: [(String, Kind)] = [("perpetual", .perpetual), ("future", .future), ("option", .option)]
  static let quotings: [(String, Instrument.Settlement)] = [
    ("linear", .linear), ("coin", .coin), ("inverse", .inverse),
  ]

  public var kind: Kind
  public var quoting: Instrument.Settlement
  public var tickSize: Price
  public var lotSize: Quantity
  /// In lots.
  public var maximumOrder: Lots

  /// One `[[underlyings.contracts]]` table.
  init(reading section: Section) throws(ListingError) {
    var section = section
    kind = try section.word("kind", of: Self.kinds)
    quoting = try section.word("quoting", of: Self.quotings)
    guard quoting != (kind == .option ? .inverse : .coin) else {
      throw section.refusal("quoting", "options are linear or coin, futures and perpetuals linear or inverse")
    }
    tickSize = try section.decimal("tick_size")
    lotSize = Quantity(units: try section.decimal("lot_size").units)
    maximumOrder = Lots(try section.integer("maximum_order", default: 10_000, in: 1...1_000_000_000))
    // Notional is computed in 64 bits: the largest order must leave room for prices.
    let (units, overflow) = lotSize.units.multipliedReportingOverflow(by: maximumOrder.count)
    guard !overflow, units <= 1_000_000_000_000_000_000 else {
      throw section.refusal("maximum_order", "times lot_size must be at most 10000000000", value: "\(maximumOrder)")
    }
    try section.finish()
  }
}
