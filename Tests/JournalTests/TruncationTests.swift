import Bytes
import Cryptography
import Journal
import Machine
import Market
import Testing

@Suite struct TruncationTests {
  private let directory = TemporaryDirectory()
  private func open() throws -> Journal { try Journal(directory: directory.path, machine: .risk) }

  /// Three batches of 4 before each of `snapshots` verified snapshots, of which the first and the last two are left.
  private func makeJournal(snapshots: Int = 3) throws -> Journal {
    let journal = try open()
    for _ in 0..<snapshots {
      for _ in 0..<3 { try journal.appendBatch(4) }
      try journal.takeShadowSnapshot()
      try journal.verifySnapshots()
    }
    return journal
  }

  private func truncate(_ journal: Journal, through: SequenceNumber, atMost bound: Int = 4_096) throws -> UInt64 {
    try journal.begin()
    let gone = try journal.truncate(through: through, atMost: bound)
    try journal.commit()
    return gone.rawValue
  }

  @Test func whatIsTruncatedIsGoneAndEverythingStartsFromTheBase() throws {
    let before: JournalPosition
    let limit: SequenceNumber
    do {
      let journal = try makeJournal()
      limit = try journal.snapshots()[0].sequence
      #expect(try truncate(journal, through: limit) == limit.rawValue)
      before = journal.position
      let reader = journal.reader()
      #expect(try reader.base().sequence == limit)
      #expect(try reader.link(endingAt: limit) == reader.base().chainHead)
      #expect(
        throws: JournalError.truncated(path: directory.path, asked: SequenceNumber(1), first: limit.next)
      ) { try reader.forEachEntry(from: SequenceNumber(1)) { _, _ in true } }
      #expect(
        throws: JournalError.truncated(path: directory.path, asked: SequenceNumber(1), first: limit.next)
      ) { _ = try reader.walk(from: JournalPosition(), batches: 1) { _, _, _ in } }
    }
    let journal = try open()
    #expect(journal.position == before)
    #expect(try journal.reader().verifyChain() == before)
    let overview = try journal.reader().overview()
    #expect(overview.firstSequence == limit.next)
    #expect(overview.lastSequence == before.sequence)
    #expect(overview.entries == Int(before.sequence.rawValue - limit.rawValue))
    #expect(overview.snapshots.allSatisfy { $0.isGood && $0.isVerified })
    // The machine comes back from what is left, and the journal goes on.
    var replay = try MachineReplay<TestMachine>(journal.reader(), from: journal.latestSnapshot())
    try replay.advance(to: before.sequence)
    #expect(replay.machine.entries == before.sequence.rawValue)
    try journal.appendBatch(3)
    var scrub = try JournalScrub(journal.reader())
    #expect(scrub.step() == .clean(through: SequenceNumber(before.sequence.rawValue + 3)))
  }

  @Test func onlyWholeBatchesGoAndABoundedNumberAtATime() throws {
    let journal = try makeJournal()
    #expect(try truncate(journal, through: SequenceNumber(3)) == 0)
    #expect(try truncate(journal, through: SequenceNumber(11)) == 8)
    #expect(try truncate(journal, through: SequenceNumber(11)) == 8)
    #expect(try truncate(journal, through: journal.snapshots()[0].sequence, atMost: 1) == 12)
    #expect(try journal.reader().verifyChain() == journal.position)
  }

  @Test func theSnapshotThatATruncatedJournalBeginsAfterStaysUntilItBeginsAfterALaterOne() throws {
    let journal = try makeJournal(snapshots: 4)
    func expect(_ sequences: [UInt64]) throws {
      let found = try journal.snapshots().map(\.sequence.rawValue)
      #expect(found == sequences)
    }
    try expect([12, 44, 60])
    #expect(try truncate(journal, through: SequenceNumber(12)) == 12)
    for _ in 0..<3 {
      try journal.appendBatch(4)
      try journal.takeShadowSnapshot()
      try journal.verifySnapshots()
    }
    // Where it begins, where it may begin next, and the last two.
    try expect([12, 44, 76, 84])
    #expect(try truncate(journal, through: SequenceNumber(44)) == 44)
    try expect([44, 76, 84])
  }

  @Test func anAbortedTruncationLeavesEverything() throws {
    let journal = try makeJournal()
    try journal.begin()
    try journal.truncate(through: SequenceNumber(8))
    #expect(try journal.base().sequence == SequenceNumber(8))
    journal.abort()
    #expect(try journal.base().isBeginning)
    #expect(try journal.reader().overview().firstSequence == SequenceNumber(1))
  }

  @Test func nothingGoesThatTheOlderVerifiedSnapshotDoesNotCover() throws {
    let journal = try makeJournal(snapshots: 1)
    try journal.begin()
    #expect(throws: JournalError.self) { try journal.truncate(through: SequenceNumber(1)) }
    journal.abort()
    try journal.appendBatch(1)
    try journal.takeShadowSnapshot()
    try journal.begin()
    // There are two, but the newer one is not verified.
    #expect(throws: JournalError.self) { try journal.truncate(through: SequenceNumber(1)) }
    journal.abort()
    try journal.verifySnapshots()
    let older = try journal.snapshots()[0].sequence
    try journal.begin()
    let refusal = #expect(throws: JournalError.self) { try journal.truncate(through: older.next) }
    journal.abort()
    #expect("\(try #require(refusal))".contains("the older is after entry \(older)"))
    #expect(try truncate(journal, through: older) == older.rawValue)
  }

  @Test func anEmptyJournalBeginsAfterAnothersSnapshotAndGoesOnAsThatOneDoes() throws {
    let owner = try makeJournal()
    let snapshot = try #require(try owner.latestSnapshot())
    let other = TemporaryDirectory()
    do {
      let standby = try Journal(directory: other.path, machine: .risk)
      try standby.adopt(snapshot, isVerified: true)
      #expect(standby.position == snapshot.position)
      #expect(try standby.base() == snapshot.position)
      // What the owner has after it, batch by batch.
      var position = snapshot.position
      while true {
        try standby.begin()
        let reached = try owner.reader().walk(from: position, batches: 1) { header, payload, _ in
          do { try standby.append(header, payload) } catch { Issue.record("\(error)") }
        }
        try standby.commit()
        if reached.sequence == position.sequence { break }
        position = reached
        #expect(standby.position == position)
      }
      #expect(standby.position == owner.position)
      #expect(throws: JournalError.self) { try standby.adopt(snapshot, isVerified: true) }
    }
    let standby = try Journal(directory: other.path, machine: .risk)
    #expect(standby.position == owner.position)
    #expect(try standby.snapshots().map(\.isVerified) == [true])
    var replay = try MachineReplay<TestMachine>(standby.reader(), from: standby.latestSnapshot())
    try replay.advance(to: standby.lastSequence)
    #expect(replay.machine.entries == owner.lastSequence.rawValue)
  }

  @Test func aTruncatedJournalWithoutAGoodSnapshotIsRefusedWithTheWaysOut() throws {
    do {
      let journal = try makeJournal()
      _ = try truncate(journal, through: SequenceNumber(8))
    }
    try directory.edit("snapshots", keys: [UInt8].self) { try $0.clear($1) }
    let refusal = #expect(throws: JournalError.self) { _ = try open() }
    let words = "\(try #require(refusal))"
    #expect(words.contains("entries through 8 were truncated") && words.contains("standby"))
  }

  @Test func anEntryMissingAfterTheBaseIsRefusedAtOpen() throws {
    do {
      let journal = try makeJournal()
      _ = try truncate(journal, through: SequenceNumber(8))
    }
    try directory.edit("entries", keys: UInt64.self) { _ = try $0.delete(11, in: $1) }
    let refusal = #expect(throws: JournalError.self) { _ = try open() }
    guard case .damaged(_, SequenceNumber(11), _) = refusal else {
      Issue.record("\(String(describing: refusal))")
      return
    }
  }

  @Test func theEpochsTreeGoesOnAcrossTheBase() throws {
    let journal = try makeJournal()
    _ = try truncate(journal, through: SequenceNumber(8))
    #expect(try journal.reader().base().epochFrontier.count == 8)
    #expect(try journal.reader().verifyChain().epochFrontier == journal.epochFrontier)
  }

  @Test func entriesAreFoundByTheTimeBeforeWhichTheyLie() throws {
    let journal = try makeJournal()
    _ = try truncate(journal, through: SequenceNumber(8))
    let reader = journal.reader()
    let last = journal.lastSequence.rawValue
    for (time, expected) in [(5, 8), (90, 8), (91, 9), (100, 9), (101, 10), (120, 11), (100_000, last)]
      as [(Int64, UInt64)]
    {
      #expect(try reader.lastSequence(before: Timestamp(nanoseconds: time)) == SequenceNumber(expected), "\(time)")
    }
  }

  @Test func theLeastNeedDecidesHowFarAJournalMayBeTruncated() {
    func retention(
      _ snapshot: UInt64?, _ consumers: [UInt64], _ verifiers: [UInt64], _ finality: UInt64?, _ auditors: UInt64?
    ) -> Retention {
      Retention(
        snapshot: snapshot.map { SequenceNumber($0) },
        consumers: consumers.map { Retention.Need("consumer", through: SequenceNumber($0)) },
        verifiers: verifiers.map { Retention.Need("verifier", through: SequenceNumber($0)) },
        finality: finality.map { SequenceNumber($0) }, auditors: auditors.map { SequenceNumber($0) })
    }
    let table: [(Retention, UInt64, String)] = [
      (retention(90, [95, 80], [85], 70, 60), 60, "auditors"),
      (retention(90, [95, 80], [85], 70, 75), 70, "finality"),
      (retention(90, [95, 80], [65], 70, 75), 65, "verifier"),
      (retention(90, [95, 50], [65], 70, 75), 50, "consumer"),
      (retention(40, [95, 50], [65], 70, 75), 40, "snapshots"),
      (retention(40, [], [], 70, 75), 40, "snapshots"),
      (retention(nil, [95], [95], 95, 95), 0, "snapshots"),
      (retention(95, [95], [95], nil, 95), 0, "finality"),
      (retention(95, [95], [95], 95, nil), 0, "auditors"),
      (retention(95, [0], [95], 95, 95), 0, "consumer"),
    ]
    for (retention, last, name) in table {
      #expect(retention.lastRemovable == SequenceNumber(last))
      #expect(retention.bound.name == name)
    }
  }
}
