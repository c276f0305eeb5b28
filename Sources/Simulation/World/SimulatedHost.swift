import Bytes
import Cluster
import Cryptography
import Journal
import Logging
import Machine
import Market
import Messaging
import Operations
import Wire

/// A process that hosts a machine: the real core of the runtime, over a simulated network, disk and clock.
final class SimulatedHost<M: Machine & ~Copyable>: HostWorld, JournalWriter {
  let id: MachineID
  let host: Int
  let incarnation: UInt32
  /// As whom it may write its journal.
  let ownership: UInt64
  let term: Term
  private unowned let cluster: SimulatedCluster
  private let journal: SimulatedJournal
  private let sources: [MachineID]
  private var life = ProcessLife()
  private var core: HostCore<M>!
  /// Frames that wait until the core takes input.
  private var inbox: [(source: Int, peer: [UInt8], name: String, frame: [UInt8])] = []
  private var wakeUpAt = Int64.max
  private var askedWakeUpAt = Int64.max
  private var wakeUpsAsked: UInt64 = 0
  private var isTurnAsked = false
  /// What is being written when the power goes.
  private(set) var inFlight: CommitBatch?

  /// Opens the journal and rebuilds the machine, as a process does at its start.
  /// - Throws: what keeps it from being hosted: a damaged journal.
  init(
    _ id: MachineID, role: HostRole<M>, on cluster: SimulatedCluster, host: Int, incarnation: UInt32,
    journal: SimulatedJournal
  ) throws {
    self.id = id
    self.host = host
    self.incarnation = incarnation
    self.cluster = cluster
    self.journal = journal
    sources = role.sources
    ownership = try journal.open()
    term = journal.position.term.next
    cluster.owns(id, incarnation, term)
    let isFresh = journal.position.sequence == SequenceNumber(0)
    let machine: M = try MachineRecovery.recover(id, snapshot: journal.snapshot) {
      try journal.forEachEntry(from: $0, $1)
    }
    let sequencer = BatchSequencer(
      id: id, machine: machine, after: journal.position, term: term,
      clock: MachineClock(notBefore: journal.position.stamp, source: self))
    core = HostCore(
      sequencer, at: journal.position, genesis: cluster.market, isFresh: isFresh, role: role, map: cluster.map,
      node: cluster.hosts[host].name, configuration: cluster.configuration, world: self, log: cluster.log)
  }

  func start() { core.start() }

  /// Everything it was told is durable and said.
  var isSettled: Bool { core.isSettled && !core.isStopped }
  func read<R>(_ body: (borrowing M) throws -> R) rethrows -> R { try core.read(body) }

  // MARK: Life

  private func happen(_ action: @escaping () -> Void) {
    if life.allows(action) { action() }
  }

  func kill() {
    life.kill()
    core.stop()
  }
  func pause() { life.pause() }
  func resume() { for action in life.resume() where life.isAlive { action() } }

  // MARK: Frames in

  func arrived(_ frame: [UInt8], from peer: [UInt8], named name: String) {
    happen { [unowned self] in take(-1, peer, name, frame) }
  }
  func arrived(_ frame: [UInt8], atSocket index: Int) {
    happen { [unowned self] in take(index, [], "", frame) }
  }

  private func take(_ source: Int, _ peer: [UInt8], _ name: String, _ frame: [UInt8]) {
    inbox.append((source, peer, name, frame))
    askForTurn()
  }

  private func askForTurn() {
    guard !isTurnAsked else { return }
    isTurnAsked = true
    cluster.time.schedule(after: 5_000) { [weak self] in self?.happen { self?.turn() } }
  }

  private func turn() {
    isTurnAsked = false
    var taken = 0
    while taken < inbox.count, core.takesInput {
      let (source, peer, name, frame) = inbox[taken]
      taken += 1
      frame.withUnsafeBytes { bytes in
        if source < 0 {
          core.receive(bytes, from: peer, named: name)
        } else {
          core.receive(bytes, fromSource: source)
        }
      }
    }
    inbox.removeFirst(taken)
    core.endOfTurn()
  }

  // MARK: The world of the core

  func monotonic() -> Int64 { cluster.hosts[host].clock.monotonic(at: cluster.time.now) }
  func wall() -> Timestamp { cluster.hosts[host].clock.wall(cluster.time) }

  func send(_ frame: UnsafeRawBufferPointer, to peer: [UInt8]) -> Socket.SendResult {
    cluster.send([UInt8](frame), from: host, toPeer: PeerName(peer))
  }

  func send(_ frame: UnsafeRawBufferPointer, toSource index: Int) -> Socket.SendResult {
    cluster.send(
      [UInt8](frame), from: PeerName(host: host, incarnation: incarnation, socket: index), toMachine: sources[index])
  }

  func write(_ batch: CommitBatch) {
    inFlight = batch
    let disk = cluster.hosts[host].disk
    if disk.powerCut != nil {
      cluster.time.schedule(after: disk.commit / 2) { [weak self] in self?.happen { self?.losePower() } }
    }
    cluster.time.schedule(after: disk.latency(&cluster.random)) { [weak self] in
      self?.happen { self?.finish(batch) }
    }
  }

  private func losePower() { cluster.losePower(host) }

  private func finish(_ batch: CommitBatch) {
    inFlight = nil
    do {
      try cluster.admitWrite(of: id)
      try journal.append(batch, by: ownership)
    } catch {
      return core.journalFailed(error)
    }
    cluster.hasGrown(id, by: incarnation)
    core.batchIsDurable(batch)
    if !inbox.isEmpty { askForTurn() }
  }

  func keep(snapshot: [UInt8], version: UInt16) {
    cluster.time.schedule(after: cluster.hosts[host].disk.latency(&cluster.random)) { [weak self] in
      self?.happen { self?.finish(snapshot, version) }
    }
  }

  private func finish(_ snapshot: [UInt8], _ version: UInt16) {
    do {
      try cluster.admitWrite(of: id)
      try journal.keep(snapshot, version: version, by: ownership)
    } catch {
      return core.journalFailed(error)
    }
    core.snapshotIsDurable()
    if !inbox.isEmpty { askForTurn() }
  }

  func forEachOutbox(destination: MachineID, from number: UInt64, _ body: (OutboxChunk) throws -> Bool) throws {
    try journal.forEachOutbox(destination: destination, from: number, body)
  }

  var journalUse: (used: UInt64, capacity: UInt64) { (journal.bytes, 1 << 36) }

  func wake(at time: Int64) {
    wakeUpAt = time
    if time < askedWakeUpAt { askForWakeUp() }
  }

  private func askForWakeUp() {
    askedWakeUpAt = wakeUpAt
    wakeUpsAsked += 1
    let number = wakeUpsAsked
    // Never at once: a host that asks for a turn within its turn gets one, but time goes on.
    cluster.time.schedule(after: max(10_000, wakeUpAt - monotonic())) { [weak self] in
      self?.happen { self?.wakeUp(number) }
    }
  }

  private func wakeUp(_ number: UInt64) {
    guard number == wakeUpsAsked else { return }
    askedWakeUpAt = .max
    if wakeUpAt <= monotonic() { turn() } else { askForWakeUp() }
  }

  func setReceiving(_ isReceiving: Bool) {
    if isReceiving, !inbox.isEmpty { askForTurn() }
  }

  // MARK: Other copies

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

  func endTerm(_ what: String, _ reason: any Error) {
    cluster.processEnded(host, incarnation, "\(what): \(reason)")
  }
}
