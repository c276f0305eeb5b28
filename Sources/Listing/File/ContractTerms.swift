import Market

/// Ticks, lot, smallest and largest order of one kind of contract in one quotation.
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
  /// Coarser ticks at higher prices, ascending.
  public var tickSteps: [Instrument.TickStep]
  public var lotSize: Quantity
  /// In lots.
  public var maximumOrder: Lots
  /// In lots.
  public var minimumOrder: Lots

  /// One `[[underlyings.contracts]]` table.
  init(reading section: Section) throws(ListingError) {
    var section = section
    kind = try section.word("kind", of: Self.kinds)
    quoting = try section.word("quoting", of: Self.quotings)
    guard quoting != (kind == .option ? .inverse : .coin) else {
      throw section.refusal("quoting", "options are linear or coin, futures and perpetuals linear or inverse")
    }
    tickSize = try section.decimal("tick_size")
    tickSteps = try Self.steps(&section, tickSize)
    lotSize = Quantity(units: try section.decimal("lot_size").units)
    maximumOrder = Lots(try section.integer("maximum_order", default: 10_000, in: 1...1_000_000_000))
    minimumOrder = Lots(try section.integer("minimum_order", default: 1, in: 1...1_000_000_000))
    guard minimumOrder <= maximumOrder else {
      throw section.refusal("minimum_order", "must not exceed maximum_order, \(maximumOrder)")
    }
    // Notional is computed in 64 bits: the largest order must leave room for prices.
    let (units, overflow) = lotSize.units.multipliedReportingOverflow(by: maximumOrder.count)
    guard !overflow, units <= 1_000_000_000_000_000_000 else {
      throw section.refusal("maximum_order", "times lot_size must be at most 10000000000", value: "\(maximumOrder)")
    }
    try section.finish()
  }

  /// `tick_steps = [[from, tick], …]`: each step begins on a tick of its own and of the one below.
  private static func steps(
    _ section: inout Section, _ tickSize: Price
  ) throws(ListingError) -> [Instrument.TickStep] {
    let key = "tick_steps"
    let steps = try section.pairs(key).map { Instrument.TickStep(from: $0.0, tick: $0.1) }
    guard steps.count <= Instrument.mostTickSteps else {
      throw section.refusal(key, "must be at most \(Instrument.mostTickSteps) steps")
    }
    var below = Instrument.TickStep(from: .zero, tick: tickSize)
    for step in steps {
      let value = "[\(step.from), \(step.tick)]"
      guard step.from > below.from, step.tick > below.tick else {
        throw section.refusal(key, "prices and ticks must ascend, and be above tick_size", value: value)
      }
      guard step.tick.units % tickSize.units == 0 else {
        throw section.refusal(key, "a tick must be a multiple of tick_size, \(tickSize)", value: value)
      }
      guard step.from.units % step.tick.units == 0, step.from.units % below.tick.units == 0 else {
        throw section.refusal(
          key, "a step must begin on a tick of its own and of the one below, \(below.tick)", value: value)
      }
      below = step
    }
    return steps
  }
}
