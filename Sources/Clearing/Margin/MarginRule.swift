import Market

/// The arithmetic that the aggregator and the marks oracle share, so that a stand-alone charge covers the margin it
/// causes. Integers only; every rounding is against the account.
public enum MarginRule {
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

  /// Stand-alone initial margin of one lot, as published in `ShardMarks`.
  public struct PerLot: Sendable, Hashable {
    /// Of one lot bought and of one lot sold, in USD, rounded up.
    public var toBuy: Money
    public var toSell: Money
  }

  /// The stand-alone margins of one lot such that, for any portfolio at these marks and any fill inside the bands,
  /// margin × lots + loss to mark + fees ≥ the fall of (equity − initial margin) that the fill causes.
  ///
  /// - Parameters:
  ///   - profitAndLoss: USD change of one held lot's value in each scenario in use (a coin value at the scenario's own
  ///     coin price).
  ///   - coinProfitAndLoss: USD change of one whole coin in each scenario; of the settlement currency's underlying.
  ///   - currencyIndex: USD per settlement-currency unit (1 for the dollar).
  ///   - index: USD index of the underlying.
  ///   - band: how far from the mark a fill may be, in the instrument's quotation; only coin-settled ones feel it.
  /// - Returns: `nil` when a margin does not fit into 64 bits or the mark cannot be one.
  public static func perLot(
    _ instrument: Instrument, mark: Price, index: Price, currencyIndex: Price, profitAndLoss: [Money],
    coinProfitAndLoss: [Money], band: Price, parameters: MarketParameters
  ) -> PerLot? {
    let one = Lots(1)
    let fee = max(parameters.makerFee, parameters.takerFee)
    guard fee <= 1_000_000, mark >= .zero, band >= .zero, currencyIndex >= .zero,
      coinProfitAndLoss.allSatisfy({ $0.units.magnitude <= UInt64(RiskLimits.amount) })
    else { return nil }
    var cash = Int128(0)
    var coinMove = Int128(0)
    if instrument.settlement != .linear {
      guard let flow = instrument.buyerCashFlow(one, at: mark) else { return nil }
      cash = Int128(flow.units)
      coinMove = coinProfitAndLoss.reduce(0) { max($0, Int128($1.units.magnitude)) }
    }
    var worst = (buy: Int128(0), sell: Int128(0))
    for (lane, value) in profitAndLoss.enumerated() {
      let coin = coinMove == 0 || lane >= coinProfitAndLoss.count ? 0 : Int128(coinProfitAndLoss[lane].units)
      let bought = Int128(value.units) + (cash * coin).flooredQuotient(by: Int128(fixedPointScale))
      worst.buy = max(worst.buy, -bought)
      worst.sell = max(worst.sell, bought)
    }
    // What the coins paid beyond the mark, and the fee's, would have earned in the best scenario; and roundings.
    var slack = Int128(4) + 2 * Int128(currencyIndex.units / fixedPointScale + 1)
    if coinMove > 0 {
      let far: Price? =
        instrument.settlement == .inverse
        ? (mark.units > band.units ? Price(units: mark.units - band.units) : nil)
        : Price(units: Int64(clamping: Int128(mark.units) + Int128(band.units)))
      guard let far, let flow = instrument.buyerCashFlow(one, at: far) else { return nil }
      let beyond = Int128((Int128(flow.units) - cash).magnitude)
      let paid = (Int128(flow.units.magnitude) * Int128(fee)).ceiledQuotient(by: 1_000_000)
      slack += ((beyond + paid + 2) * coinMove).ceiledQuotient(by: Int128(fixedPointScale))
    }
    let factor = parameters.initialMarginFactor
    let short = Int128(contingency(ofShortLot: instrument, index: index))
    guard (worst.buy + slack).bounded != nil, (worst.sell + slack).bounded != nil,
      let toBuy = Int64(exactly: margin(forLoss: worst.buy + slack, factor: factor) + slack + 1),
      let toSell = Int64(exactly: margin(forLoss: worst.sell + slack, factor: factor) + slack + short + 1)
    else { return nil }
    return PerLot(toBuy: Money(units: toBuy), toSell: Money(units: toSell))
  }
}
