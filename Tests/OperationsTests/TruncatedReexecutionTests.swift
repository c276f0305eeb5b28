import Bytes
import Clearing
import Cluster
import Foundation
import Journal
import Listing
import Machine
import Market
import Matching
import Operations
import Settlement
import Testing

@testable import VerifierNode

/// Verifiers and auditors of journals whose first entries are gone.
@Suite struct TruncatedReexecutionTests {
  /// What is left of a cluster.
  private struct Stopped {
    var path: String
    var market: MarketDefinition
  }

  /// A cluster that has traded a good deal, and let go of its journals.
  private static func stopped() throws -> Stopped {
    let cluster = try InProcessCluster()
    var day = TradingDay(seed: 31)
    try day.open(cluster)
    while cluster.finalEpoch.rawValue <= 4 {
      try day.trade(cluster, actions: 40)
      try #require(try cluster.windDown())
    }
    try cluster.close()
    return Stopped(path: cluster.path, market: cluster.market)
  }

  private static func map(_ cluster: Stopped) -> ClusterMap {
    ClusterMap(
      dataDirectory: cluster.path, nodes: [], endpoints: [:], operatorPublicKey: "", shardCount: 2, settings: .init())
  }

  private static func machines(_ cluster: Stopped) throws -> ClusterReexecution.Machines {
    try ClusterReexecution.open(map: map(cluster), market: cluster.market)
  }

  private static func hashes(_ machines: ClusterReexecution.Machines) -> [UInt64] {
    machines.together.all.map(\.stateHash)
  }

