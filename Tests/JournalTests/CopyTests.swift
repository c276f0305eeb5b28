import Bytes
import Journal
import Machine
import Market
import Testing

@Suite struct CopyTests {
  private let directory = TemporaryDirectory()
  private let target = TemporaryDirectory()

  @Test func aCopyOfALiveJournalIsTheJournalAsItWasAndLeavesOutWhatIsFree() throws {
    let journal = try Journal(directory: directory.path, machine: .risk)
    for _ in 0..<5 { try journal.appendBatch(10) }
    let messages = [UInt8](repeating: 7, count: 1_000_000)
    try journal.begin()
    try messages.withUnsafeBytes {
      try journal.enqueue(destination: .marks, firstNumber: 1, count: 1, epoch: Epoch(1), messages: $0)
    }
    try journal.commit()
    try journal.begin()
    try journal.trimOutbox(destination: .marks, through: 1)
    try journal.commit()
    try journal.putTestSnapshot()
    let then = journal.position
    try journal.begin()
    try journal.appendEntries(3)
    try journal.reader().copy(to: target.path)
    try journal.commit()
    let copy = try Journal(directory: target.path, machine: .risk)
    #expect(copy.position == then)
    #expect(try copy.latestSnapshot()?.bytes == journal.latestSnapshot()?.bytes)
    #expect(copy.bytesUsed + 900_000 < journal.bytesUsed)
  }

  @Test func aCopyIsNotPutOverAnother() throws {
    let journal = try Journal(directory: directory.path, machine: .risk)
    try journal.appendBatch(1)
    try journal.reader().copy(to: target.path)
    #expect(throws: JournalError.self) { try journal.reader().copy(to: target.path) }
  }

  @Test func sealsAreFoundByTheirEpochs() throws {
    let journal = try Journal(directory: directory.path, machine: .risk)
    #expect(try journal.reader().lastSeal() == nil)
    var seals: [SequenceNumber] = []
    for epoch in UInt32(1)...4 {
      try journal.appendBatch(3)
      let seal = Seal(
        epoch: Epoch(epoch), term: Term(1), firstSequence: journal.epochFirstSequence,
        lastSequence: journal.lastSequence, chainHead: journal.chainHead, entryRoot: journal.entryRoot)
      try journal.begin()
      try seal.encoded.withUnsafeBytes {
        try journal.append(testHeader(journal.lastSequence.rawValue + 1, kind: .seal), $0)
      }
      try journal.appendEntries(2)
      try journal.commit()
      seals.append(SequenceNumber(journal.lastSequence.rawValue - 2))
    }
    let reader = journal.reader()
    #expect(try reader.lastSeal()?.sequence == seals[3])
    #expect(try reader.lastSeal()?.seal.epoch == Epoch(4))
    for epoch in UInt32(1)...4 { #expect(try reader.seal(of: Epoch(epoch)) == seals[Int(epoch) - 1]) }
    #expect(try reader.seal(of: Epoch(5)) == nil)
    #expect(try reader.seal(of: Epoch(0)) == nil)
  }
}
