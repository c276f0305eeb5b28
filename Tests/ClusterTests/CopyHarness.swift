import Authority
import Bytes
import Cryptography
import Foundation
import Journal
import Logging
import Machine
import Market
import Messaging
import Testing
import Wire

@testable import Cluster

/// A machine that counts, tells every count to risk, and is large enough for a snapshot of several parts.
struct CountingMachine: Machine, ~Copyable {
  static var snapshotVersion: UInt16 { 3 }
  static let padding = 300_000
  private(set) var sum: UInt64 = 0
  private(set) var count: UInt64 = 0
  private(set) var streams = StreamNumbers()
  var epoch: Epoch { Epoch(1) }
  var nextDeadline: Timestamp { .never }

  init(id: MachineID) {}
  init(id: MachineID, snapshot: inout ByteReader) {
    sum = snapshot.u64()
    count = snapshot.u64()
    streams = StreamNumbers(from: &snapshot)
    _ = snapshot.bytes(Self.padding)
  }

  mutating func apply(_ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    for byte in payload { sum = sum &* 31 &+ UInt64(byte) }
    count += 1
    output.send(Heartbeat(number: count, stamp: header.stamp), to: .risk, &streams)
  }
  borrowing func writeSnapshot(to writer: inout ByteWriter) {
    writer.u64(sum)
    writer.u64(count)
    streams.write(to: &writer)
    writer.bytes([UInt8](repeating: UInt8(truncatingIfNeeded: sum), count: Self.padding))
  }
  borrowing func hash(into hasher: inout StateHasher) {
    hasher.combine(sum)
    hasher.combine(count)
  }
}

/// Hosts of copies of one machine on real journals, with a network, an authority and a clock of the test's.
final class CopyHarness {
  static let machine = MachineID.shard(ShardID(0))
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("copies-\(UUID().uuidString)").path
  let map: ClusterMap
  private(set) var now: Int64 = 1_000_000_000
  private var events: [() -> Void] = []
  private(set) var worlds: [String: CopyWorld] = [:]
  private(set) var record: Ownership?
  private var revision: UInt64 = 0
  /// Nodes that the map names as copies, as the hosts know by now.
  var copies = ["a", "b", "c"]
  /// What becomes of a frame on its way; `nil` loses it.
  var passes: (_ from: String, _ to: String, _ frame: [UInt8]) -> [UInt8]? = { $2 }
  /// Reasons of terms that ended.
  private(set) var ended: [String] = []

