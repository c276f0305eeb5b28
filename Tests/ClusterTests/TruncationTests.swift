import Bytes
import Foundation
import Journal
import Logging
import Machine
import Market
import Testing

@testable import Cluster

/// How far a journal is truncated while its owner works: behind everything that somebody still needs.
struct TruncationTests {
  private let path = FileManager.default.temporaryDirectory.appendingPathComponent("keep-\(UUID().uuidString)").path
  private let machine = MachineID.shard(ShardID(0))
  private var verifier: String { "\(path)/verifier" }
  /// The older of the two verified snapshots.
  private static let snapshot: UInt64 = 132
  private static let last: UInt64 = 165

  private final class Ended: Sendable {
    let path: String
    init(_ path: String) { self.path = path }
    deinit { try? FileManager.default.removeItem(atPath: path) }
  }
  private let ended: Ended

  init() throws {
    ended = Ended(path)
    try FileManager.default.createDirectory(atPath: "\(path)/verifier", withIntermediateDirectories: true)
  }

  /// Fifteen epochs of ten entries and a seal, a second apart, each a batch; verified snapshots after epochs 4, 12 and 14.
  private func makeJournal() throws -> Journal {
    let journal = try Journal(directory: "\(path)/journal", machine: machine)
    for epoch in UInt32(1)...15 {
      for entry in 0...10 {
        let sequence = journal.lastSequence.next
        let header = InputHeader(
          sequence: sequence, stamp: Timestamp(nanoseconds: Int64(sequence.rawValue) * 1_000_000_000), term: Term(1),
          kind: entry == 10 ? .seal : .tick, source: .none, epoch: Epoch(0), firstNumber: 0, count: 0)
        let seal = Seal(
          epoch: Epoch(epoch), term: Term(1), firstSequence: journal.epochFirstSequence,
          lastSequence: journal.lastSequence, chainHead: journal.chainHead, entryRoot: journal.entryRoot)
        try journal.begin()
        let payload = entry == 10 ? seal.encoded : []
        try payload.withUnsafeBytes { try journal.append(header, $0) }
        try journal.commit()
      }
      guard [4, 12, 14].contains(epoch) else { continue }
      try [UInt8](repeating: 1, count: 100).withUnsafeBytes { try journal.keep(snapshot: $0, version: 1) }
      try journal.begin()
      try journal.markSnapshotVerified(journal.lastSequence)
      try journal.commit()
    }
    try report(finalEpoch: 15, through: Self.last)
    return journal
  }

  private func report(finalEpoch: UInt32, through sequence: UInt64) throws {
    try VerifierProgress(epoch: 15, finalEpoch: finalEpoch, sequences: ["shard-0": sequence]).save(directory: verifier)
  }

  private func retention(
    _ journal: Journal, keeping entries: UInt64 = 0, seconds: Int64 = 0, copies: [Retention.Need] = []
  ) throws -> Retention {
    var auditors = JournalRetention()
    auditors.entries = entries
    auditors.nanoseconds = seconds * 1_000_000_000
    var policy = RetentionPolicy(auditors: auditors, verifiers: [("verifier-0", verifier)])
    return try policy.retention(
      of: journal.reader(), copies: copies,
      now: Timestamp(nanoseconds: (Int64(Self.last) + 1) * 1_000_000_000))
  }

  private func expect(_ retention: Retention, _ last: UInt64, _ name: String) {
    #expect(retention.lastRemovable == SequenceNumber(last), "\(retention)")
    #expect(retention.bound.name == name, "\(retention)")
  }

  @Test func nothingAfterTheOlderOfTwoVerifiedSnapshotsGoes() throws {
    expect(try retention(makeJournal()), Self.snapshot, "snapshots")
  }

  @Test func nothingGoesThatAnAuditorMayAskFor() throws {
    let journal = try makeJournal()
    expect(try retention(journal, keeping: 100), Self.last - 100, "auditors")
    expect(try retention(journal, seconds: 90), Self.last - 90, "auditors")
    expect(try retention(journal, keeping: 100, seconds: 90), Self.last - 100, "auditors")
    expect(try retention(journal, keeping: 1_000), 0, "auditors")
  }

  @Test func nothingGoesThatIsInNoFinalEpoch() throws {
    let journal = try makeJournal()
    try report(finalEpoch: 5, through: Self.last)
    expect(try retention(journal), 55, "finality")
    try report(finalEpoch: 0, through: Self.last)
    expect(try retention(journal), 0, "finality")
  }

  @Test func nothingGoesThatAVerifierHasNotExecutedForGood() throws {
    let journal = try makeJournal()
    try report(finalEpoch: 15, through: 70)
    expect(try retention(journal), 70, "verifier-0")
    // One that has saved nothing yet would begin with the first entry.
    try FileManager.default.removeItem(atPath: "\(verifier)/progress.json")
    expect(try retention(journal), 0, "finality")
    #expect(try retention(journal).verifiers == [Retention.Need("verifier-0", through: SequenceNumber(0))])
  }

  @Test func nothingGoesOfAnEpochOfWhichAConsumerLacksMessages() throws {
    let journal = try makeJournal()
    try journal.begin()
    for (destination, epoch) in [(MachineID.risk, UInt32(9)), (.settlement, 7)] {
      try [UInt8](repeating: 0, count: 8).withUnsafeBytes {
        try journal.enqueue(destination: destination, firstNumber: 40, count: 1, epoch: Epoch(epoch), messages: $0)
      }
    }
    try journal.commit()
    // The seal of epoch 6 is the first input of epoch 7, and caused what is owed.
    expect(try retention(journal), 65, "settlement")
    try journal.begin()
    try journal.trimOutbox(destination: .settlement, through: 40)
    try journal.commit()
    expect(try retention(journal), 87, "risk")
  }

  @Test func nothingGoesThatAnotherCopyWillAskFor() throws {
    expect(
      try retention(makeJournal(), copies: [Retention.Need("standby b", through: SequenceNumber(60))]), 60,
      "standby b")
  }

  @Test func theUpkeepTruncatesAsFarAsItMayAndNoFurther() throws {
    let journal = try makeJournal()
    let thread = JournalThread(journal)
    var auditors = JournalRetention()
    auditors.entries = 0
    auditors.nanoseconds = 0
    try report(finalEpoch: 15, through: 70)
    let upkeep = JournalUpkeep<CountingMachine>(
      thread, policy: RetentionPolicy(auditors: auditors, verifiers: [("verifier-0", verifier)]),
      log: Logger(label: "upkeep") { _ in SwiftLogNoOpLogHandler() })
    defer { upkeep.end() }
    func base(_ expected: UInt64) throws -> Bool {
      for _ in 0..<80 {
        if try thread.reader.base().sequence.rawValue == expected { return true }
        usleep(100_000)
      }
      return false
    }
    // Until the owner has said what other copies need, nothing goes.
    usleep(2_500_000)
    #expect(try base(0))
    thread.note(needsOfCopies: [Retention.Need("standby b", through: SequenceNumber(43))])
    usleep(2_500_000)
    #expect(try base(0))
    // As far as a snapshot from which all that is left can be executed.
    thread.note(needsOfCopies: [])
    #expect(try base(44))
    usleep(2_500_000)
    #expect(try base(44))
    try report(finalEpoch: 15, through: Self.last)
    #expect(try base(Self.snapshot))
    #expect(try thread.reader.verifyChain().sequence == SequenceNumber(Self.last))
  }
}
