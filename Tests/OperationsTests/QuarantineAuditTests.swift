import Bytes
import Cluster
import Cryptography
import Machine
import Market
import Matching
import Operations
import Testing
import Wire

/// Inputs that were kept from their machine, as auditors and verifiers see them.
@Suite struct QuarantineAuditTests {
  private static let house = PrivateKey.generate()

  /// An honest run, in which `change` may touch the quarantine of an order and of a message before they are journalled.
  private static func audit(
    signer: PrivateKey = house, _ change: (inout Quarantine) -> Void = { _ in }
  ) throws -> AuditReport {
    let cluster = try InProcessCluster { $0.parameters.operatorAddress = house.address }
    defer { InProcessCluster.remove(cluster.path) }
    var day = TradingDay(seed: 7)
    try day.open(cluster)
    try day.trade(cluster, actions: 40)
    let operation = Market.Operation(
      kind: .new, side: .buy, instrument: TestMarket.perpetual, price: Price(whole: 90_000),
      quantity: cluster.market.instruments[0].lotSize)
    let action = try cluster.signing.signedBatch(
      [operation], account: AccountID(1), nonce: 987_654,
      expiry: UInt64(MachineClock.wall().seconds) + 60, underlying: UnderlyingID(0), key: TestMarket.key(0))
    let bytes = action.encoded
    var quarantine = Quarantine(
      machine: .shard(ShardID(0)), kind: .action,
      digest: bytes.withUnsafeBytes { QuarantineDigest.digest(of: .action, $0) }, deaths: 3,
      decided: MachineClock.wall(), signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
    quarantine = QuarantineDigest(cluster.market.parameters).signed(quarantine, by: signer)
    change(&quarantine)
    try cluster.log.append(.submitted(account: AccountID(1), nonce: 987_654, operations: 1))
    try cluster.shards[0].submit(
      .quarantined, bytes.withUnsafeBytes { QuarantinedInput.payload(quarantine, $0) })
    try #require(try cluster.windDown())
    let told = cluster.replies.last { $0.nonce == 987_654 }
    #expect(told?.results.map(\.outcome) == [.quarantined])
    try cluster.close()
    return try Auditor.audit(dataDirectory: cluster.path)
  }

  @Test func anOrderThatTheOperatorPutAsideIsSound() throws {
    let report = try Self.audit()
    #expect(report.isSound, "\(report.text)")
  }

  @Test func anOrderThatWasPutAsideWithoutTheOperatorsWordIsABreach() throws {
    let forged = try Self.audit(signer: PrivateKey.generate())
    #expect(forged[.deterministic]?.breaches ?? 0 > 0, "\(forged.text)")
    let changed = try Self.audit { $0.deaths = 9 }
    #expect(changed[.deterministic]?.breaches ?? 0 > 0, "\(changed.text)")
    let other = try Self.audit { $0.digest = .zero }
    #expect(other[.deterministic]?.breaches ?? 0 > 0, "\(other.text)")
  }
}
