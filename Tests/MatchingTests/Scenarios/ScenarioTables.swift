/// Every table of cases: what a line asks for, and what the engine says to it (see `ScenarioOperation`, `ScenarioStage`
/// and `ScenarioEar` for the words).
enum ScenarioTables {
  static let all =
    basics + refusals + selfTrade + icebergs + reduceOnly + stops + quotes + protection + auctions + sweeps
    + massCancels + credit + allOrNothing
}
