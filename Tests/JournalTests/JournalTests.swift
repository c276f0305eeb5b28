import Bytes
import Cryptography
import Glibc
import Journal
import Machine
import Market
import Testing

@Suite struct JournalTests {
  @Test func whatWasCommittedIsThereAfterReopening() throws {
    let directory = TemporaryDirectory()
    let before: JournalPosition
    do {
      let journal = try Journal(directory: directory.path, machine: .risk)
      try journal.appendBatch(3)
      try journal.appendBatch(40)
      before = journal.position
    }
    let journal = try Journal(directory: directory.path, machine: .risk)
    #expect(journal.position == before)
    #expect(journal.lastSequence == SequenceNumber(43))
    #expect(journal.chainHead != .zero)
    var seen: [UInt64] = []
    try journal.forEachEntry(from: SequenceNumber(2)) { header, payload in
      #expect([UInt8](payload) == testPayload(header.sequence.rawValue))
      #expect(header.stamp.nanoseconds == Int64(header.sequence.rawValue) * 10)
      seen.append(header.sequence.rawValue)
      return header.sequence.rawValue < 42
    }
    #expect(seen == Array(2...42))
  }

  @Test func anAbortedBatchLeavesNoTrace() throws {
    let directory = TemporaryDirectory()
    let journal = try Journal(directory: directory.path, machine: .risk)
    try journal.appendBatch(2)
    let before = journal.position
    try journal.begin()
    try journal.appendEntries(5)
    #expect(journal.lastSequence == SequenceNumber(7))
    #expect(journal.durableSequence == SequenceNumber(2))
    journal.abort()
    #expect(journal.position == before)
    try journal.appendBatch(1)
    #expect(journal.lastSequence == SequenceNumber(3))
  }

