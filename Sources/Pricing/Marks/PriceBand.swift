import Market

/// The prices between which an instrument may trade: whole ticks around its mark.
struct PriceBand {
  /// Ticks of the highest price of a book, exclusive: the books' price ladders have so many levels.
  static let tickLimit: Int64 = 1 << 22

  let low: Price
  let high: Price

  /// The band `halfWidth` around `mark`, widened to whole ticks, never below one tick. Both in the quotation of the
  /// instrument. Refuses a mark that lies beyond the ladder.
  init(around mark: Double, halfWidth: Double, tickSize: Price) throws(PricingRefusal) {
    let tick = tickSize.dollars
    let lowest = ((mark - halfWidth) / tick).rounded(.down)
    let highest = ((mark + halfWidth) / tick).rounded(.up)
    guard lowest.isFinite, highest.isFinite, mark / tick < Double(Self.tickLimit) else {
      throw PricingRefusal(
        field: "mark", value: "\(mark)", rule: "must be below \(Self.tickLimit) ticks of \(tickSize)")
    }
    let lowTicks = Int64(max(1, min(lowest, Double(Self.tickLimit - 1))))
    let highTicks = Int64(max(1, min(highest, Double(Self.tickLimit - 1))))
    let (high, overflow) = highTicks.multipliedReportingOverflow(by: tickSize.units)
    guard !overflow else {
      throw PricingRefusal(field: "tick size", value: "\(tickSize)", rule: "the band's prices must fit 64 bits")
    }
    low = Price(units: lowTicks * tickSize.units)
    self.high = Price(units: high)
  }
}
