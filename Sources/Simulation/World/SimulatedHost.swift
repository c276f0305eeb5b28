import Authority
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
  unowned let cluster: SimulatedCluster
  let journal: SimulatedJournal
  private var links: [SimulatedLink] = []
  /// Other copies of the machine, and the sockets to them.
  private var copies: [(host: Int, socket: Int)] = []
  private var nextSocket = 0
  private var membership: SimulatedMembership?
  /// The last entry that was let out, and is known to be.
  private var announced = SequenceNumber(0)
  /// Its term as owner when it let something out last.
  private var announcedTerm = Term(0)
  private var life = ProcessLife()
  private(set) var core: HostCore<M>!
  /// Frames that wait until the core takes input.
  private var inbox: [(source: Int, peer: [UInt8], name: String, frame: [UInt8])] = []
  private var wakeUpAt = Int64.max
  private var askedWakeUpAt = Int64.max
  private var wakeUpsAsked: UInt64 = 0
  private var isTurnAsked = false
  /// What is being written when the power goes.
  var inFlight: CommitBatch? { writes.first }
  /// Batches to be made durable, one after another.
  private var writes: [CommitBatch] = []

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
    ownership = try journal.open()
    let isFresh = journal.position.sequence == SequenceNumber(0)
    let machine: M = try MachineRecovery.recover(id, snapshot: journal.snapshot) {
      try journal.forEachEntry(from: $0, $1)
    }
    journal.finishCut(machine.streams)
    let sequencer = BatchSequencer(
      id: id, machine: machine, after: journal.position, term: journal.position.term.next,
      clock: MachineClock(notBefore: journal.position.stamp, source: HostTime(host, of: cluster)))
    core = HostCore(
      sequencer, at: journal.position, genesis: cluster.market, isFresh: isFresh, role: role, map: cluster.map,
      node: cluster.hosts[host].name, configuration: cluster.configuration, world: self, log: cluster.log)
    links = role.sources.map { SimulatedLink(to: $0) }
    followPlaces()
    join()
  }

  private func followPlaces() {
    for index in links.indices { links[index].follow(cluster.copies(of: links[index].machine), &nextSocket) }
    let others = cluster.copies(of: id).filter { $0 != host }
    copies.removeAll { !others.contains($0.host) }
    for other in others where !copies.contains(where: { $0.host == other }) {
      copies.append((other, nextSocket))
      nextSocket += 1
    }
    core.map = cluster.map
  }

  func placesChanged() { happen { [unowned self] in followPlaces() } }

  private func join() {
    guard let authority = cluster.authority else { return }
    let membership = SimulatedMembership(authority, of: host, incarnation: incarnation, in: cluster)
    membership.happen = { [weak self] action in
      self?.happen {
        action()
        self?.noticeReleases()
      }
    }
    membership.changed = { [unowned self] in core.authorityChanged($0) }
    membership.lapsed = { [unowned self] in core.readOwnership() }
    self.membership = membership
  }

  func start() {
    membership?.begin()
    core.start()
    noticeReleases()
  }
  func authorityHasNews() { happen { [unowned self] in membership?.follow() } }

  /// Nothing that is let out may be heard of before the archive has it.
  func noticeReleases() {
    let released = core.released
    let isNewReign = core.isOwner && core.term != announcedTerm
    if core.isOwner { announcedTerm = core.term }
    guard released > announced else { return }
    // What it has found in its journal, or followed, may be of the reign before.
    let isInherited = announced.rawValue == 0 || isNewReign
    announced = released
    cluster.released(by: host, incarnation, through: released, isInherited: isInherited)
  }

  /// Everything it was told is durable and said.
  var isSettled: Bool { core.isSettled && !core.isStopped }
  func read<R>(_ body: (borrowing M) throws -> R) rethrows -> R { try core.read(body) }

  var standing: String { core.standing }
  var isOwner: Bool { core.isOwner }
  var isStandby: Bool { core.isStandby }
  var isRunning: Bool { !life.isPaused }
  var streams: StreamNumbers { core.read { $0.streams } }

  func handOver(to node: String) {
    var frame = ByteWriter()
    Frame.write(.query, Query(tag: 0, kind: .handOver, machine: id, body: [UInt8](node.utf8)), in: &frame)
    // Nobody waits for the answer: what becomes of it is seen at the authority.
    take(-1, PeerName(host: host, incarnation: 0, socket: 0).bytes, ClusterMap.operatorName, [UInt8](frame.bytes))
  }

  // MARK: Life

  func happen(_ action: @escaping () -> Void) {
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
    happen { [unowned self] in
      if let copy = copies.first(where: { $0.socket == index }) {
        hear(frame, fromCopyOn: copy.host)
      } else {
        take(index, [], "", frame)
      }
    }
  }

  /// What other copies say is taken at any time: the fence is among it.
  private func hear(_ frame: [UInt8], fromCopyOn other: Int) {
    frame.withUnsafeBytes { core.receive($0, fromCopyOn: cluster.hosts[other].name) }
    askForTurn()
    noticeReleases()
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
    for index in links.indices { tend(index) }
    var taken = 0
    while taken < inbox.count, core.takesInput {
      let (source, peer, name, frame) = inbox[taken]
      taken += 1
      frame.withUnsafeBytes { bytes in
        if source < 0 {
          core.receive(bytes, from: peer, named: name)
        } else {
          receive(bytes, atSocket: source)
        }
      }
    }
    inbox.removeFirst(taken)
    core.endOfTurn()
    noticeReleases()
  }

  private func receive(_ bytes: UnsafeRawBufferPointer, atSocket socket: Int) {
    guard let index = links.firstIndex(where: { $0.holds(socket) }) else { return }
    guard let opened = Frame.open(bytes), opened.kind == .ownership else {
      return core.receive(bytes, fromSource: index)
    }
    var body = opened.body
    let notice = OwnershipNotice(from: &body)
    if body.isExhausted, links[index].heard(notice, at: socket) { core.sourceHasNewOwner(index) }
  }

  private func tend(_ index: Int) {
    let machine = links[index].machine
    links[index].tend(at: cluster.time.now) { socket, other in
      send([Frame.version, FrameKind.whoOwns.rawValue], at: socket, to: machine, on: other)
    }
  }

  private func send(
    _ frame: [UInt8], at socket: Int, to machine: MachineID, on other: Int
  ) -> Socket.SendResult {
    cluster.send(
      frame, from: PeerName(host: host, incarnation: incarnation, socket: socket), to: machine, on: other)
  }

  // MARK: The world of the core

  func monotonic() -> Int64 { cluster.hosts[host].clock.monotonic(at: cluster.time.now) }
  func wall() -> Timestamp { cluster.hosts[host].clock.wall(cluster.time) }

  func send(_ frame: UnsafeRawBufferPointer, to peer: [UInt8]) -> Socket.SendResult {
    noticeReleases()
    return cluster.send([UInt8](frame), from: host, toPeer: PeerName(peer))
  }

  func send(_ frame: UnsafeRawBufferPointer, toSource index: Int) -> Socket.SendResult {
    noticeReleases()
    let machine = links[index].machine
    return links[index].offer { send([UInt8](frame), at: $0, to: machine, on: $1) }
  }

  func write(_ batch: CommitBatch) {
    writes.append(batch)
    if writes.count == 1 { beginWrite() }
  }

  private func beginWrite() {
    let disk = cluster.hosts[host].disk
    if disk.powerCut != nil {
      cluster.time.schedule(after: disk.commit / 2) { [weak self] in self?.happen { self?.losePower() } }
    }
    cluster.time.schedule(after: disk.latency(&cluster.random)) { [weak self] in
      self?.happen { self?.finishWrite() }
    }
  }

  private func losePower() { cluster.losePower(host) }

  private func finishWrite() {
    let batch = writes.removeFirst()
    do {
      try cluster.admitWrite(on: host)
      try journal.append(batch, by: ownership)
    } catch {
      return core.journalFailed(error)
    }
    cluster.wrote(id, incarnation, ownership == journal.writer)
    if !writes.isEmpty { beginWrite() }
    core.batchIsDurable(batch)
    noticeReleases()
    if !inbox.isEmpty { askForTurn() }
  }

  func keep(snapshot: [UInt8], version: UInt16) {
    cluster.time.schedule(after: cluster.hosts[host].disk.latency(&cluster.random)) { [weak self] in
      self?.happen { self?.finish(snapshot, version) }
    }
  }

  private func finish(_ snapshot: [UInt8], _ version: UInt16) {
    do {
      try cluster.admitWrite(on: host)
      try journal.keep(snapshot, version: version, by: ownership)
    } catch {
      return core.journalFailed(error)
    }
    core.snapshotIsDurable()
    noticeReleases()
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

  var hasAuthority: Bool { cluster.authority != nil }
  var leaseEnd: Int64 { membership?.leaseEnd ?? .max }
  var copyNodes: [String] { copies.map { cluster.hosts[$0.host].name } }

  func ask(_ question: AuthorityQuestion) {
    let request: AuthorityRequest =
      switch question {
      case .ownership(let machine): .ownership(machine)
      case .replace(let record, let expected): .replace(record, expecting: expected)
      }
    membership?.ask(request) { [unowned self] answer in
      let word: AuthorityWord =
        switch answer {
        case .ownership(let record): .ownership(record)
        case .replacement(let replacement): .replacement(replacement)
        case .rejected(let reason): .unreachable(reason)
        default: .unreachable("no answer")
        }
      core.authorityAnswered(question, word)
    }
  }

  func send(_ frame: UnsafeRawBufferPointer, toCopyOn node: String) -> Socket.SendResult {
    guard let copy = copies.first(where: { cluster.hosts[$0.host].name == node }) else { return .unreachable }
    return send([UInt8](frame), at: copy.socket, to: id, on: copy.host)
  }

  func forEachBatch(
    after sequence: SequenceNumber, _ body: (UnsafeRawBufferPointer, SequenceNumber) throws -> Bool
  ) throws {
    try journal.forEachBatch(after: sequence, body)
  }
  func link(endingAt sequence: SequenceNumber) throws -> Digest? { journal.link(endingAt: sequence) }
  func recentLinks() throws -> [CommonGround.Link] { journal.recentLinks() }
  func cutJournal(after sequence: SequenceNumber) throws { try journal.cut(after: sequence) }

  func endTerm(_ what: String, _ reason: any Error) {
    cluster.processEnded(host, incarnation, "\(what): \(reason)")
  }
}
