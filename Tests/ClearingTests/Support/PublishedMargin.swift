import Market

@testable import Clearing
@testable import Pricing

/// Stand-alone margins of one lot as the marks oracle publishes them: its own rule, at the aggregator's own marks.
struct PublishedMargin {
  var toBuy: Money
  var toSell: Money

  /// - Parameter band: how far from the mark a fill may be, in the instrument's quotation.
  init(_ instrument: Instrument, on board: RiskBoard, band: Price) throws(PricingRefusal) {
    let id = Int(instrument.id.rawValue)
    let underlying = Int(instrument.underlying.rawValue)
    let currency = board.definition.currencies[Int(instrument.settlementCurrency.rawValue)]
    let parameters = board.definition.parameters
    let lanes = 0..<board.quotations[underlying].scenarioCount
    let scale = Double(fixedPointScale)
    let mark = Double(board.marks[id]) / scale
    // Marks of these tests are noise and may lie far beyond a book's ladder; a finer one does as well.
    let tick = Price(units: max(1, board.marks[id] >> 20))
    let covering = CoveringMargin(
      instrument: instrument, index: Double(board.quotations[underlying].index) / scale, mark: mark,
      band: try PriceBand(around: mark, halfWidth: Double(band.units) / scale, tickSize: tick),
      lotArray: lanes.map { board.profitAndLoss[id * scenarioLanes + $0] },
      coinArray: lanes.map { board.coins[underlying * scenarioLanes + $0] },
      initialFactor: Double(parameters.initialMarginFactor) / 1e6,
      collateralWeight: Double(currency.collateralWeight) / 1e6,
      feeRate: Double(max(parameters.makerFee, parameters.takerFee)) / 1e6,
      shortOptionContingency: Double(RiskPolicy.shortOptionContingency) / 1e6)
    toBuy = try covering.margin(.buy)
    toSell = try covering.margin(.sell)
  }
}
