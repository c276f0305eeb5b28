import Bytes
import Clearing
import Cluster
import Market
import Matching
import Operations
import Settlement
import SettlementNode
import Testing

/// An honest cluster is found honest.
@Suite struct CleanRunTests {
  @Test(arguments: [1, 2] as [UInt64])
  func anHonestRunIsSoundInEveryInvariant(seed: UInt64) throws {
    let cluster = try InProcessCluster()
    defer { InProcessCluster.remove(cluster.path) }
    var day = TradingDay(seed: seed)
    try day.open(cluster)
    try day.trade(cluster, actions: 120)
    try cluster.withdraw(0, .usd, Money(whole: 1_000))
    try #require(try cluster.windDown())
    let proof = try #require(cluster.ledger.read { $0.ledger.proof(of: AccountID(1)) })
    try cluster.transact(.withdraw(proof, currency: .usd))
    try cluster.close()
    #expect(cluster.refusals.isEmpty)
    let fills = cluster.shards.reduce(UInt64(0)) { $0 + $1.read { $0.fillNumber } }
    #expect(fills > 50)

    let report = try Auditor.audit(dataDirectory: cluster.path)
    for invariant in report.invariants {
      #expect(invariant.breaches == 0, "\(invariant.name): \(invariant.details)")
      #expect(invariant.checks > 0, "\(invariant.name) was not checked")
    }
    #expect(report.invariants.map(\.name) == InvariantName.allCases.map(\.rawValue))
    #expect(report.isSound)
    #expect(report.epochs == Int(cluster.finalEpoch.rawValue))
    #expect(report.state_root == cluster.ledger.read { $0.postedRoot }.description)
  }

  @Test func aRunningClusterIsAuditedUpToItsLastFinalEpoch() throws {
    let cluster = try InProcessCluster()
    defer { InProcessCluster.remove(cluster.path) }
    var day = TradingDay(seed: 4)
    try day.open(cluster)
    try day.trade(cluster, actions: 80)
    try #require(try cluster.step { cluster.finalEpoch >= Epoch(2) })
    // Acknowledged, and in no final epoch.
    try day.trade(cluster, actions: 2)
    try cluster.log.flush()
    let running = try Auditor.audit(dataDirectory: cluster.path, isRunning: true)
    #expect(running.isSound, "\(running.text)")
    let stopped = try Auditor.audit(dataDirectory: cluster.path)
    #expect(try #require(stopped[.liveness]).breaches > 0)
  }

  @Test func aDirectoryWithoutAClusterIsRefusedInOneLine() throws {
    #expect(throws: AuditError.self) { try Auditor.audit(dataDirectory: "/nowhere/at/all") }
  }
}