  init() {
    let name = Self.machine.description
    map = ClusterMap(
      dataDirectory: path,
      nodes: [
        .init(name: "a", role: .matcher, hosts: [name], publicKey: ""),
        .init(name: "b", role: .matcher, hosts: [], standbys: [name], publicKey: ""),
        .init(name: "c", role: .matcher, hosts: [], standbys: [name], publicKey: ""),
      ], endpoints: [:], operatorPublicKey: "", shardCount: 1, settings: .init())
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  subscript(node: String) -> CopyWorld { worlds[node]! }

  func start(_ node: String) throws {
    worlds[node] = try CopyWorld(node, in: self)
    for world in worlds.values { for other in worlds.keys { world.core.authorityChanged(.nodeUp(other)) } }
    worlds[node]!.core.authorityChanged(.caughtUp)
    worlds[node]!.core.start()
  }

  /// Ends a host's process without a word.
  func kill(_ node: String) {
    worlds[node]!.core.stop()
    worlds[node] = nil
    for world in worlds.values { world.core.authorityChanged(.nodeDown(node, .ended)) }
  }

  func perform(_ event: @escaping () -> Void) { events.append(event) }

  func deliver(_ frame: [UInt8], from: String, to: String, _ take: @escaping (CopyWorld, [UInt8]) -> Void) {
    guard let frame = passes(from, to, frame) else { return }
    perform { [unowned self] in if let world = worlds[to] { take(world, frame) } }
  }

  func answer(_ question: AuthorityQuestion, to node: String) {
    perform { [unowned self] in
      guard let world = worlds[node] else { return }
      switch question {
      case .ownership: world.core.authorityAnswered(question, .ownership(record))
      case .replace(var wanted, let expected):
        guard (record?.revision ?? 0) == expected else {
          return world.core.authorityAnswered(question, .replacement(.refused(current: record)))
        }
        revision += 1
        wanted.revision = revision
        record = wanted
        world.core.authorityAnswered(question, .replacement(.replaced(wanted)))
        for other in worlds.values where other !== world { other.core.authorityChanged(.owned(wanted)) }
      }
    }
  }

  func termEnded(_ node: String, _ reason: String) { ended.append("\(node): \(reason)") }

  /// Lets everything happen that is due, and time pass.
  func run(milliseconds: Int, feeding owner: String? = nil) {
    for _ in 0..<milliseconds / 10 {
      while !events.isEmpty { events.removeFirst()() }
      now += 10_000_000
      if let owner { worlds[owner]?.feed() }
      for node in worlds.keys.sorted() { worlds[node]?.core.endOfTurn() }
    }
    while !events.isEmpty { events.removeFirst()() }
  }

  /// Until it is so; false after ten seconds of the harness's time.
  func run(feeding owner: String? = nil, until isSo: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<1_000 {
      if try isSo() { return true }
      run(milliseconds: 10, feeding: owner)
    }
    return false
  }
}

/// Its clock, which no host keeps alive.
private final class HarnessTime: TimeSource {
  private unowned let harness: CopyHarness
  init(_ harness: CopyHarness) { self.harness = harness }
  func monotonic() -> Int64 { harness.now }
  func wall() -> Timestamp { Timestamp(nanoseconds: harness.now) }
}

/// The world of one of its hosts.
final class CopyWorld: HostWorld {
  let node: String
  private unowned let harness: CopyHarness
  let journal: Journal
  private(set) var core: HostCore<CountingMachine>!
  private(set) var needs: [Retention.Need] = []
  private(set) var fed: UInt64 = 0

  init(_ node: String, in harness: CopyHarness) throws {
    self.node = node
    self.harness = harness
    let machine = CopyHarness.machine
    journal = try Journal(directory: "\(harness.path)/\(node)", machine: machine)
    let isFresh = journal.lastSequence == SequenceNumber(0)
    let sequencer: Sequencer<CountingMachine> = try .open(
      id: machine, journal: journal, genesis: nil, time: HarnessTime(harness))
    var configuration = HostConfiguration()
    configuration.snapshotEvery = 1_000_000
    configuration.consumerNanoseconds = 0
    let role = HostRole<CountingMachine>(
      sources: [], admits: [:], figures: { _ in ([:], [:]) },
      answer: { _, query in throw UnansweredQuery(machine: machine, kind: query.kind) })
    core = HostCore(
      sequencer.takeInputs(), at: journal.position,
      genesis: MarketDefinition(currencies: [], underlyings: [], instruments: [], shardCount: 1), isFresh: isFresh,
      role: role, map: harness.map, node: node, configuration: configuration, world: self,
      log: Logger(label: node) { _ in SwiftLogNoOpLogHandler() })
  }

  /// One input, while it takes any.
  func feed() {
    guard core.reign == .owner, core.takesInput else { return }
    fed += 1
    core.submit(.tick, withUnsafeBytes(of: fed.littleEndian) { [UInt8]($0) })
  }

  /// A verified snapshot of where the journal ends.
  func keepSnapshot() throws {
    let bytes = core.read { machine in
      var writer = ByteWriter()
      machine.writeSnapshot(to: &writer)
      return writer.array
    }
    try bytes.withUnsafeBytes { try journal.keep(snapshot: $0, version: CountingMachine.snapshotVersion) }
    try journal.begin()
    try journal.markSnapshotVerified(journal.lastSequence)
    try journal.commit()
  }

  /// Takes off what two verified snapshots make dispensable.
  func truncate() throws {
    let older = try journal.snapshots().filter(\.isVerified).dropLast().last!.sequence
    try journal.begin()
    try journal.truncate(through: older, atMost: .max)
    try journal.commit()
  }

