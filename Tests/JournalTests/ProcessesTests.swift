import Foundation
import Glibc
import Journal
import Machine
import Market
import Testing

/// What processes that die, or share a journal, do to each other.
@Suite struct ProcessesTests {
  private let directory = TemporaryDirectory()

  /// Messages go into the outbox and out again: without a reader in the way the file reaches a size and stays there.
  private func churn(_ journal: Journal, _ rounds: Range<UInt64>) throws {
    let messages = [UInt8](repeating: 7, count: 100_000)
    for number in rounds {
      try journal.begin()
      try messages.withUnsafeBytes {
        try journal.enqueue(destination: .marks, firstNumber: number, count: 1, epoch: Epoch(1), messages: $0)
      }
      try journal.trimOutbox(destination: .marks, through: number - 1)
      try journal.commit()
    }
  }

  @Test func aKilledReadersSlotIsFreedAndTheFileStopsGrowing() async throws {
    let path = directory.path
    let journal = try Journal(directory: path, machine: .risk)
    try churn(journal, 1..<20)
    let before = journal.bytesUsed
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let environment = try LMDBEnvironment(reading: path)
      let transaction = try environment.beginReading()
      kill(getpid(), SIGKILL)
      withExtendedLifetime(transaction.environment) {}
    }
    try churn(journal, 20..<60)
    #expect(journal.bytesUsed < before + 5 * 100_000)
    // A reader that lives is another matter.
    let environment = try LMDBEnvironment(reading: path)
    let transaction = try environment.beginReading()
    try churn(journal, 60..<100)
    #expect(journal.bytesUsed > before + 30 * 100_000)
    withExtendedLifetime(transaction.environment) {}
  }

  @Test func aWriterKilledInABatchHandsTheLockOverToTheNextThoughAReaderHasTheJournalOpen() async throws {
    let path = directory.path
    do { try Journal(directory: path, machine: .risk).appendBatch(2) }
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let journal = try Journal(directory: path, machine: .risk)
      try journal.begin()
      try journal.appendEntries(3)
      kill(getpid(), SIGKILL)
    }
    await #expect(processExitsWith: .success) { [path = path as String] in
      let journal = try Journal(directory: path, machine: .risk)
      try journal.appendBatch(1)
      exit(journal.lastSequence == SequenceNumber(3) ? 0 : 1)
    }
    #expect(try JournalReader(directory: path, machine: .risk).lastSequence() == SequenceNumber(3))
  }

  /// LMDB writes the commit to disk first, then its number where other processes look for it.
  @Test func aWriterKilledBetweenItsCommitAndTheWordToOthersHasLostNothing() async throws {
    let path = directory.path
    do { try Journal(directory: path, machine: .risk).appendBatch(2) }
    // Whoever has it open keeps the number of the last commit that is known.
    let reader = try LMDBEnvironment(reading: path)
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let journal = try Journal(directory: path, machine: .risk)
      try journal.appendBatch(1)
      try journal.begin()
      let lock = open("\(path)/lock.mdb", O_RDWR)
      var number: UInt64 = 0
      // Behind magic, format and the readers' mutex.
      let place = off_t(8 + MemoryLayout<pthread_mutex_t>.size)
      guard pread(lock, &number, 8, place) == 8, (1...100).contains(number) else { exit(1) }
      number -= 1
      guard pwrite(lock, &number, 8, place) == 8 else { exit(1) }
      kill(getpid(), SIGKILL)
    }
    await #expect(processExitsWith: .success) { [path = path as String] in
      let journal = try Journal(directory: path, machine: .risk)
      guard journal.lastSequence == SequenceNumber(3) else { exit(2) }
      try journal.appendBatch(1)
      exit(journal.lastSequence == SequenceNumber(4) ? 0 : 3)
    }
    withExtendedLifetime(reader) {}
  }

  @Test func aChildOfTheOwnerNeitherKeepsItsLockNorLosesIt() async throws {
    let path = directory.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      var journal: Journal? = try Journal(directory: path, machine: .risk)
      try journal!.appendBatch(1)
      let short = try Process.run(URL(fileURLWithPath: "/bin/true"), arguments: [])
      short.waitUntilExit()
      // A child that came and went has not given the lock away.
      do {
        _ = try Journal(directory: path, machine: .risk)
        exit(2)
      } catch JournalError.alreadyOwned(path, getpid()) {}
      // One that stays does not keep what its parent let go of, nor what it dies with.
      _ = try Process.run(URL(fileURLWithPath: "/bin/sleep"), arguments: ["20"])
      journal = nil
      journal = try Journal(directory: path, machine: .risk)
      try journal!.appendBatch(1)
      kill(getpid(), SIGKILL)
    }
    let journal = try Journal(directory: path, machine: .risk)
    try journal.appendBatch(1)
    #expect(journal.lastSequence == SequenceNumber(3))
  }
}
