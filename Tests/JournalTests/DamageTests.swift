import Bytes
import Cryptography
import Journal
import Machine
import Market
import Testing

@Suite struct DamageTests {
  private let directory = TemporaryDirectory()

  private func makeJournal(batches: Int = 4, snapshotAfter: Int? = nil) throws {
    let journal = try Journal(directory: directory.path, machine: .risk)
    for batch in 1...batches {
      try journal.appendBatch(5)
      if batch == snapshotAfter { try journal.putTestSnapshot() }
    }
  }

  /// What opening for writing and walking as a reader say, which must be the same.
  private func refusal() -> JournalError? {
    let opening = #expect(throws: JournalError.self) { _ = try Journal(directory: directory.path, machine: .risk) }
    let reading = #expect(throws: JournalError.self) {
      _ = try JournalReader(directory: directory.path, machine: .risk).verifyChain()
    }
    #expect(opening == reading)
    return opening
  }

  private func change(entry sequence: UInt64, _ body: (inout [UInt8]) -> Void) throws {
    try directory.edit("entries", keys: UInt64.self) { transaction, entries in
      let stored = try transaction.value(at: sequence, in: entries)
      var bytes = try [UInt8](#require(stored))
      body(&bytes)
      try bytes.withUnsafeBytes { _ = try transaction.put($0, at: sequence, in: entries) }
    }
  }

  @Test(arguments: [0, 9, 17, 25, 29, 33, 37, 40, 42, 44, 50, 67])
  func aChangedByteIsRefusedWithItsSequence(offset: Int) throws {
    try makeJournal()
    try change(entry: 13) { $0[offset] ^= 4 }
    guard case .damaged(_, let sequence, _) = refusal() else {
      Issue.record("the damage went unnoticed")
      return
    }
    #expect(sequence == SequenceNumber(13))
  }

  @Test func aRewrittenEntryWithAGoodChecksumBreaksTheChain() throws {
    try makeJournal()
    try change(entry: 13) { bytes in
      bytes.withUnsafeMutableBytes { bytes in
        testPayload(99).withUnsafeBytes { EntryCodec.write(testHeader(13), $0, over: bytes) }
      }
    }
    #expect(
      refusal()
        == .damaged(
          path: directory.path, sequence: SequenceNumber(15),
          reason: "the link of the 5 entries up to here is not what they hash to"))
  }

  @Test func aMissingEntryIsRefusedWithItsSequence() throws {
    try makeJournal()
    try directory.edit("entries", keys: UInt64.self) { _ = try $0.delete(13, in: $1) }
    #expect(refusal() == .damaged(path: directory.path, sequence: SequenceNumber(13), reason: "the entry is missing"))
  }

  @Test func aMissingEntryBeforeTheSnapshotIsRefusedWithItsSequence() throws {
    try makeJournal(snapshotAfter: 3)
    try directory.edit("entries", keys: UInt64.self) { _ = try $0.delete(7, in: $1) }
    let refusal = #expect(throws: JournalError.self) { _ = try Journal(directory: directory.path, machine: .risk) }
    #expect(
      refusal
        == .damaged(
          path: directory.path, sequence: SequenceNumber(7), reason: "19 entries where there should be 20"))
  }

  @Test func aJournalWithoutItsEntriesIsRefusedThoughItsSnapshotIsGood() throws {
    try makeJournal(snapshotAfter: 4)
    try directory.edit("entries", keys: UInt64.self) { try $0.clear($1) }
    let refusal = #expect(throws: JournalError.self) { _ = try Journal(directory: directory.path, machine: .risk) }
    #expect(
      refusal
        == .damaged(path: directory.path, sequence: SequenceNumber(1), reason: "0 entries where there should be 20"))
  }

  @Test func anEntryOfAnotherLayoutVersionIsNamed() throws {
    try makeJournal()
    try change(entry: 13) { $0[43] = 2 }
    #expect(refusal() == .unknownVersion(path: directory.path, part: "entry 13", found: 2, known: 1))
  }

  @Test func aTornTailIsCutAndSaidAndReadersRefuseItUntilThen() throws {
    try makeJournal()
    try directory.edit("batches", keys: UInt64.self) { _ = try $0.delete(20, in: $1) }
    #expect(
      throws: JournalError.damaged(
        path: directory.path, sequence: SequenceNumber(16), reason: "it belongs to no commit batch")
    ) { _ = try JournalReader(directory: directory.path, machine: .risk).verifyChain() }
    do {
      let journal = try Journal(directory: directory.path, machine: .risk)
      #expect(journal.cutEntries == SequenceNumber(16)...SequenceNumber(20))
      #expect(journal.lastSequence == SequenceNumber(15))
      try journal.appendBatch(2)
    }
    let journal = try Journal(directory: directory.path, machine: .risk)
    #expect(journal.cutEntries == nil)
    #expect(try journal.reader().verifyChain() == journal.position)
    #expect(journal.lastSequence == SequenceNumber(17))
  }

  @Test func linksThatAreGoneBeforeASnapshotAreDamageAndNoTornTail() throws {
    try makeJournal(snapshotAfter: 4)
    try directory.edit("batches", keys: UInt64.self) { try $0.clear($1) }
    #expect(
      throws: JournalError.damaged(
        path: directory.path, sequence: SequenceNumber(20),
        reason: "no commit batch ends here, yet a snapshot was taken here")
    ) { _ = try Journal(directory: directory.path, machine: .risk) }
    #expect(try JournalReader(directory: directory.path, machine: .risk).lastSequence() == SequenceNumber(20))
  }

  @Test func aRefusalNamesThePlaceAndTheWaysOut() throws {
    try makeJournal()
    try change(entry: 13) { $0[60] ^= 4 }
    let text = "\(try #require(refusal()))"
    for words in ["sequence 13", "the checksum does not fit", "standby", "snapshot", "verifier", "novation restore"] {
      #expect(text.contains(words))
    }
  }

  @Test func aChangedLinkIsRefused() throws {
    try makeJournal()
    try directory.edit("batches", keys: UInt64.self) { transaction, batches in
      try [UInt8](repeating: 7, count: 32).withUnsafeBytes { _ = try transaction.put($0, at: 10, in: batches) }
    }
    guard case .damaged(_, let sequence, _) = refusal() else { return }
    #expect(sequence == SequenceNumber(10))
  }

  @Test func aHistoryExchangedUnderASnapshotIsRefused() throws {
    try makeJournal(snapshotAfter: 3)
    try directory.edit("batches", keys: UInt64.self) { transaction, batches in
      try [UInt8](repeating: 7, count: 32).withUnsafeBytes { _ = try transaction.put($0, at: 15, in: batches) }
    }
    let refusal = #expect(throws: JournalError.self) { _ = try Journal(directory: directory.path, machine: .risk) }
    #expect(
      refusal
        == .damaged(
          path: directory.path, sequence: SequenceNumber(15),
          reason: "its batch's link is not the one the snapshot was taken at"))
  }

  @Test func anEntryDamagedBeforeTheSnapshotIsRefusedWhenItIsRead() throws {
    try makeJournal(snapshotAfter: 3)
    try change(entry: 8) { $0[60] ^= 1 }
    let journal = try Journal(directory: directory.path, machine: .risk)
    var last = SequenceNumber(0)
    #expect(
      throws: JournalError.damaged(
        path: directory.path, sequence: SequenceNumber(8), reason: "the checksum does not fit")
    ) {
      try journal.forEachEntry(from: SequenceNumber(1)) { header, _ in
        last = header.sequence
        return true
      }
    }
    #expect(last == SequenceNumber(7))
  }

  @Test func aScrubFindsWhatOpeningDoesNotLookAtInBoundedSteps() throws {
    try makeJournal(batches: 8, snapshotAfter: 7)
    let journal = try Journal(directory: directory.path, machine: .risk)
    var scrub = try JournalScrub(journal.reader())
    var said: [JournalScrub.Outcome] = []
    for _ in 0..<5 { said.append(scrub.step(entries: 12)) }
    #expect(
      said == [
        .clean(through: SequenceNumber(15)), .clean(through: SequenceNumber(30)), .clean(through: SequenceNumber(40)),
        .finished(through: SequenceNumber(40)), .finished(through: SequenceNumber(40)),
      ])
    // It goes on with what comes later, and from where another was.
    try journal.appendBatch(3)
    #expect(scrub.step() == .clean(through: SequenceNumber(43)))
    let position = try JournalPosition(decoding: scrub.position.encoded)
    var other = try JournalScrub(journal.reader(), from: position)
    #expect(other.step() == .finished(through: SequenceNumber(43)))
  }

  @Test func aScrubNamesTheDamageAndKeepsNamingIt() throws {
    try makeJournal(batches: 8, snapshotAfter: 7)
    try change(entry: 18) { $0[60] ^= 1 }
    let journal = try Journal(directory: directory.path, machine: .risk)
    var scrub = try JournalScrub(journal.reader())
    #expect(scrub.step(entries: 10) == .clean(through: SequenceNumber(10)))
    let damage = JournalScrub.Outcome.damaged(
      .damaged(path: directory.path, sequence: SequenceNumber(18), reason: "the checksum does not fit"))
    #expect(scrub.step(entries: 10) == damage)
    #expect(scrub.step(entries: 10) == damage)
  }

  @Test func anEntryOfAnUnknownLayoutIsRefused() throws {
    let good = testLeafBytes(1)
    var unknown = good
    unknown[43] = 2
    #expect(throws: EntryCodec.Refusal.unknownLayout(version: 2)) {
      try unknown.withUnsafeBytes { _ = try EntryCodec.read($0) }
    }
    for count in 0..<good.count {
      #expect(throws: EntryCodec.Refusal.self) {
        try good.prefix(count).withUnsafeBytes { _ = try EntryCodec.read($0) }
      }
    }
  }

  private func testLeafBytes(_ sequence: UInt64) -> [UInt8] {
    let payload = testPayload(sequence)
    var bytes = [UInt8](repeating: 0, count: EntryCodec.byteCount(payloadCount: payload.count))
    payload.withUnsafeBytes { payload in
      bytes.withUnsafeMutableBytes { EntryCodec.write(testHeader(sequence), payload, over: $0) }
    }
    return bytes
  }
}