  @Test func whatIsLeftIsExecutedFromItsSnapshotsAndComesToWhatTheMachinesWere() throws {
    let cluster = try Self.stopped()
    defer { InProcessCluster.remove(cluster.path) }
    let whole = try Self.machines(cluster)
    try whole.together.advanceToEnd()
    let expected = Self.hashes(whole)
    try TruncatedJournals.make(in: cluster.path)
    let rest = try Self.machines(cluster)
    try rest.together.advanceToEnd()
    #expect(Self.hashes(rest) == expected)
    for machine in rest.together.all { #expect(machine.firstSequence.rawValue > 1, "\(machine.id)") }
    // Streams were compared from where both ends are known to where they end.
    let fills = rest.risk.reconciled(from: .shard(ShardID(0)))
    #expect(fills == whole.risk.reconciled(from: .shard(ShardID(0))))
    #expect(fills > rest.risk.startNumber(from: .shard(ShardID(0))))
  }

  @Test func aVerifierStartedAgainGoesOnFromWhatItHadSavedAndComesToTheSame() throws {
    let cluster = try Self.stopped()
    defer { InProcessCluster.remove(cluster.path) }
    let first = try Self.machines(cluster)
    #expect(try first.together.advance(past: Epoch(2)))
    let directory = "\(cluster.path)/verifiers/verifier-0"
    let saved = VerifierState(epoch: Epoch(2), headers: [Epoch(1): Digest.zero])
    try VerifierState.save(saved.body(with: first.together.all), in: directory)
    let executed = first.together.all.map(\.lastSequence)
    try first.together.advanceToEnd()

    let second = try Self.machines(cluster)
    let state = try #require(try VerifierState.restore(second.together.all, from: directory))
    #expect(state.epoch == Epoch(2) && state.headers == saved.headers)
    #expect(second.together.all.map(\.lastSequence) == executed)
    for machine in second.together.all { #expect(machine.firstSequence == SequenceNumber(1)) }
    for epoch in UInt32(2)...4 { #expect(try second.together.advance(past: Epoch(epoch))) }
    try second.together.advanceToEnd()
    #expect(Self.hashes(second) == Self.hashes(first))
    #expect(second.settlement.effects.map(\.payload) == first.settlement.effects.map(\.payload))
  }

  @Test func aSavedStateThatIsDamagedOrOfAnotherMarketIsRefused() throws {
    let cluster = try Self.stopped()
    defer { InProcessCluster.remove(cluster.path) }
    let machines = try Self.machines(cluster)
    #expect(try machines.together.advance(past: Epoch(1)))
    let directory = "\(cluster.path)/verifiers/verifier-0"
    #expect(try VerifierState.restore(machines.together.all, from: directory) == nil)
    try VerifierState.save(
      VerifierState(epoch: Epoch(1), headers: [:]).body(with: machines.together.all), in: directory)
    var market = cluster.market
    market.parameters.chainID += 1
    let others = try ClusterReexecution.open(map: Self.map(cluster), market: market)
    #expect(throws: SavedStateError.self) { try VerifierState.restore(others.together.all, from: directory) }
    var bytes = [UInt8](try #require(FileManager.default.contents(atPath: "\(directory)/state")))
    bytes[bytes.count / 2] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: "\(directory)/state"))
    #expect(throws: SavedFileError.self) { try VerifierState.restore(machines.together.all, from: directory) }
  }

  /// Puts the state of an earlier place where the snapshot that a truncated journal begins after was.
  private static func forgeFirstSnapshot(in cluster: Stopped) throws {
    let machine = MachineID.shard(ShardID(0))
    let journal = try Journal(directory: "\(cluster.path)/journal/\(machine)", machine: machine)
    let first = try #require(try journal.snapshots().first).sequence
    let genuine = try #require(try journal.reader().snapshot(at: first))
    var other = try MachineReplay<ShardMachine>(journal.reader(), from: genuine)
    try other.step(entries: 20)
    var forged = other.snapshot()
    forged.position = genuine.position
    try journal.begin()
    try journal.discardSnapshot(first)
    try journal.commit()
    try journal.keep(forged)
    try journal.begin()
    try journal.markSnapshotVerified(first)
    try journal.commit()
  }

  @Test func aJournalThatDoesNotFollowFromTheSnapshotItBeginsAfterIsFound() throws {
    let cluster = try Self.stopped()
    defer { InProcessCluster.remove(cluster.path) }
    try TruncatedJournals.make(in: cluster.path)
    let sound = try JournalVerification([], dataDirectory: cluster.path)
    #expect(sound.isGood, "\(sound.text)")
    #expect(sound.json.contains("from_sequence"))
    try Self.forgeFirstSnapshot(in: cluster)
    let found = try JournalVerification(["shard-0"], dataDirectory: cluster.path)
    #expect(!found.isGood && found.text.contains("CONTRADICTED"), "\(found.text)")
    let machines = try Self.machines(cluster)
    #expect(throws: ReexecutionBreach.self) { try machines.together.advanceToEnd() }
  }

  /// The file that the supervisor writes when it opens a market.
  private static func saveListing(of cluster: Stopped) throws {
    var root = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: root.appendingPathComponent("Package.swift").path) {
      root.deleteLastPathComponent()
    }
    let file = try ListingFile.load(root.appendingPathComponent("cluster/config/instruments.toml").path)
    var listing = try file.open(at: MachineClock.wall(), shards: 2)
    listing.market = cluster.market
    try Data(listing.encoded).write(to: URL(fileURLWithPath: map(cluster).listingFile))
  }

  @Test func anAuditOfTruncatedJournalsChecksWhatItCanAndCallsTheRestUnchecked() throws {
    let cluster = try Self.stopped()
    defer { InProcessCluster.remove(cluster.path) }
    try TruncatedJournals.make(in: cluster.path)
    // The first entry told the market; without it, the file of the first opening does.
    #expect(throws: AuditError.self) { try Auditor.audit(dataDirectory: cluster.path) }
    try Self.saveListing(of: cluster)
    let report = try Auditor.audit(dataDirectory: cluster.path)
    #expect(!report.isSound)
    #expect(report.from_sequence?.values.allSatisfy { $0 > 1 } == true && report.from_sequence?.count == 4)
    for invariant in report.invariants {
      #expect(invariant.breaches == 0, "\(invariant.name): \(invariant.details)")
      let isChecked = !["credit", "conservation", "solvency", "order_terms", "positions"].contains(invariant.name)
      #expect((invariant.checks > 0) == isChecked, "\(invariant.name): \(invariant.checks)")
    }
    try Self.forgeFirstSnapshot(in: cluster)
    let forged = try Auditor.audit(dataDirectory: cluster.path)
    #expect(forged.invariants.contains { $0.breaches > 0 })
  }
}
