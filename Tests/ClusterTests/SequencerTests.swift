import Bytes
import Cryptography
import Foundation
import Journal
import Listing
import Machine
import Market
import Matching
import Testing
import Wire

@testable import Cluster

/// A shard under the runtime that a matcher process hosts it with.
struct SequencerTests {
  private let directory = "/tmp/nv-seq-\(UUID().uuidString.prefix(8))"
  private let market: MarketDefinition
  private let shard = ShardID(0)
  private let key = PrivateKey.generate()

  init() throws {
    var root = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: root.appendingPathComponent("Package.swift").path) {
      root.deleteLastPathComponent()
    }
    let file = try ListingFile.load(root.appendingPathComponent("cluster/config/instruments.toml").path)
    var market = try file.open(at: MachineClock.wall(), shards: 2).market
    market.parameters.verifiers = [Address([UInt8](repeating: 1, count: 20))]
    self.market = market
  }

  private func open() throws -> Sequencer<ShardMachine> {
    let journal = try Journal(directory: directory, machine: .shard(shard))
    return try Sequencer.open(id: .shard(shard), journal: journal, genesis: market)
  }

  private func stream(_ messages: [any StreamMessage]) -> [UInt8] {
    var writer = ByteWriter()
    for message in messages {
      let body = [type(of: message).kind.rawValue] + message.encoded
      body.withUnsafeBytes { writer.blob($0) }
    }
    return writer.array
  }

  /// Opens an account, brings marks, and trades until something rests.
  private func drive(_ sequencer: inout Sequencer<ShardMachine>, nonce: UInt64) throws {
    let now = sequencer.now()
    let next = sequencer.machine.streams.lastReceived(from: .risk) + 1
    let credit = Credit(account: AccountID(1), owner: key.address, version: nonce, ceiling: Money(whole: 1_000_000))
    let opening = stream([credit, Heartbeat(number: next, stamp: now)])
    opening.withUnsafeBytes { bytes in
      _ = sequencer.submit(
        .stream, bytes, from: .risk, epoch: sequencer.epoch, firstNumber: next, count: 2)
    }
    let instrument = try #require(market.instruments(of: shard).first { $0.kind == .perpetual })
    let mark = Price(units: instrument.tickSize.units * 1_000)
    let marks = ShardMarks(
      version: nonce, stamp: now, index: Price(whole: 50_000),
      entries: [
        .init(
          instrument: instrument.id, mark: mark, marginToBuy: Money(whole: 1), marginToSell: Money(whole: 1),
          bandLow: instrument.tickSize, bandHigh: Price(units: mark.units * 2))
      ])
    marks.encoded.withUnsafeBytes { _ = sequencer.submit(.marks, $0) }
    let operation = Market.Operation(
      kind: .new, side: .buy, instrument: instrument.id, price: mark, quantity: instrument.lotSize)
    let action = try ActionSigning(market: market).signedBatch(
      [operation], account: AccountID(1), nonce: nonce, expiry: UInt64(now.seconds) + 30,
      underlying: instrument.underlying, key: key)
    action.encoded.withUnsafeBytes { _ = sequencer.submit(.action, $0) }
  }

  @Test func whoOnlyReadsTheJournalHasTheMachineThatItsOwnerHas() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var owned: UInt64 = 0
    do {
      var sequencer = try open()
      for nonce in UInt64(1)...4 {
        try drive(&sequencer, nonce: nonce)
        try sequencer.commit()
        sequencer.finishTurn()
        if nonce == 2 { try sequencer.takeSnapshot() }
      }
      owned = sequencer.machine.stateHash()
    }
    let machine: ShardMachine = try MachineRecovery.read(.shard(shard), directory: directory)
    let read = machine.stateHash()
    #expect(read == owned && machine.orderCount == 4)
  }

  @Test func nothingIsDurableBeforeTheCommitAndAllOfItAfter() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    do {
      var sequencer = try open()
      try drive(&sequencer, nonce: 1)
      #expect(sequencer.journal.durableSequence == SequenceNumber(1))
      try sequencer.commit()
      #expect(sequencer.journal.durableSequence == sequencer.lastSequence)
      sequencer.finishTurn()
      try drive(&sequencer, nonce: 2)
      #expect(sequencer.machine.orderCount == 2)
    }
    let reopened = try open()
    #expect(reopened.machine.orderCount == 1)
  }

  @Test func aReopenedMachineAndAReexecutedOneHaveTheSameState() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var hash: UInt64 = 0
    do {
      var sequencer = try open()
      for nonce in 1...20 as ClosedRange<UInt64> {
        try drive(&sequencer, nonce: nonce)
        try sequencer.commit()
        sequencer.finishTurn()
        if nonce.isMultiple(of: 5) {
          try sequencer.seal()
          try sequencer.commit()
          sequencer.finishTurn()
        }
        if nonce == 12 { try sequencer.takeSnapshot() }
      }
      hash = sequencer.machine.stateHash()
      #expect(sequencer.epoch == Epoch(5))
    }
    do {
      let reopened = try open()
      #expect(reopened.machine.stateHash() == hash)
      #expect(reopened.term == Term(2))
    }
    let replica = try Replica<ShardMachine>(
      .shard(shard), directory: directory, market: market, signing: ActionSigning(market: market))
    #expect(try replica.advance(past: nil))
    #expect(replica.stateHash == hash)
  }

  @Test func aForgedSignatureIsABreach() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    do {
      var sequencer = try open()
      try drive(&sequencer, nonce: 1)
      let instrument = try #require(market.instruments(of: shard).first)
      var action = try ActionSigning(market: market).signedBatch(
        [Market.Operation(kind: .cancelAll, instrument: instrument.id)], account: AccountID(1), nonce: 9,
        expiry: UInt64(sequencer.now().seconds) + 30, underlying: instrument.underlying, key: key)
      action.header.nonce = 10
      action.encoded.withUnsafeBytes { _ = sequencer.submit(.action, $0) }
      try sequencer.commit()
    }
    let replica = try Replica<ShardMachine>(
      .shard(shard), directory: directory, market: market, signing: ActionSigning(market: market))
    #expect { _ = try replica.advance(past: nil) } throws: { ($0 as? ReexecutionBreach)?.rule == .signature }
  }

  @Test func aSealThatDoesNotCommitToItsEntriesIsABreach() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    do {
      var sequencer = try open()
      try drive(&sequencer, nonce: 1)
      let seal = Seal(
        epoch: sequencer.epoch, term: sequencer.term, firstSequence: SequenceNumber(1),
        lastSequence: sequencer.lastSequence, chainHead: .zero, entryRoot: .zero)
      seal.encoded.withUnsafeBytes { _ = sequencer.submit(.seal, $0) }
      try sequencer.commit()
    }
    let replica = try Replica<ShardMachine>(
      .shard(shard), directory: directory, market: market, signing: ActionSigning(market: market))
    #expect { _ = try replica.advance(past: nil) } throws: { ($0 as? ReexecutionBreach)?.rule == .seal }
  }

  @Test func unacknowledgedMessagesStayInTheOutbox() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    do {
      var sequencer = try open()
      try drive(&sequencer, nonce: 1)
      try sequencer.commit()
      sequencer.finishTurn()
    }
    let reopened = try open()
    let sent = reopened.machine.streams.lastSent(to: .risk)
    #expect(sent > 0)
    var last: UInt64 = 0
    try reopened.journal.forEachOutbox(destination: .risk, from: 1) { chunk in
      last = chunk.firstNumber + UInt64(chunk.count) - 1
      return true
    }
    #expect(last == sent)
  }

  /// Its accounts are the smallest there are, and nothing follows them in the snapshot.
  @Test func aShardOfOneCurrencyIsRestoredBeforeItsFirstTrade() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var market = market
    market.instruments = market.instruments.filter { $0.settlement == .inverse && $0.shard == shard }
    for index in market.instruments.indices { market.instruments[index].id = InstrumentID(UInt32(index)) }
    func open() throws -> Sequencer<ShardMachine> {
      let journal = try Journal(directory: directory, machine: .shard(shard))
      return try Sequencer.open(id: .shard(shard), journal: journal, genesis: market)
    }
    var hash: UInt64 = 0
    do {
      var sequencer = try open()
      for account in 1...40 as ClosedRange<UInt32> {
        let credit = Credit(
          account: AccountID(account), owner: key.address, version: 1, ceiling: Money(whole: 1_000))
        stream([credit]).withUnsafeBytes { bytes in
          _ = sequencer.submit(
            .stream, bytes, from: .risk, epoch: sequencer.epoch, firstNumber: UInt64(account), count: 1)
        }
      }
      try sequencer.commit()
      sequencer.finishTurn()
      try sequencer.takeSnapshot()
      hash = sequencer.machine.stateHash()
      #expect(sequencer.machine.accountCount == 40)
    }
    #expect(try open().machine.stateHash() == hash)
  }
}
