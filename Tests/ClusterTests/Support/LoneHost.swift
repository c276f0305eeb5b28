import Authority
import Bytes
import Foundation
import Journal
import Logging
import Machine
import Market
import Messaging
import Wire

@testable import Cluster

/// A machine that takes note of what it is given, and does nothing.
struct NotingMachine: Machine, ~Copyable {
  static var snapshotVersion: UInt16 { 1 }
  private(set) var kinds: [InputKind] = []
  var streams = StreamNumbers()
  var epoch = Epoch(1)
  var nextDeadline: Timestamp { .never }

  init(id: MachineID) {}
  init(id: MachineID, snapshot: inout ByteReader) {}
  mutating func apply(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    kinds.append(header.kind)
  }
  borrowing func writeSnapshot(to writer: inout ByteWriter) {}
  borrowing func hash(into hasher: inout StateHasher) { hasher.combine(UInt64(kinds.count)) }
}

/// A host of one machine in a world of the test's making: its journal is a real one, its time stands still, and frames
/// go nowhere.
final class LoneHost: HostWorld {
  let directory = "/tmp/nv-lone-\(UUID().uuidString.prefix(8))"
  let machine = MachineID.shard(ShardID(0))
  let sources = [MachineID.risk, .settlement]
  let journal: Journal
  private(set) var core: HostCore<NotingMachine>!
  /// Nanoseconds of the monotonic clock; the wall clock goes with it.
  var now: Int64 = 10_000_000_000
  let wallAtZero: Int64 = 1_700_000_000_000_000_000
  var kept: [Quarantine] = []
  var lastDeath: NotedInput?
  /// Frames to each source, and why the term ended.
  private(set) var sent: [(source: Int, frame: [UInt8])] = []
  private(set) var endings: [String] = []
  private var written: [CommitBatch] = []

  init(_ market: MarketDefinition, kept: [Quarantine] = [], lastDeath: NotedInput? = nil) throws {
    journal = try Journal(directory: directory, machine: machine)
    self.kept = kept
    self.lastDeath = lastDeath
    let map = ClusterMap(
      dataDirectory: directory,
      nodes: [
        ClusterMap.Node(name: "matcher-0", role: .matcher, hosts: ["shard-0"], publicKey: ""),
        ClusterMap.Node(name: "gateway-0", role: .gateway, hosts: ["gateway-0"], publicKey: ""),
      ], endpoints: [:], operatorPublicKey: "", shardCount: 1, settings: ClusterMap.Settings())
    let role = HostRole<NotingMachine>(
      sources: sources, admits: [.submit: .gateway], figures: { _ in ([:], [:]) },
      answer: { throw UnansweredQuery(machine: .risk, kind: $1.kind) })
    let sequencer = BatchSequencer(
      id: machine, machine: NotingMachine(id: machine), after: journal.position, term: Term(1),
      clock: MachineClock(notBefore: .zero, source: self))
    core = HostCore(
      sequencer, at: journal.position, genesis: market, isFresh: true, role: role, map: map, node: "matcher-0",
      configuration: HostConfiguration(), world: self,
      log: Logger(label: "lone", factory: { _ in SwiftLogNoOpLogHandler() }))
    core.start()
    settle()
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// Lets time pass, and what was closed become durable.
  func settle(after nanoseconds: Int64 = 0) {
    now += nanoseconds
    core.endOfTurn()
    while !written.isEmpty {
      let batch = written.removeFirst()
      try? journal.write(batch)
      core.batchIsDurable(batch)
    }
  }

  /// A gateway brings an action.
  func submit(_ action: [UInt8]) {
    var frame = ByteWriter()
    Frame.begin(.submit, in: &frame)
    action.withUnsafeBytes { frame.blob($0) }
    core.receive(frame.bytes, from: [1], named: "gateway-0")
    settle(after: 20_000_000)
  }

  /// A source sends messages of its stream.
  func receive(_ messages: [[UInt8]], from source: Int, firstNumber: UInt64) {
    var body = ByteWriter()
    for message in messages { message.withUnsafeBytes { body.blob($0) } }
    var frame = ByteWriter()
    Frame.begin(.chunk, in: &frame)
    StreamChunk(
      source: sources[source], epoch: Epoch(1), firstNumber: firstNumber, count: UInt16(messages.count),
      messages: body.bytes
    ).write(to: &frame)
    core.receive(frame.bytes, fromSource: source)
    settle(after: 20_000_000)
  }

  /// Answers what the sources were asked for their time: each clock is off by so many seconds.
  func answerTime(_ secondsOff: [Int64]) {
    let questions = sent
    sent.removeAll()
    for (source, frame) in questions {
      frame.withUnsafeBytes { bytes in
        guard let opened = Frame.open(bytes), opened.kind == .askTime else { return }
        var body = opened.body
        var reading = ClockReading(from: &body)
        reading.stamp = Timestamp(nanoseconds: reading.asked.nanoseconds + secondsOff[source] * 1_000_000_000)
        var answer = ByteWriter()
        Frame.write(.time, reading, in: &answer)
        core.receive(answer.bytes, fromSource: source)
      }
    }
    settle()
  }

  /// What the journal holds after the genesis.
  func entries() throws -> [(header: InputHeader, payload: [UInt8])] {
    var found: [(header: InputHeader, payload: [UInt8])] = []
    try journal.forEachEntry(from: SequenceNumber(2)) { header, payload in
      found.append((header, [UInt8](payload)))
      return true
    }
    return found
  }

  // MARK: The world

  func monotonic() -> Int64 { now }
  func wall() -> Timestamp { Timestamp(nanoseconds: wallAtZero + now) }
  func send(_ frame: UnsafeRawBufferPointer, to peer: [UInt8]) -> Socket.SendResult { .sent }
  func send(_ frame: UnsafeRawBufferPointer, toSource index: Int) -> Socket.SendResult {
    sent.append((index, [UInt8](frame)))
    return .sent
  }
  func write(_ batch: CommitBatch) { written.append(batch) }
  func keep(snapshot: [UInt8], version: UInt16) {}
  func forEachOutbox(destination: MachineID, from number: UInt64, _ body: (OutboxChunk) throws -> Bool) throws {}
  var journalUse: (used: UInt64, capacity: UInt64) { (0, 1 << 30) }
  func wake(at time: Int64) {}
  func setReceiving(_ isReceiving: Bool) {}
  var hasAuthority: Bool { false }
  func ask(_ question: AuthorityQuestion) {}
  var leaseEnd: Int64 { .max }
  var copyNodes: [String] { [] }
  func send(_ frame: UnsafeRawBufferPointer, toCopyOn node: String) -> Socket.SendResult { .unreachable }
  func forEachBatch(
    after sequence: SequenceNumber, _ body: (UnsafeRawBufferPointer, SequenceNumber) throws -> Bool
  ) throws {}
  func link(endingAt sequence: SequenceNumber) throws -> Digest? { nil }
  func recentLinks() throws -> [CommonGround.Link] { [] }
  func cutJournal(after sequence: SequenceNumber) throws {}
  var journalBase: SequenceNumber { SequenceNumber(0) }
  func newestSnapshot() throws -> SnapshotOffer? { nil }
  func snapshotPart(of sequence: SequenceNumber, _ part: UInt32) throws -> [UInt8]? { nil }
  func adopt(_ snapshot: JournalSnapshot, outbox: [OwedChunk]) {}
  func quarantines() throws -> [Quarantine] { kept }
  func endTerm(_ what: String, _ reason: any Error) { endings.append("\(what): \(reason)") }
}
