import Bytes
import Journal
import Machine
import Market
import Testing

extension Journal {
  /// Writes a snapshot of the replayed machine in pieces of `size` bytes, one a batch, with an entry in each.
  func write(_ snapshot: JournalSnapshot, pieces size: Int, finish: Bool = true) throws {
    try beginSnapshot(at: snapshot.position, version: snapshot.version)
    for start in stride(from: 0, to: snapshot.bytes.count, by: size) {
      try begin()
      try appendEntries(1)
      try snapshot.bytes[start..<min(start + size, snapshot.bytes.count)].withUnsafeBytes { try putSnapshotPart($0) }
      try commit()
    }
    guard finish else { return }
    try begin()
    try finishSnapshot()
    try commit()
  }

  /// Brings a shadow to the end and keeps its snapshot.
  func takeShadowSnapshot() throws {
    var shadow = try MachineReplay<TestMachine>(reader(), from: latestSnapshot())
    try shadow.advance(to: durableSequence)
    try write(shadow.snapshot(), pieces: 100_000)
  }

  /// Verifies what can be, and notes it.
  @discardableResult
  func verifySnapshots() throws -> [SequenceNumber] {
    var verified: [SequenceNumber] = []
    while var verification = try SnapshotVerification<TestMachine>(reader()) {
      var outcome = try verification.step(entries: 3)
      while outcome == .unfinished { outcome = try verification.step(entries: 3) }
      guard outcome == .verified else { return verified }
      try begin()
      try markSnapshotVerified(verification.sequence)
      try commit()
      verified.append(verification.sequence)
    }
    return verified
  }
}

@Suite struct ShadowSnapshotTests {
  private let directory = TemporaryDirectory()
  private func open() throws -> Journal { try Journal(directory: directory.path, machine: .risk) }

  @Test func aSnapshotInPiecesCountsFromItsLastCommitOnAndTradingGoesOnMeanwhile() throws {
    let journal = try open()
    for _ in 0..<5 { try journal.appendBatch(4) }
    var shadow = try MachineReplay<TestMachine>(journal.reader(), from: nil)
    #expect(try shadow.step(entries: 6) == 8)
    try shadow.advance(to: SequenceNumber(20))
    let snapshot = shadow.snapshot()
    try journal.write(snapshot, pieces: 70_000, finish: false)
    #expect(try journal.latestSnapshot() == nil)
    #expect(try journal.reader().latestSnapshot() == nil)
    try journal.begin()
    try journal.finishSnapshot()
    #expect(try journal.latestSnapshot() == nil)
    try journal.commit()
    let kept = try #require(try journal.latestSnapshot())
    #expect(kept.position == snapshot.position && kept.position.sequence == SequenceNumber(20))
    #expect(kept.bytes == snapshot.bytes)
    #expect(journal.lastSequence == SequenceNumber(25))
    // A machine brought up from it is the one that replays everything.
    var again = try MachineReplay<TestMachine>(journal.reader(), from: kept)
    var whole = try MachineReplay<TestMachine>(journal.reader(), from: nil)
    try again.advance(to: SequenceNumber(25))
    try whole.advance(to: SequenceNumber(25))
    #expect(again.snapshot().bytes == whole.snapshot().bytes)
  }

  @Test func anAbortedPieceIsAsIfItHadNotBeenPut() throws {
    let journal = try open()
    try journal.appendBatch(10)
    var shadow = try MachineReplay<TestMachine>(journal.reader(), from: nil)
    try shadow.advance(to: SequenceNumber(10))
    let snapshot = shadow.snapshot()
    try journal.beginSnapshot(at: snapshot.position, version: snapshot.version)
    for start in stride(from: 0, to: snapshot.bytes.count, by: 90_000) {
      let piece = snapshot.bytes[start..<min(start + 90_000, snapshot.bytes.count)]
      try journal.begin()
      try piece.withUnsafeBytes { try journal.putSnapshotPart($0) }
      journal.abort()
      try journal.begin()
      try piece.withUnsafeBytes { try journal.putSnapshotPart($0) }
      try journal.commit()
    }
    try journal.begin()
    try journal.finishSnapshot()
    journal.abort()
    #expect(try journal.latestSnapshot() == nil)
    try journal.begin()
    try journal.finishSnapshot()
    try journal.commit()
    #expect(try journal.latestSnapshot()?.bytes == snapshot.bytes)
  }

  @Test func aCrashInTheMiddleLeavesNoSnapshotAndNoParts() throws {
    do {
      let journal = try open()
      try journal.appendBatch(10)
      var shadow = try MachineReplay<TestMachine>(journal.reader(), from: nil)
      try shadow.advance(to: SequenceNumber(10))
      try journal.write(shadow.snapshot(), pieces: 100_000, finish: false)
    }
    let journal = try open()
    #expect(try journal.latestSnapshot() == nil)
    #expect(try journal.snapshots().isEmpty)
    #expect(try parts() > 0)
    try journal.appendBatch(1)
    #expect(try parts() == 0)
  }

