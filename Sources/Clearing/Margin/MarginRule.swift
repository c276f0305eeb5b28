import Market

/// The parts of margin that hold for one instrument or one loss. Integers only; every rounding is against the account.
enum MarginRule {
  /// Contingency of one short lot of an option, in USD units, rounded up; zero for what is no option.
  ///
  /// notional of the lot at the index × `RiskPolicy.shortOptionContingency` / 1e6
  static func contingency(ofShortLot instrument: Instrument, index: Price) -> Int64 {
    guard instrument.kind.isOption else { return 0 }
    let notional =
      instrument.settlement == .inverse
      ? Int128(instrument.lotSize.units) * Int128(fixedPointScale)
      : Int128(instrument.lotSize.units) * Int128(index.units)
    let contingency = (notional.ceiledQuotient(by: Int128(fixedPointScale)) * Int128(RiskPolicy.shortOptionContingency))
      .ceiledQuotient(by: 1_000_000)
    return Int64(clamping: contingency)
  }

  /// Margin that a worst loss asks for: `loss · factor / 1e6`, rounded up.
  static func margin(forLoss loss: Int128, factor: UInt32) -> Int128 {
    (loss * Int128(factor)).ceiledQuotient(by: 1_000_000)
  }
}
