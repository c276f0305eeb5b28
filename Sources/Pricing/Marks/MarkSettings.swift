/// Numbers of the mark publisher that a person might want to change.
public struct MarkSettings: Sendable, Hashable {
  /// Half-width of the price band of futures and perpetuals, as a part of the mark.
  public var futureBand = 0.10
  /// Half-width of the price band of options: the larger of this part of the mark …
  public var optionBand = 0.50
  /// … and this part of the index.
  public var optionBandOfIndex = 0.05
  /// Added to the margin of selling an option, as a part of the index per unit of underlying; never less than what
  /// clearing asks for each short option, half a per cent.
  public var shortOptionContingency = 0.005
  /// The scenarios of the risk arrays.
  public var grid = ScenarioGrid.standard
  public init() {}

  /// Throws for the first number out of its limits.
  func check() throws(PricingRefusal) {
    try PricingRefusal.require(futureBand, in: 0.000_1...0.9, "marks.future_band")
    try PricingRefusal.require(optionBand, in: 0.000_1...10, "marks.option_band")
    try PricingRefusal.require(optionBandOfIndex, in: 0.000_1...1, "marks.option_band_of_index")
    try PricingRefusal.require(shortOptionContingency, in: 0.005...1, "marks.short_option_contingency")
  }
}
