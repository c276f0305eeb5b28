import Bytes
import Cryptography
import Journal
import Machine
import Market
import Testing

@Suite struct CuttingTests {
  private let directory = TemporaryDirectory()
  private let shard = MachineID.shard(ShardID(1))
  private func open() throws -> Journal { try Journal(directory: directory.path, machine: .risk) }

  @Test func aJournalCutBetweenTwoBatchesIsTheOneItWasThere() throws {
    let journal = try open()
    for _ in 0..<3 { try journal.appendBatch(5) }
    let then = journal.position
    for _ in 0..<3 { try journal.appendBatch(5) }
    try journal.putTestSnapshot()
    try journal.cut(after: SequenceNumber(15))
    #expect(journal.position == then)
    #expect(try journal.latestSnapshot() == nil)
    try journal.appendBatch(2)
    #expect(try journal.reader().verifyChain() == journal.position)
    #expect(journal.lastSequence == SequenceNumber(17))
    try journal.cut(after: SequenceNumber(100))
    #expect(journal.lastSequence == SequenceNumber(17))
  }

  @Test func aBatchCutInItsMiddleGetsALinkOfItsOwn() throws {
    let journal = try open()
    for _ in 0..<3 { try journal.appendBatch(5) }
    let head = try #require(try journal.link(endingAt: SequenceNumber(10)))
    try journal.cut(after: SequenceNumber(12))
    #expect(journal.lastSequence == SequenceNumber(12))
    let leaves = [11, 12].flatMap { testLeaf(testHeader($0), testPayload($0)).array }
    #expect(journal.chainHead == SHA256.hash(head.array + leaves))
    try journal.appendBatch(5)
    #expect(try journal.reader().verifyChain() == journal.position)
  }

  @Test func aLongCutGoesThroughSeveralTransactionsAndKeepsTheSnapshotBeforeIt() throws {
    let journal = try open()
    try journal.appendBatch(100)
    try journal.putTestSnapshot()
    for _ in 0..<20 { try journal.appendBatch(1_000) }
    try journal.cut(after: SequenceNumber(100))
    #expect(journal.lastSequence == SequenceNumber(100))
    #expect(try journal.latestSnapshot()?.position == journal.position)
    #expect(try journal.reader().verifyChain() == journal.position)
  }

  @Test func nothingIsCutBeforeTheBase() throws {
    let journal = try open()
    for _ in 0..<2 {
      try journal.appendBatch(5)
      try journal.takeShadowSnapshot()
      try journal.verifySnapshots()
    }
    try journal.begin()
    try journal.truncate(through: SequenceNumber(5))
    try journal.commit()
    #expect(throws: JournalError.self) { try journal.cut(after: SequenceNumber(4)) }
    try journal.cut(after: SequenceNumber(5))
    #expect(journal.lastSequence == SequenceNumber(5))
    #expect(try journal.base().sequence == SequenceNumber(5))
    try journal.appendBatch(1)
    #expect(try journal.reader().verifyChain() == journal.position)
  }

  @Test func theOutboxIsCutToWhatTheMachineHasSentAChunkInItsMiddleToo() throws {
    let journal = try open()
    var writer = ByteWriter()
    var machine = try MachineReplay<TestMachine>(journal.reader(), from: nil)
    // Ten entries cause a message; a chunk holds three.
    for first in stride(from: UInt64(1), to: 10, by: 3) {
      try journal.begin()
      try journal.appendEntries(30)
      writer.clear()
      for message in 0..<3 {
        [UInt8](repeating: UInt8(first) + UInt8(message), count: 9).withUnsafeBytes { writer.blob($0) }
      }
      try journal.enqueue(destination: shard, firstNumber: first, count: 3, epoch: Epoch(4), messages: writer.bytes)
      try journal.enqueue(destination: .marks, firstNumber: first, count: 3, epoch: Epoch(4), messages: writer.bytes)
      try journal.commit()
    }
    try journal.cut(after: SequenceNumber(55))
    try machine.advance(to: SequenceNumber(55))
    #expect(machine.machine.streams.lastSent(to: shard) == 5)
    try journal.begin()
    try journal.cutOutbox(to: machine.machine.streams)
    try journal.commit()
    var numbers: [UInt64] = []
    try journal.forEachOutbox(destination: shard, from: 1) { chunk in
      var reader = ByteReader(chunk.messages)
      for place in 0..<UInt64(chunk.count) {
        #expect([UInt8](reader.blob()) == [UInt8](repeating: UInt8(chunk.firstNumber + place), count: 9))
        numbers.append(chunk.firstNumber + place)
      }
      #expect(reader.isExhausted)
      #expect(chunk.epoch == Epoch(4))
      return true
    }
    #expect(numbers == [1, 2, 3, 4, 5])
    // The machine has never sent anything to marks.
    try journal.forEachOutbox(destination: .marks, from: 1) { _ in
      Issue.record("a message is left that was never sent")
      return true
    }
  }
}
