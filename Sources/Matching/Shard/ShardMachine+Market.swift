import Bytes
import Market

extension ShardMachine {
  /// The whole market as the shard knows it: as it began, and what was listed since.
  public var knownMarket: MarketDefinition? {
    guard var market = try? MarketDefinition(decoding: definition) else { return nil }
    market.instruments += listings
    return market
  }
}
