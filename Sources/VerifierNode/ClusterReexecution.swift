import Clearing
import Cluster
import Market
import Matching
import Settlement
import Wire

/// Every machine of a cluster, re-executed from the journals in its data directory.
public enum ClusterReexecution {
  public struct Machines {
    public var shards: [Replica<ShardMachine>]
    public var risk: Replica<RiskMachine>
    public var settlement: Replica<SettlementMachine>
    public var together: EpochReexecution

    public init(
      shards: [Replica<ShardMachine>], risk: Replica<RiskMachine>, settlement: Replica<SettlementMachine>
    ) {
      self.shards = shards
      self.risk = risk
      self.settlement = settlement
      together = EpochReexecution(machines: shards + [risk], coordinator: settlement)
    }

    /// Journals lie where a newer map says.
    public func update(_ map: ClusterMap) {
      for machine in together.all { machine.copies.update(map.journalDirectories(of: machine.id)) }
    }
  }

  /// Opens the journals; they may be growing.
  public static func open(map: ClusterMap, market: MarketDefinition) throws -> Machines {
    let signing = ActionSigning(market: market)
    func copies(_ machine: MachineID) -> JournalCopies {
      JournalCopies(of: machine, in: map.journalDirectories(of: machine))
    }
    let shards = try market.shards.map { shard in
      try Replica<ShardMachine>(
        .shard(shard), copies: copies(.shard(shard)), market: market, signing: signing)
    }
    let risk = try Replica<RiskMachine>(
      .risk, copies: copies(.risk), market: market, signing: signing)
    let settlement = try Replica<SettlementMachine>(
      .settlement, copies: copies(.settlement), market: market, signing: signing)
    return Machines(shards: shards, risk: risk, settlement: settlement)
  }
}
