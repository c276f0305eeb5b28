import Bytes
import Cryptography
import Glibc
import Journal
import Machine
import Market
import Testing

@Suite struct JournalReaderTests {
  private let directory = TemporaryDirectory()

  @Test func theReaderRecomputesTheWritersChain() throws {
    let journal = try Journal(directory: directory.path, machine: .risk)
    for size in 1...30 { try journal.appendBatch(size) }
    let reader = try JournalReader(directory: directory.path, machine: .risk)
    #expect(try reader.verifyChain() == journal.position)
    #expect(try reader.lastSequence() == journal.lastSequence)
  }

  @Test func anOpenBatchIsInvisible() throws {
    let journal = try Journal(directory: directory.path, machine: .risk)
    let reader = try JournalReader(directory: directory.path, machine: .risk)
    try journal.appendBatch(2)
    try journal.begin()
    try journal.appendEntries(3)
    #expect(try reader.lastSequence() == SequenceNumber(2))
    try journal.commit()
    #expect(try reader.lastSequence() == SequenceNumber(5))
  }

  @Test func theChainIsWhatTheFormatSays() throws {
    let journal = try Journal(directory: directory.path, machine: .risk)
    let reader = try JournalReader(directory: directory.path, machine: .risk)
    for size in [1, 3, 2] { try journal.appendBatch(size) }
    var expected: [Digest] = []
    var previous = [UInt8](repeating: 0, count: 32)
    for sequences in [1...1, 2...4, 5...6] as [ClosedRange<UInt64>] {
      let leaves = sequences.flatMap { testLeaf(testHeader($0), testPayload($0)).array }
      expected.append(SHA256.hash(previous + leaves))
      previous = expected.last!.array
    }
    var links: [Digest] = []
    var lasts: [UInt64] = []
    try reader.forEachBatch(from: SequenceNumber(1)) { last, link in
      lasts.append(last.rawValue)
      links.append(link)
      return true
    }
    #expect(links == expected)
    #expect(lasts == [1, 4, 6])
    #expect(try reader.link(endingAt: SequenceNumber(4)) == expected[1])
    #expect(try reader.link(endingAt: SequenceNumber(3)) == nil)
    #expect(try journal.link(endingAt: SequenceNumber(6)) == journal.chainHead)
  }

  @Test func aReaderInAnotherProcessFollowsALiveJournal() async throws {
    let path = directory.path
    let journal = try Journal(directory: path, machine: .risk)
    // More batches, and more entries, than fit one view.
    for _ in 0..<600 { try journal.appendBatch(2) }
    await #expect(processExitsWith: .exitCode(7)) { [path = path as String] in
      let reader = try JournalReader(directory: path, machine: .risk)
      var expected: UInt64 = 1
      try reader.forEachEntry(from: SequenceNumber(1)) { header, payload in
        precondition(header.sequence.rawValue == expected && [UInt8](payload) == testPayload(expected))
        expected += 1
        return true
      }
      let position = try reader.verifyChain()
      var batches = 0
      try reader.forEachBatch(from: SequenceNumber(1)) { _, _ in
        batches += 1
        return true
      }
      if expected == 1201, position.sequence == SequenceNumber(1200), batches == 600 { exit(7) }
    }
    try journal.appendBatch(2)
    #expect(journal.lastSequence == SequenceNumber(1202))
  }
}
