import Bytes
import Journal
import Machine
import Market
import Testing

/// Long tails are verified on two threads.
@Suite struct OpeningTests {
  private let directory = TemporaryDirectory()

  /// Batches of 100 entries, the first of every `epoch`-th a seal.
  private func makeJournal(batches: Int, epoch: Int) throws -> JournalPosition {
    let journal = try Journal(directory: directory.path, machine: .risk)
    for batch in 1...batches {
      try journal.begin()
      if batch % epoch == 0 {
        let header = testHeader(journal.lastSequence.rawValue + 1, kind: .seal)
        try journal.append(header, UnsafeRawBufferPointer(start: nil, count: 0))
      }
      try journal.appendEntries(100, size: 8)
      try journal.commit()
    }
    return journal.position
  }

  @Test(arguments: [40, 390, 1_000])
  func aLongTailIsOpenedAtTheVeryPositionWhereItEnded(epoch: Int) throws {
    let position = try makeJournal(batches: 400, epoch: epoch)
    let journal = try Journal(directory: directory.path, machine: .risk)
    #expect(journal.position == position)
    try journal.appendBatch(3)
    #expect(try journal.reader().verifyChain() == journal.position)
  }

  @Test(arguments: [UInt64(7), 19_000, 20_300, 39_990])
  func damageAnywhereInALongTailIsRefusedWithItsSequence(sequence: UInt64) throws {
    _ = try makeJournal(batches: 400, epoch: 40)
    try directory.edit("entries", keys: UInt64.self) { transaction, entries in
      let stored = try transaction.value(at: sequence, in: entries)
      var bytes = try [UInt8](#require(stored))
      bytes[50] ^= 1
      try bytes.withUnsafeBytes { _ = try transaction.put($0, at: sequence, in: entries) }
    }
    let refusal = #expect(throws: JournalError.self) { _ = try Journal(directory: directory.path, machine: .risk) }
    #expect(
      refusal
        == .damaged(path: directory.path, sequence: SequenceNumber(sequence), reason: "the checksum does not fit"))
  }

  @Test func damageInBothHalvesIsRefusedWithTheFirst() throws {
    _ = try makeJournal(batches: 400, epoch: 40)
    try directory.edit("entries", keys: UInt64.self) { transaction, entries in
      for sequence in [UInt64(39_000), 300] {
        let stored = try transaction.value(at: sequence, in: entries)
        var bytes = try [UInt8](#require(stored))
        bytes[50] ^= 1
        try bytes.withUnsafeBytes { _ = try transaction.put($0, at: sequence, in: entries) }
      }
    }
    let refusal = #expect(throws: JournalError.self) { _ = try Journal(directory: directory.path, machine: .risk) }
    guard case .damaged(_, SequenceNumber(300), _) = refusal else {
      Issue.record("\(String(describing: refusal))")
      return
    }
  }

  @Test func aChangedLinkWhereTheHalvesMeetIsRefused() throws {
    _ = try makeJournal(batches: 400, epoch: 40)
    // The seal nearest to the middle, from below, opens batch 200; the batch before it ends here.
    let end: UInt64 = 199 * 100 + 4
    try directory.edit("batches", keys: UInt64.self) { transaction, batches in
      let stored = try transaction.value(at: end, in: batches)
      _ = try #require(stored)
      try [UInt8](repeating: 7, count: 32).withUnsafeBytes { _ = try transaction.put($0, at: end, in: batches) }
    }
    let refusal = #expect(throws: JournalError.self) { _ = try Journal(directory: directory.path, machine: .risk) }
    guard case .damaged(_, SequenceNumber(end), _) = refusal else {
      Issue.record("\(String(describing: refusal))")
      return
    }
  }
}