  @Test func anEntryOutOfSequenceIsRefused() throws {
    let directory = TemporaryDirectory()
    let journal = try Journal(directory: directory.path, machine: .risk)
    try journal.appendBatch(2)
    try journal.begin()
    #expect(
      throws: JournalError.outOfSequence(
        path: directory.path, expected: SequenceNumber(3), found: SequenceNumber(4))
    ) {
      try journal.append(testHeader(4), UnsafeRawBufferPointer(start: nil, count: 0))
    }
    journal.abort()
  }

  @Test func aKilledWriterLosesOnlyWhatItHadNotCommitted() async throws {
    let directory = TemporaryDirectory()
    let path = directory.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let journal = try Journal(directory: path, machine: .risk)
      try journal.appendBatch(7)
      try journal.begin()
      try journal.appendEntries(9)
      kill(getpid(), SIGKILL)
    }
    let journal = try Journal(directory: path, machine: .risk)
    #expect(journal.lastSequence == SequenceNumber(7))
    try journal.appendBatch(1)
    #expect(journal.lastSequence == SequenceNumber(8))
  }

  @Test func aSecondWriterIsRefusedAndToldWhoWrites() async throws {
    let directory = TemporaryDirectory()
    let path = directory.path
    let journal = try Journal(directory: path, machine: .risk)
    try journal.appendBatch(1)
    let owner = getpid()
    #expect(throws: JournalError.alreadyOwned(path: path, processID: owner)) {
      _ = try Journal(directory: path, machine: .risk)
    }
    await #expect(processExitsWith: .exitCode(3)) { [path = path as String, owner = owner as Int32] in
      do {
        _ = try Journal(directory: path, machine: .risk)
      } catch JournalError.alreadyOwned(path, owner) {
        exit(3)
      }
    }
    try journal.appendBatch(1)
  }

  @Test func anotherMachinesJournalIsRefused() throws {
    let directory = TemporaryDirectory()
    do { _ = try Journal(directory: directory.path, machine: .risk) }
    let refusal = JournalError.wrongMachine(path: directory.path, expected: .settlement, found: .risk)
    #expect(throws: refusal) { _ = try Journal(directory: directory.path, machine: .settlement) }
    #expect(throws: refusal) { _ = try JournalReader(directory: directory.path, machine: .settlement) }
  }

  @Test func anUnknownFormatIsRefused() throws {
    let directory = TemporaryDirectory()
    do { _ = try Journal(directory: directory.path, machine: .risk) }
    try directory.edit("meta", keys: String.self) { transaction, meta in
      let version: [UInt8] = [9, 0]
      try version.withUnsafeBytes { _ = try transaction.put($0, at: "format", in: meta) }
    }
    #expect(
      throws: JournalError.unknownVersion(path: directory.path, part: "the journal", found: 9, known: 2)
    ) { _ = try Journal(directory: directory.path, machine: .risk) }
  }

  @Test func aDirectoryWithoutAJournalIsRefusedToReaders() {
    let directory = TemporaryDirectory()
    #expect(throws: JournalError.noJournal(path: directory.path)) {
      _ = try JournalReader(directory: directory.path, machine: .risk)
    }
  }

  @Test func aFullMapIsRefusedCleanlyAndStaysReadable() throws {
    let directory = TemporaryDirectory()
    let configuration = JournalConfiguration(mapSize: 1 << 20)
    let journal = try Journal(directory: directory.path, machine: .risk, configuration: configuration)
    var failure: (any Error)?
    var lastGood = SequenceNumber(0)
    while failure == nil {
      do {
        try journal.begin()
        for _ in 0..<64 { try journal.appendEntries(1, size: 1000) }
        try journal.commit()
        lastGood = journal.lastSequence
      } catch {
        journal.abort()
        failure = error
      }
    }
    #expect(failure as? JournalError == .mapFull(path: directory.path, mapSize: 1 << 20))
    #expect(!journal.room.isAccepting)
    #expect(lastGood.rawValue > 100)
    #expect(journal.lastSequence == lastGood)
    var count: UInt64 = 0
    try journal.forEachEntry(from: SequenceNumber(1)) { _, _ in
      count += 1
      return true
    }
    #expect(count == lastGood.rawValue)
  }

  @Test func aBatchIsNotBegunWhenTheMapIsNearlyFull() throws {
    let directory = TemporaryDirectory()
    let configuration = JournalConfiguration(mapSize: 1 << 20)
    let journal = try Journal(directory: directory.path, machine: .risk, configuration: configuration)
    #expect(throws: JournalError.mapFull(path: directory.path, mapSize: 1 << 20)) {
      while true { try journal.appendBatch(4, size: 1000) }
    }
    #expect(journal.endOfTerm == nil)
    #expect(journal.bytesUsed < journal.mapSize)
  }

  @Test func afterAFailedCommitNothingIsWrittenUntilTheJournalIsReopened() async throws {
    let directory = TemporaryDirectory()
    let path = directory.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      signal(SIGXFSZ, SIG_IGN)
      var journal: Journal? = try Journal(directory: path, machine: .risk)
      try journal!.appendBatch(5)
      let before = journal!.position
      try journal!.begin()
      try journal!.appendEntries(400, size: 1000)
      var limit = rlimit(rlim_cur: rlim_t(journal!.bytesUsed), rlim_max: rlim_t.max)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let failure = #expect(throws: JournalError.self) { try journal!.commit() }
      guard case .failed("mdb_txn_commit", path, _) = failure else { exit(2) }
      limit.rlim_cur = rlim_t.max
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      // The disk has room again, and a small commit would succeed; the term is over all the same.
      let refusal = #expect(throws: JournalError.self) { try journal!.begin() }
      guard case .termEnded(path, _) = refusal, journal!.position == before else { exit(3) }
      var entries = 0
      try journal!.forEachEntry(from: SequenceNumber(1)) { _, _ in
        entries += 1
        return true
      }
      guard entries == 5 else { exit(4) }
      journal = nil
      journal = try Journal(directory: path, machine: .risk)
      guard journal!.position == before else { exit(5) }
      try journal!.appendBatch(1)
      exit(journal!.lastSequence == SequenceNumber(6) ? 0 : 6)
    }
  }

  @Test func aSealStartsTheNextEpochsTree() throws {
    let directory = TemporaryDirectory()
    let position: JournalPosition
    do {
      let journal = try Journal(directory: directory.path, machine: .risk)
      try journal.appendBatch(5)
      let leaves = (1...5).map { testLeaf(testHeader($0), testPayload($0)) }
      #expect(journal.entryRoot == MerkleTree<RFC6962SHA256>.root(leaves))
      #expect(journal.epochFirstSequence == SequenceNumber(1))
      try journal.begin()
      try journal.append(testHeader(6, kind: .seal), UnsafeRawBufferPointer(start: nil, count: 0))
      try journal.commit()
      #expect(journal.entryRoot == RFC6962SHA256.emptyRoot)
      #expect(journal.epochFirstSequence == SequenceNumber(7))
      try journal.appendBatch(2)
      let nextLeaves = [7, 8].map { testLeaf(testHeader($0), testPayload($0)) }
      #expect(journal.entryRoot == MerkleTree<RFC6962SHA256>.root(nextLeaves))
      position = journal.position
    }
    #expect(try Journal(directory: directory.path, machine: .risk).position == position)
  }

  @Test func notesAreKeptWithTheirBatch() throws {
    let directory = TemporaryDirectory()
    let journal = try Journal(directory: directory.path, machine: .risk)
    let note: [UInt8] = [1, 2, 3]
    try journal.begin()
    try note.withUnsafeBytes { try journal.putMeta("peer", $0) }
    #expect(try journal.getMeta("peer") == nil)
    try journal.commit()
    #expect(try journal.getMeta("peer") == note)
    #expect(try journal.getMeta("format") == nil)
    #expect(try journal.creation().seconds > 1_600_000_000)
  }
}
