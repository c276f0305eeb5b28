import Bytes
import Journal
import Machine
import Market
import Testing

extension Journal {
  func putTestSnapshot(size: Int = 200_000) throws {
    try begin()
    try testPayload(lastSequence.rawValue, size: size).withUnsafeBytes { try putSnapshot(version: 3, bytes: $0) }
    try commit()
  }

  fileprivate func enqueueChunk(_ destination: MachineID, _ first: UInt64, _ count: UInt16) throws {
    try testPayload(first, size: 30).withUnsafeBytes {
      try enqueue(destination: destination, firstNumber: first, count: count, epoch: Epoch(4), messages: $0)
    }
  }

  fileprivate func chunks(_ destination: MachineID, from number: UInt64) throws -> [UInt64] {
    var firsts: [UInt64] = []
    try forEachOutbox(destination: destination, from: number) { chunk in
      #expect([UInt8](chunk.messages) == testPayload(chunk.firstNumber, size: 30))
      #expect(chunk.destination == destination)
      #expect(chunk.epoch == Epoch(4))
      firsts.append(chunk.firstNumber)
      return true
    }
    return firsts
  }
}

@Suite struct OutboxTests {
  private let directory = TemporaryDirectory()
  private let shard = MachineID.shard(ShardID(1))

  /// Chunks of 10 messages from 1, 11, … 91 for the shard; neighbours in key order on both sides.
  private func makeJournal() throws -> Journal {
    let journal = try Journal(directory: directory.path, machine: .risk)
    try journal.begin()
    for first in stride(from: UInt64(1), to: 100, by: 10) { try journal.enqueueChunk(shard, first, 10) }
    try journal.enqueueChunk(.shard(ShardID(0)), 1, 500)
    try journal.enqueueChunk(.shard(ShardID(2)), 1, 500)
    try journal.commit()
    return journal
  }

  @Test func chunksComeInOrderFromTheOneThatHoldsTheNumber() throws {
    let journal = try makeJournal()
    #expect(try journal.chunks(shard, from: 0) == Array(stride(from: UInt64(1), to: 100, by: 10)))
    #expect(try journal.chunks(shard, from: 1).count == 10)
    #expect(try journal.chunks(shard, from: 71) == [71, 81, 91])
    #expect(try journal.chunks(shard, from: 75) == [71, 81, 91])
    #expect(try journal.chunks(shard, from: 80) == [71, 81, 91])
    #expect(try journal.chunks(shard, from: 100) == [91])
    #expect(try journal.chunks(shard, from: 101) == [])
    #expect(try journal.chunks(.shard(ShardID(2)), from: 7) == [1])
    #expect(try journal.chunks(.shard(ShardID(2)), from: 501) == [])
    #expect(try journal.chunks(.shard(ShardID(7)), from: 1) == [])
    #expect(try journal.chunks(.marks, from: 1) == [])
  }

  @Test func trimmingDeletesOnlyWhollyAcknowledgedChunksOfThatDestination() throws {
    let journal = try makeJournal()
    for (through, left) in [(UInt64(0), 10), (9, 10), (10, 9), (35, 7), (35, 7), (99, 1), (100, 0), (1000, 0)] {
      try journal.begin()
      try journal.trimOutbox(destination: shard, through: through)
      try journal.commit()
      #expect(try journal.chunks(shard, from: 0).count == left, "through \(through)")
    }
    #expect(try journal.chunks(.shard(ShardID(0)), from: 1) == [1])
    #expect(try journal.chunks(.shard(ShardID(2)), from: 1) == [1])
  }

  @Test func nothingIsSeenBeforeItIsCommitted() throws {
    let journal = try makeJournal()
    try journal.begin()
    try journal.enqueueChunk(shard, 101, 3)
    #expect(try journal.chunks(shard, from: 101) == [])
    try journal.commit()
    #expect(try journal.chunks(shard, from: 101) == [101])
  }

  @Test func aNumberIsNotGivenTwice() throws {
    let journal = try makeJournal()
    try journal.begin()
    #expect(throws: JournalError.outboxConflict(path: directory.path, destination: shard, firstNumber: 51)) {
      try journal.enqueueChunk(shard, 51, 10)
    }
    journal.abort()
  }
}

@Suite struct SnapshotTests {
  private let directory = TemporaryDirectory()

  @Test func theLatestSnapshotIsGivenBackAndTheLastTwoAreKept() throws {
    let journal = try Journal(directory: directory.path, machine: .risk)
    #expect(try journal.latestSnapshot() == nil)
    for size in [0, 1, 65_519, 65_520, 65_521, 700_001] {
      try journal.appendBatch(3)
      try journal.putTestSnapshot(size: size)
      let snapshot = try #require(try journal.latestSnapshot())
      #expect(snapshot.version == 3)
      #expect(snapshot.position == journal.position)
      #expect(snapshot.bytes == testPayload(journal.lastSequence.rawValue, size: size))
    }
    let environment = try LMDBEnvironment(reading: directory.path)
    let snapshots = try environment.database(named: "snapshots", keys: [UInt8].self)
    // 1 head and 2 parts; 1 head and 11 parts.
    #expect(try environment.beginReading().count(of: snapshots) == 3 + 12)
  }

  @Test func aSnapshotTakenWithItsBatchCoversIt() throws {
    let before: JournalPosition
    do {
      let journal = try Journal(directory: directory.path, machine: .risk)
      try journal.appendBatch(3)
      try journal.begin()
      try journal.appendEntries(4)
      try [UInt8](repeating: 5, count: 10).withUnsafeBytes { try journal.putSnapshot(version: 1, bytes: $0) }
      try journal.commit()
      #expect(try journal.latestSnapshot()?.position == journal.position)
      try journal.appendBatch(2)
      before = journal.position
    }
    #expect(try Journal(directory: directory.path, machine: .risk).position == before)
  }

  @Test func aDamagedSnapshotGivesWayToTheOneBefore() throws {
    do {
      let journal = try Journal(directory: directory.path, machine: .risk)
      for _ in 0..<3 {
        try journal.appendBatch(3)
        try journal.putTestSnapshot()
      }
    }
    try directory.edit("snapshots", keys: [UInt8].self) { transaction, snapshots in
      // Part 2 of the snapshot at sequence 9.
      let key: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 2]
      let stored = try transaction.value(at: key, in: snapshots)
      var part = try [UInt8](#require(stored))
      part[17] ^= 1
      try part.withUnsafeBytes { _ = try transaction.put($0, at: key, in: snapshots) }
    }
    let journal = try Journal(directory: directory.path, machine: .risk)
    #expect(journal.damagedSnapshots == [SequenceNumber(9)])
    #expect(try journal.latestSnapshot()?.position.sequence == SequenceNumber(6))
    #expect(journal.lastSequence == SequenceNumber(9))
  }
}
