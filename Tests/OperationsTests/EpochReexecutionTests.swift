import Clearing
import Cluster
import Foundation
import Machine
import Market
import Matching
import Settlement
import Testing
import Wire

/// Epochs executed again together.
@Suite struct EpochReexecutionTests {
  /// A verifier executes the coordinator on until it has made an epoch's header, which takes epochs while a commitment
  /// is late.
  @Test func aCoordinatorThatIsExecutedEpochsAheadIsNotTakenForOneThatHeardWhatNobodySaid() throws {
    let cluster = try InProcessCluster()
    defer { InProcessCluster.remove(cluster.path) }
    var day = TradingDay(seed: 3)
    try day.open(cluster)
    // An epoch takes its time, however fast the machine is.
    while cluster.finalEpoch.rawValue <= 4 {
      try day.trade(cluster, actions: 40)
      try #require(try cluster.windDown())
    }
    try cluster.close()
    let signing = ActionSigning(market: cluster.market)
    func replica<M: Machine & ~Copyable>(_ machine: MachineID, _ type: M.Type) throws -> Replica<M> {
      try Replica<M>(
        machine, directory: "\(cluster.path)/journal/\(machine)", market: cluster.market, signing: signing)
    }
    let settlement = try replica(.settlement, SettlementMachine.self)
    let together = try EpochReexecution(
      machines: cluster.shards.map { try replica($0.id, ShardMachine.self) } + [replica(.risk, RiskMachine.self)],
      coordinator: settlement)
    let last = cluster.finalEpoch.rawValue
    try #require(last > 4)
    for epoch in 1...last - 3 {
      let isAhead = Epoch(epoch + 3)
      while settlement.epoch < isAhead { #expect(try settlement.advanceOneBatch()) }
      #expect(try together.advance(past: Epoch(epoch)))
    }
  }
}