  private func parts() throws -> Int {
    let environment = try LMDBEnvironment(reading: directory.path)
    let snapshots = try environment.database(named: "snapshots", keys: [UInt8].self)
    return try environment.beginReading().count(of: snapshots)
  }

  @Test func aPlaceThatNoBatchEndedAtIsRefused() throws {
    let journal = try open()
    try journal.appendBatch(10)
    var position = journal.position
    position.sequence = SequenceNumber(7)
    #expect(throws: JournalError.self) { try journal.beginSnapshot(at: position, version: 7) }
    position = journal.position
    position.chainHead = .zero
    #expect(throws: JournalError.self) { try journal.beginSnapshot(at: position, version: 7) }
    try journal.begin()
    try journal.appendEntries(1)
    #expect(throws: JournalError.self) { try journal.beginSnapshot(at: journal.position, version: 7) }
    journal.abort()
  }

  @Test func snapshotsAreVerifiedByReplayingFromTheOneBefore() throws {
    let journal = try open()
    var taken: [SequenceNumber] = []
    for _ in 0..<5 {
      try journal.appendBatch(7)
      taken.append(journal.durableSequence)
      try journal.takeShadowSnapshot()
      #expect(try journal.verifySnapshots() == [taken.last!])
    }
    // The last two are kept, and the first: the journal may begin after it one day.
    #expect(try journal.snapshots().map(\.isVerified) == [true, true, true])
    #expect(try journal.snapshots().map(\.sequence) == [taken[0]] + taken.suffix(2))
  }

  @Test func aSnapshotThatTheJournalDoesNotGiveIsRefusedAndNotCountedAsVerified() throws {
    let journal = try open()
    for _ in 0..<2 {
      try journal.appendBatch(7)
      try journal.takeShadowSnapshot()
      try journal.verifySnapshots()
    }
    try journal.appendBatch(7)
    var shadow = try MachineReplay<TestMachine>(journal.reader(), from: nil)
    try shadow.advance(to: journal.durableSequence)
    var wrong = shadow.snapshot()
    wrong.bytes[3] ^= 1
    try journal.write(wrong, pieces: 100_000)
    guard var verification = try SnapshotVerification<TestMachine>(journal.reader()) else {
      Issue.record("there is no snapshot to be verified")
      return
    }
    var outcome = try verification.step()
    while outcome == .unfinished { outcome = try verification.step() }
    guard case .refused(let reason) = outcome else {
      Issue.record("a wrong snapshot was verified")
      return
    }
    #expect(reason.contains("from byte 3 on"))
    #expect(try journal.snapshots().map(\.isVerified) == [true, true, false])
    // Its owner lets go of it, and the next one is held against the last that is good.
    try journal.begin()
    try journal.discardSnapshot(wrong.position.sequence)
    try journal.commit()
    #expect(try journal.snapshots().map(\.isVerified) == [true, true])
    try journal.appendBatch(7)
    try journal.takeShadowSnapshot()
    #expect(try journal.verifySnapshots().count == 1)
    #expect(try parts() == 3 * 8)
  }

  @Test func inAJournalThatBeginsAfterAnUnverifiedSnapshotTheNextOneIsVerifiedFromIt() throws {
    let owner = try open()
    try owner.appendBatch(7)
    try owner.takeShadowSnapshot()
    let other = TemporaryDirectory()
    let standby = try Journal(directory: other.path, machine: .risk)
    try standby.adopt(try #require(try owner.latestSnapshot()), isVerified: false)
    try standby.appendBatch(5)
    #expect(try standby.verifySnapshots().isEmpty)
    try standby.takeShadowSnapshot()
    #expect(try standby.verifySnapshots().count == 1)
    #expect(try standby.snapshots().map(\.isVerified) == [false, true])
  }

  @Test func theLastTwoVerifiedSnapshotsStayThoughLaterOnesAreNot() throws {
    let journal = try open()
    for round in 0..<6 {
      try journal.appendBatch(3)
      try journal.takeShadowSnapshot()
      if round < 2 { try journal.verifySnapshots() }
    }
    #expect(try journal.snapshots().map(\.isVerified) == [true, true, false, false])
  }

  @Test func aLargeSnapshotOnItsWayOutGoesABoundedNumberOfPartsACommit() throws {
    let journal = try open()
    for _ in 0..<3 {
      try journal.appendBatch(1)
      try journal.putTestSnapshot(size: 70 * 65_520)
    }
    // Two of 71, and what is left of the third after one commit took 64 of its parts.
    #expect(try parts() == 2 * 71 + 70 - 64)
    try journal.appendBatch(1)
    #expect(try parts() == 2 * 71)
  }
}
