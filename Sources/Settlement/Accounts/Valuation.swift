import Bytes
import Market

/// What accounts are worth at one epoch's committed marks and indices.
struct Valuation {
  let definition: MarketDefinition
  /// By instrument; `nil` where risk has committed none yet.
  let marks: [Price?]
  /// By underlying, USD; zero where none has come yet.
  let indices: [Price]

  /// Equity in USD: Σ over currencies of (ledger + Σ position value) × index, rounded down once, at the end. What has
  /// no mark or index yet is worth nothing. `nil` on overflow.
  func equity(ledger: [Money], positions: [PositionEntry]) -> Money? {
    var values = ledger.map { Int128($0.units) }
    for position in positions {
      let place = Int(position.instrument.rawValue)
      guard let instrument = definition[position.instrument], let mark = marks[place] else { continue }
      if instrument.settlement == .inverse, mark.units <= 0 { continue }
      guard let value = instrument.positionValue(position.lots, at: mark) else { return nil }
      values[Int(instrument.settlementCurrency.rawValue)] += Int128(value.units)
    }
    var total: Int128 = 0
    for (currency, value) in values.enumerated() {
      let (product, tooLarge) = value.multipliedReportingOverflow(by: Int128(rate(currency).units))
      let (sum, overflow) = total.addingReportingOverflow(product)
      if tooLarge || overflow { return nil }
      total = sum
    }
    let (quotient, remainder) = total.quotientAndRemainder(dividingBy: Int128(fixedPointScale))
    return Int64(exactly: remainder < 0 ? quotient - 1 : quotient).map(Money.init)
  }

  /// USD per unit of a currency.
  private func rate(_ currency: Int) -> Price {
    guard let underlying = definition.currencies[currency].underlying else { return Price(whole: 1) }
    return Int(underlying.rawValue) < indices.count ? indices[Int(underlying.rawValue)] : .zero
  }
}