  var state: UInt64 { core.read { $0.stateHash() } }
  /// Numbers of the messages to risk that the outbox holds.
  func owed() throws -> [UInt64] {
    var numbers: [UInt64] = []
    try journal.forEachOutbox(destination: .risk, from: 1) { chunk in
      numbers += chunk.firstNumber...chunk.lastNumber
      return true
    }
    return numbers
  }

  // MARK: The world

  func monotonic() -> Int64 { harness.now }
  func wall() -> Timestamp { Timestamp(nanoseconds: harness.now) }

  func send(_ frame: UnsafeRawBufferPointer, to peer: [UInt8]) -> Socket.SendResult {
    let node = node
    harness.deliver([UInt8](frame), from: node, to: String(decoding: peer, as: UTF8.self)) { world, frame in
      frame.withUnsafeBytes { world.core.receive($0, fromCopyOn: node) }
    }
    return .sent
  }
  func send(_ frame: UnsafeRawBufferPointer, toCopyOn other: String) -> Socket.SendResult {
    let node = node
    harness.deliver([UInt8](frame), from: node, to: other) { world, frame in
      frame.withUnsafeBytes { world.core.receive($0, from: [UInt8](node.utf8), named: node) }
    }
    return .sent
  }
  func send(_ frame: UnsafeRawBufferPointer, toSource index: Int) -> Socket.SendResult { .unreachable }

  private func after(_ what: @escaping () throws -> Void, _ then: @escaping () -> Void) {
    harness.perform { [weak self] in
      guard let self, !core.isStopped else { return }
      do { try what() } catch { return core.journalFailed(error) }
      then()
    }
  }
  func write(_ batch: CommitBatch) {
    after { [journal] in
      try journal.write(batch)
    } _: { [unowned self] in
      core.batchIsDurable(batch)
    }
  }
  func keep(snapshot: [UInt8], version: UInt16) {
    after {
      [journal] in
      try snapshot.withUnsafeBytes { try journal.keep(snapshot: $0, version: version) }
    } _: { [unowned self] in
      core.snapshotIsDurable()
    }
  }
  func adopt(_ snapshot: JournalSnapshot, outbox: [OwedChunk]) {
    after {
      [journal] in
      try journal.adopt(snapshot, outbox: outbox, isVerified: true)
    } _: { [unowned self] in
      core.snapshotIsAdopted()
    }
  }

  func forEachOutbox(destination: MachineID, from number: UInt64, _ body: (OutboxChunk) throws -> Bool) throws {
    try journal.forEachOutbox(destination: destination, from: number, body)
  }
  var journalUse: (used: UInt64, capacity: UInt64) { (0, 1) }
  func wake(at time: Int64) {}
  func setReceiving(_ isReceiving: Bool) {}
  var hasAuthority: Bool { true }
  func ask(_ question: AuthorityQuestion) { harness.answer(question, to: node) }
  var leaseEnd: Int64 { .max }
  var copyNodes: [String] { harness.copies.filter { $0 != node } }
  func forEachBatch(
    after sequence: SequenceNumber, _ body: (UnsafeRawBufferPointer, SequenceNumber) throws -> Bool
  ) throws { try journal.forEachBatch(after: sequence, body) }
  func link(endingAt sequence: SequenceNumber) throws -> Digest? { try journal.link(endingAt: sequence) }
  func recentLinks() throws -> [CommonGround.Link] {
    try journal.recentLinks().map { CommonGround.Link(sequence: $0.sequence, link: $0.link) }
  }
  var journalBase: SequenceNumber { get throws { try journal.base().sequence } }
  func newestSnapshot() throws -> SnapshotOffer? { try journal.reader().newestVerifiedSnapshot() }
  func snapshotPart(of sequence: SequenceNumber, _ part: UInt32) throws -> [UInt8]? {
    try journal.reader().snapshotPart(of: sequence, part)
  }
  func copiesNeed(_ needs: [Retention.Need]) { self.needs = needs }
  func cutJournal(after sequence: SequenceNumber) throws { try journal.cutAndMark(after: sequence) }
  func endTerm(_ what: String, _ reason: any Error) { harness.termEnded(node, "\(what): \(reason)") }
}
