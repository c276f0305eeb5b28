import Clearing
import Foundation
import Journal
import Machine
import Market
import Matching
import Settlement
import Testing

/// Journals of a stopped in-process cluster, truncated as their upkeep would do it.
enum TruncatedJournals {
  /// Takes verified snapshots after a third and a half of each journal, and all before the older one off.
  static func make(in path: String) throws {
    try truncate(ShardMachine.self, .shard(ShardID(0)), path)
    try truncate(ShardMachine.self, .shard(ShardID(1)), path)
    try truncate(RiskMachine.self, .risk, path)
    try truncate(SettlementMachine.self, .settlement, path)
  }

  private static func truncate<M: Machine & ~Copyable>(
    _ type: M.Type, _ machine: MachineID, _ path: String
  ) throws {
    let journal = try Journal(directory: "\(path)/journal/\(machine)", machine: machine)
    for share in [UInt64(3), 2] {
      var shadow = try MachineReplay<M>(journal.reader(), from: journal.latestSnapshot())
      try shadow.advance(to: SequenceNumber(journal.lastSequence.rawValue / share))
      try journal.keep(shadow.snapshot())
      try journal.verifySnapshot(type)
    }
    let older = try #require(try journal.snapshots().first).sequence
    try journal.begin()
    let gone = try journal.truncate(through: older, atMost: .max)
    try journal.commit()
    #expect(gone == older)
  }
}

extension Journal {
  /// Writes a snapshot in pieces.
  func keep(_ snapshot: JournalSnapshot) throws {
    try beginSnapshot(at: snapshot.position, version: snapshot.version)
    for start in stride(from: 0, to: snapshot.bytes.count, by: 1 << 16) {
      try begin()
      try snapshot.bytes[start..<min(start + 1 << 16, snapshot.bytes.count)].withUnsafeBytes {
        try putSnapshotPart($0)
      }
      try commit()
    }
    try begin()
    try finishSnapshot()
    try commit()
  }

  func verifySnapshot<M: Machine & ~Copyable>(_ type: M.Type) throws {
    guard var verification = try SnapshotVerification<M>(reader()) else {
      Issue.record("\(machine): no snapshot to be verified")
      return
    }
    var outcome = try verification.step(entries: 100)
    while outcome == .unfinished { outcome = try verification.step(entries: 100) }
    #expect(outcome == .verified, "\(machine)")
    guard outcome == .verified else { return }
    try begin()
    try markSnapshotVerified(verification.sequence)
    try commit()
  }
}
