import Market

/// What initial margin one lot more can add at most to any portfolio: the stand-alone margin that a shard charges.
///
/// The initial margin of an underlying is factor · worst loss over the scenarios, and worst loss is subadditive:
/// the worst of a sum is at most the sum of the worsts. So the worst loss of one lot *and of the coins that pay for
/// it* alone covers what that lot adds to any portfolio. On top come, each only where it applies:
///
/// - coins paid at a price off the mark but within the band: the coins' own risk (their value is the loss to mark,
///   which is charged apart),
/// - coins paid as fee, likewise,
/// - the haircut on coins gained by a price better than the mark (coins against a position of equal value are no gain),
/// - a contingency for each short option,
/// - a guard for roundings: of the fill's coins and the position's to 1e-8 each, of the coins' array to 1e-8 dollars,
///   of the factor's product.
struct CoveringMargin {
  let instrument: Instrument
  /// USD per coin.
  let index: Double
  /// In the instrument's quotation.
  let mark: Double
  let band: PriceBand
  /// The published array of one lot, in units of 1e-8 dollars.
  let lotArray: [Int64]
  /// The published array of one whole coin.
  let coinArray: [Int64]
  /// Part of the worst loss that initial margin asks for.
  let initialFactor: Double
  /// Part of a coin's value that counts as margin.
  let collateralWeight: Double
  /// The larger of the two fees, as a part of notional: a shard charges it before it knows which applies.
  let feeRate: Double
  let shortOptionContingency: Double

  /// Units of 1e-8 dollars that no single rounding reaches.
  private static let guardUnits = 16.0

  /// Coins that the ledger of one side moves by when one lot trades at `price`; zero when dollars pay.
  private func coins(_ side: Side, at price: Double) -> Double {
    let quantity = instrument.lotSize.amount * Double(side.sign)
    return switch instrument.settlement {
    case .linear: 0
    case .coin: -quantity * price
    case .inverse: quantity / price
    }
  }

  /// Margin of one lot in USD.
  func margin(_ side: Side) throws(PricingRefusal) -> Money {
    let paid = coins(side, at: mark)
    let paidAtBand = [coins(side, at: band.low.dollars), coins(side, at: band.high.dollars)]
    var worst = 0.0
    var coinGain = 0.0
    var coinLoss = 0.0
    for (lot, coin) in zip(lotArray, coinArray) {
      worst = max(worst, -(Double(side.sign) * Double(lot) + paid * Double(coin)))
      coinGain = max(coinGain, Double(coin))
      coinLoss = max(coinLoss, -Double(coin))
    }
    let missing = max(0, paid - min(paidAtBand[0], paidAtBand[1]))
    let surplus = max(0, max(paidAtBand[0], paidAtBand[1]) - paid)
    let offMark = max(missing * coinGain, surplus * coinLoss)
    let largest = max(abs(paidAtBand[0]), abs(paidAtBand[1]))
    let fee = feeRate * largest * coinGain
    let scale = Double(fixedPointScale)
    let haircut = (1 - collateralWeight) * surplus * index * scale
    let contingency =
      side == .sell && instrument.kind.isOption
      ? shortOptionContingency * index * instrument.lotSize.amount * scale : 0
    let coinRounding = initialFactor * (coinGain + coinLoss) / scale + index
    let rounding = Self.guardUnits + (instrument.settlement == .linear ? 0 : 2 * coinRounding)
    let total = initialFactor * (worst + offMark + fee) + haircut + contingency + rounding
    guard let units = ScaledInteger.ceiling(units: total), units > 0 else {
      throw PricingRefusal(field: "margin to \(side)", value: "\(total / scale)", rule: "must be a positive number")
    }
    return Money(units: units)
  }
}
