import Authority
import Bytes
import Journal
import Machine
import Market
import Testing
import Wire

@testable import Cluster

/// Standbys that begin after a snapshot of the owner's.
struct SnapshotCopyTests {
  private let harness = CopyHarness()

  /// An owner on `a` with two verified snapshots and a truncated journal, and more after them.
  private func truncatedOwner() throws {
    try harness.start("a")
    #expect(harness.run { harness["a"].core.reign == .owner })
    for _ in 0..<2 {
      harness.run(milliseconds: 300, feeding: "a")
      try harness["a"].keepSnapshot()
    }
    harness.run(milliseconds: 100, feeding: "a")
    try harness["a"].truncate()
    try #require(try harness["a"].journal.base().sequence.rawValue > 10)
  }

  private func isInSync(_ node: String) -> Bool { harness.record?.inSync.contains(node) == true }

  private func expectSame(_ node: String, as owner: String) throws {
    harness.run(milliseconds: 500)
    #expect(harness[node].journal.position == harness[owner].journal.position)
    #expect(harness[node].state == harness[owner].state)
    #expect(harness.ended.isEmpty, "\(harness.ended)")
    #expect(try harness[node].owed() == harness[owner].owed())
    #expect(try harness[node].journal.reader().verifyChain() == harness[node].journal.position)
  }

  private func kind(_ frame: [UInt8]) -> FrameKind? { FrameKind(rawValue: frame[1]) }

  @Test func aStandbyAddedLateToATruncatedJournalCatchesUpWhileInputsGoOnAndTakesOverWithNothingLost() throws {
    try truncatedOwner()
    let before = harness["a"].fed
    try harness.start("b")
    #expect(harness.run(feeding: "a") { isInSync("b") })
    #expect(harness["a"].fed > before)
    #expect(try !harness["b"].journal.base().isBeginning)
    try expectSame("b", as: "a")
    let (position, state, owed) = (harness["a"].journal.position, harness["a"].state, try harness["a"].owed())
    // Not one message to the consumer, which has not spoken yet, is missing.
    #expect(owed == Array(1...harness["a"].core.read { $0.streams.lastSent(to: .risk) }))
    harness.kill("a")
    #expect(harness.run { harness["b"].core.reign == .owner })
    #expect(harness["b"].journal.position.sequence == position.sequence && harness["b"].state == state)
    #expect(try harness["b"].owed() == owed)
    harness.run(milliseconds: 100, feeding: "b")
    #expect(harness["b"].journal.lastSequence > position.sequence)
  }

  /// As the old owner after a live move, whose process goes on.
  @Test func aCopyThatIsNoneAnyMoreHoldsTheOwnerUpNoLonger() throws {
    try harness.start("a")
    #expect(harness.run { harness["a"].core.reign == .owner })
    try harness.start("b")
    #expect(harness.run(feeding: "a") { isInSync("b") })
    harness.passes = { from, to, frame in from == "b" || to == "b" ? nil : frame }
    harness.copies = ["a", "c"]
    harness.run(milliseconds: 50, feeding: "a")
    #expect(!isInSync("b"))
    harness.passes = { $2 }
    harness.run(milliseconds: 2_000, feeding: "a")
    #expect(!isInSync("b"), "it follows on its own account")
  }

  @Test func aJournalThatIsWholeIsGivenFromItsNewestSnapshotToo() throws {
    try harness.start("a")
    #expect(harness.run { harness["a"].core.reign == .owner })
    harness.run(milliseconds: 200, feeding: "a")
    try harness["a"].keepSnapshot()
    let sequence = harness["a"].journal.lastSequence
    try harness.start("b")
    #expect(harness.run(feeding: "a") { isInSync("b") })
    #expect(try harness["b"].journal.base().sequence == sequence)
    try expectSame("b", as: "a")
  }

