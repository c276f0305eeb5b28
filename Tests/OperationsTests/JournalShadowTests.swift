import Bytes
import Clearing
import Cluster
import Foundation
import Journal
import Machine
import Market
import Matching
import Operations
import Settlement
import Testing

/// Shadows of the real machines, their snapshots, and what may be truncated behind them.
@Suite struct JournalShadowTests {
  /// A stopped cluster that has traded a good deal.
  private static func directory() throws -> String {
    let cluster = try InProcessCluster()
    var day = TradingDay(seed: 23)
    try day.open(cluster)
    try day.trade(cluster, actions: 150)
    try #require(try cluster.windDown())
    try cluster.close()
    return cluster.path
  }

  @Test func everyMachinesSnapshotsAreWhatItsJournalGivesAndItComesBackFromWhatIsLeft() throws {
    let path = try Self.directory()
    defer { InProcessCluster.remove(path) }
    func check<M: Machine & ~Copyable>(_ type: M.Type, _ machine: MachineID) throws {
      let journal = try Journal(directory: "\(path)/journal/\(machine)", machine: machine)
      let last = journal.lastSequence
      // Each shadow goes on from the snapshot before; the machine that never was one must be in the same state.
      for share in [UInt64(3), 2, 1] {
        var shadow = try MachineReplay<M>(journal.reader(), from: journal.latestSnapshot())
        try shadow.advance(to: SequenceNumber(last.rawValue / share))
        try journal.keep(shadow.snapshot())
        try journal.verifySnapshot(type)
      }
      #expect(try journal.snapshots().map(\.isVerified) == [true, true, true], "\(machine)")
      var whole = try MachineReplay<M>(journal.reader(), from: nil)
      try whole.advance(to: last)
      #expect(try journal.latestSnapshot()?.bytes == whole.snapshot().bytes, "\(machine)")

      let older = try journal.snapshots()[0].sequence
      try journal.begin()
      let gone = try journal.truncate(through: older, atMost: .max)
      try journal.commit()
      #expect(gone == older)
      let back: M = try MachineRecovery.read(machine, directory: "\(path)/journal/\(machine)")
      #expect(back.stateHash() == whole.machine.stateHash(), "\(machine)")
    }
    try check(ShardMachine.self, .shard(ShardID(0)))
    try check(ShardMachine.self, .shard(ShardID(1)))
    try check(RiskMachine.self, .risk)
    try check(SettlementMachine.self, .settlement)

    // What the commands say of truncated journals.
    #expect(try JournalVerification([], dataDirectory: path).isGood)
    let list = try JSONSerialization.jsonObject(with: Data(JournalList(dataDirectory: path).json.utf8))
    for journal in (list as? [String: Any])?["journals"] as? [[String: Any]] ?? [] {
      let first = try #require(journal["first_sequence"] as? Int)
      #expect(first > 1)
      let name = try #require(journal["machine"] as? String)
      #expect(throws: CommandMistake.self) {
        _ = try JournalExcerpt(name, from: UInt64(first) - 1, count: 1, withPayload: false, dataDirectory: path)
      }
      _ = try JournalExcerpt(name, from: nil, count: 100_000, withPayload: false, dataDirectory: path)
      #expect(throws: CommandMistake.self) {
        _ = try JournalExport(name, from: 1, to: nil, file: "\(path)/\(name).jsonl", dataDirectory: path)
      }
      let export = try JournalExport(name, from: nil, to: nil, file: "\(path)/\(name).jsonl", dataDirectory: path)
      #expect(export.text.contains("entries \(first) to"))
    }
  }
}
