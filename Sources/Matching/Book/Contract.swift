import Market

/// The numbers of an instrument that the path of an order needs, free of reference counts. The formulas are
/// `Instrument`'s own, with a short way for products that fit 64 bits.
struct Contract: BitwiseCopyable {
  /// Amounts of money beyond this (about 11.5 billion) are refused per order, so that sums of a few always fit.
  static let largestAmount: Int64 = 1 << 60
  /// Accumulated ledgers, positions and levels stay within ± this.
  static let largestSum: Int64 = (1 << 62) - 1

  let tick: Divider
  let lot: Divider
  let minimumLots: Int64
  let maximumLots: Int64
  /// Linear and in USD.
  let isPlain: Bool
  let kind: Instrument.Kind
  let settlement: Instrument.Settlement
  /// Whether amounts are in USD already.
  let isDollar: Bool
  /// Lowest price with a coarser tick; beyond all prices where there is none.
  let coarseFrom: Int64
  /// Lowest tick that a price may have.
  let lowestTick: Int64
  /// Largest position, in lots, whose quantity stays within 2^62 units.
  let largestPosition: Int64
  let expiry: Timestamp

  init(_ instrument: Instrument) {
    settlement = instrument.settlement
    isDollar = instrument.settlementCurrency == .usd
    kind = instrument.kind
    tick = Divider(instrument.tickSize.units)
    lot = Divider(instrument.lotSize.units)
    isPlain = settlement == .linear && isDollar
    minimumLots = instrument.minimumOrder.count
    coarseFrom = instrument.tickSteps.first?.from.units ?? .max
    lowestTick = instrument.settlement == .inverse ? 1 : 0
    largestPosition = Self.largestSum / instrument.lotSize.units
    maximumLots = min(instrument.maximumOrder.count, largestPosition)
    expiry = instrument.expiry
  }

  @inline(__always) var tickSize: Int64 { tick.size }
  @inline(__always) var lotSize: Int64 { lot.size }
  /// Whether an order may be of so many lots.
  @inline(__always) func admits(_ lots: Int64) -> Bool {
    lots >= minimumLots && lots <= maximumLots
  }

  /// What `lots` > 0 are worth at `price`, in the settlement currency, rounded down.
  @inline(__always) func notional(_ lots: Int64, at price: Int64) -> Int64? {
    let (quantity, overflow) = lots.multipliedReportingOverflow(by: lotSize)
    if overflow { return nil }
    if settlement == .inverse { return ExactDivision.floor(quantity, times: fixedPointScale, by: price) }
    return Self.floorOfScaled(quantity, price)
  }

  /// ⌊a·b / 10^8⌋.
  @inline(__always) static func floorOfScaled(_ a: Int64, _ b: Int64) -> Int64? {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    if !overflow && product >= 0 { return Int64(UInt64(product) / UInt64(fixedPointScale)) }
    return ExactDivision.floor(a, times: b, by: fixedPointScale)
  }
  /// ⌈a·b / 10^8⌉.
  @inline(__always) static func ceilingOfScaled(_ a: Int64, _ b: Int64) -> Int64? {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    if !overflow && product >= 0 {
      return Int64((UInt64(product) + UInt64(fixedPointScale - 1)) / UInt64(fixedPointScale))
    }
    return ExactDivision.ceiling(a, times: b, by: fixedPointScale)
  }
  /// ⌈amount·rate / 10^6⌉ for an amount that is not negative: a fee or a multiplied margin.
  @inline(__always) static func share(_ amount: Int64, perMillion rate: UInt32) -> Int64? {
    if amount == 0 || rate == 0 { return 0 }
    let (product, overflow) = amount.multipliedReportingOverflow(by: Int64(rate))
    if !overflow { return Int64((UInt64(product) + 999_999) / 1_000_000) }
    return ExactDivision.ceiling(amount, times: Int64(rate), by: 1_000_000)
  }

  /// How much worse than `mark` the limit `price` is, in the settlement currency, rounded up and never negative.
  @inline(__always) func lossToMark(_ side: Side, _ lots: Int64, at price: Int64, mark: Int64) -> Int64? {
    let isWorse = side == .buy ? price > mark : price < mark
    if !isWorse { return 0 }
    let (quantity, overflow) = lots.multipliedReportingOverflow(by: lotSize)
    if overflow { return nil }
    if settlement == .inverse {
      // Buying q at p gets q/p coins and owes q/m; selling is the mirror image.
      let low = side == .buy ? mark : price
      let high = side == .buy ? price : mark
      guard let owed = ExactDivision.ceiling(quantity, times: fixedPointScale, by: low),
        let paid = ExactDivision.floor(quantity, times: fixedPointScale, by: high)
      else { return nil }
      return max(0, owed - paid)
    }
    return Self.ceilingOfScaled(quantity, side == .buy ? price - mark : mark - price)
  }

  /// An amount of the settlement currency in USD at `index`, rounded up.
  @inline(__always) func dollars(_ amount: Int64, index: Int64) -> Int64? {
    isDollar || amount == 0 ? amount : Self.ceilingOfScaled(amount, index)
  }
}