  @Test func aCutLinkMidwayOnlyMakesItAskForTheRest() throws {
    try truncatedOwner()
    var parts = 0
    var isCut = false
    harness.passes = { [harness] _, to, frame in
      if FrameKind(rawValue: frame[1]) == .snapshotPart, to == "b" {
        parts += 1
        if parts == 3 { isCut = true }
      }
      _ = harness
      return isCut ? nil : frame
    }
    try harness.start("b")
    harness.run(milliseconds: 1_000, feeding: "a")
    #expect(isCut && !isInSync("b"))
    isCut = false
    let sentBefore = parts
    parts = 100
    #expect(harness.run(feeding: "a") { isInSync("b") })
    // Two parts had come, and were not sent again.
    let all = Int(try #require(try harness["a"].newestSnapshot()).partCount)
    #expect(all >= 4)
    #expect(parts - 100 <= all - 2, "\(sentBefore) before, \(parts - 100) of \(all) after")
    try expectSame("b", as: "a")
  }

  @Test func aSnapshotThatIsReplacedMidwayGivesWayToANewerOne() throws {
    try truncatedOwner()
    let first = try #require(try harness["a"].newestSnapshot()).position.sequence
    var parts = 0
    var isCut = false
    harness.passes = { _, _, frame in
      if FrameKind(rawValue: frame[1]) == .snapshotPart {
        parts += 1
        if parts == 3 { isCut = true }
      }
      return isCut ? nil : frame
    }
    try harness.start("b")
    harness.run(milliseconds: 500, feeding: "a")
    #expect(isCut)
    for _ in 0..<3 {
      harness.run(milliseconds: 100, feeding: "a")
      try harness["a"].keepSnapshot()
    }
    try harness["a"].truncate()
    #expect(try harness["a"].snapshotPart(of: first, 1) == nil)
    isCut = false
    #expect(harness.run(feeding: "a") { isInSync("b") })
    #expect(try harness["b"].journal.base().sequence > first)
    try expectSame("b", as: "a")
  }

  @Test func aDamagedPartIsRefusedAndEverythingIsAskedForAgain() throws {
    try truncatedOwner()
    var damaged = 0
    harness.passes = { _, _, frame in
      guard FrameKind(rawValue: frame[1]) == .snapshotPart, damaged == 0 else { return frame }
      damaged += 1
      var frame = frame
      // The first byte of the machine's state.
      frame[18] ^= 1
      return frame
    }
    try harness.start("b")
    #expect(harness.run(feeding: "a") { isInSync("b") })
    #expect(damaged == 1)
    try expectSame("b", as: "a")
  }

  @Test func anotherOwnerMidwayGivesTheRest() throws {
    try truncatedOwner()
    try harness.start("b")
    #expect(harness.run(feeding: "a") { isInSync("b") })
    var parts = 0
    harness.passes = { from, to, frame in
      guard FrameKind(rawValue: frame[1]) == .snapshotPart, from == "a" else { return frame }
      parts += 1
      return parts > 2 ? nil : frame
    }
    try harness.start("c")
    harness.run(milliseconds: 500, feeding: "a")
    #expect(parts > 2 && !isInSync("c"))
    harness.kill("a")
    #expect(harness.run(feeding: "b") { isInSync("c") })
    try expectSame("c", as: "b")
  }

  @Test func aStandbyThatEndsBeforeTheOwnersFirstEntryBeginsAnew() throws {
    try harness.start("a")
    #expect(harness.run { harness["a"].core.reign == .owner })
    try harness.start("b")
    #expect(harness.run(feeding: "a") { isInSync("b") })
    harness.run(milliseconds: 200, feeding: "a")
    let end = harness["b"].journal.lastSequence
    harness.kill("b")
    harness.run(milliseconds: 10)
    #expect(end.rawValue > 10)
    for _ in 0..<2 {
      harness.run(milliseconds: 2_000, feeding: "a")
      try harness["a"].keepSnapshot()
    }
    try harness["a"].truncate()
    #expect(try harness["a"].journal.base().sequence > end)
    try harness.start("b")
    #expect(harness.run(feeding: "a") { isInSync("b") })
    #expect(try harness["b"].journal.base().sequence > end)
    #expect(try harness["b"].journal.snapshots().count == 1)
    try expectSame("b", as: "a")
  }

  @Test func anOwnerKeepsWhatStandbysWillAskForNext() throws {
    try truncatedOwner()
    #expect(harness["a"].needs.isEmpty)
    harness.passes = { _, _, frame in FrameKind(rawValue: frame[1]) == .snapshotPart ? nil : frame }
    try harness.start("b")
    harness.run(milliseconds: 300, feeding: "a")
    let offered = try #require(try harness["a"].newestSnapshot()).position.sequence
    #expect(harness["a"].needs == [Retention.Need("standby b", through: offered)])
    harness.passes = { $2 }
    #expect(harness.run(feeding: "a") { isInSync("b") })
    // What it does not acknowledge any more stays.
    harness.passes = { _, _, frame in FrameKind(rawValue: frame[1]) == .followed ? nil : frame }
    harness.run(milliseconds: 300, feeding: "a")
    let need = try #require(harness["a"].needs.first)
    #expect(need.name == "standby b" && need.through > offered && need.through < harness["a"].journal.lastSequence)
  }
}
