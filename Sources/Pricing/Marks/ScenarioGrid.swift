import Market

/// The scenarios of the risk arrays, lane by lane.
public struct ScenarioGrid: Sendable, Hashable {
  /// Fewest scenarios of a grid that deserves the name.
  public static let fewest = 16

  public let scenarios: [Scenario]
  public let shocks: VolatilityShocks

  /// Refuses fewer than 16 or more than 32 scenarios, a grid without the unmoved one, and absurd numbers.
  public init(scenarios: [Scenario], shocks: VolatilityShocks = VolatilityShocks()) throws(PricingRefusal) {
    guard (Self.fewest...scenarioLanes).contains(scenarios.count) else {
      throw PricingRefusal(
        field: "scenarios", value: "\(scenarios.count)", rule: "must be \(Self.fewest) to \(scenarioLanes)")
    }
    for (index, scenario) in scenarios.enumerated() {
      try PricingRefusal.require(scenario.priceFactor, in: 0.01...10, "scenarios[\(index)].price_factor")
      try PricingRefusal.require(scenario.damping, in: 0...10, "scenarios[\(index)].damping")
    }
    guard scenarios.contains(where: \.isUnmoved) else {
      throw PricingRefusal(field: "scenarios", value: "all moved", rule: "one must leave price and volatility")
    }
    try PricingRefusal.require(shocks.up, in: 0...10, "shocks.up")
    try PricingRefusal.require(shocks.down, in: 0...1, "shocks.down")
    try PricingRefusal.require(shocks.shortTermPower, in: 0...2, "shocks.short_term_power")
    try PricingRefusal.require(shocks.longTermPower, in: 0...2, "shocks.long_term_power")
    try PricingRefusal.require(shocks.shortestDays, in: 0.01...30, "shocks.shortest_days")
    try PricingRefusal.require(shocks.leastShockedUp, in: 0...10, "shocks.least_shocked_up")
    self.scenarios = scenarios
    self.shocks = shocks
  }

  /// The grid of PMRM_2: price by 0, ±4.5, ±9 and ±13.5 % with volatility down, unmoved and up, ±18 % with
  /// volatility up, and six damped tails from −66 % to +300 %; 29 lanes. The lanes that follow are left for the two
  /// skew scenarios.
  public static let standard: ScenarioGrid = {
    var scenarios = [Scenario(priceFactor: 1.18, volatility: .up)]
    for factor in [1.135, 1.09, 1.045, 1, 0.955, 0.91, 0.865] {
      for volatility in [Scenario.VolatilityShock.down, .none, .up] {
        scenarios.append(Scenario(priceFactor: factor, volatility: volatility))
      }
    }
    scenarios.append(Scenario(priceFactor: 0.82, volatility: .up))
    for (factor, damping) in [
      (0.34, 0.6 / 11), (0.67, 1.2 / 11), (1.5, 0.072), (2, 0.036), (3, 0.018), (4, 0.012),
    ] {
      scenarios.append(Scenario(priceFactor: factor, volatility: .up, damping: damping))
    }
    guard let grid = try? ScenarioGrid(scenarios: scenarios) else { preconditionFailure("the grid is sane") }
    return grid
  }()
}
