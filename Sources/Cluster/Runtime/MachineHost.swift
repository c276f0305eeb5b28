import Authority
import Bytes
import Glibc
import Journal
import Logging
import Machine
import Market
import Messaging
import Wire

/// Hosts one machine on one loop: gives its core sockets, a journal on a thread of its own, and the system's time. The
/// actor is entered once per burst of frames.
///
/// It holds no rule of the market: whatever a frame asks is an input to the machine, or a question about durable state.
public actor MachineHost<M: Machine & ~Copyable> {
  nonisolated public let loop: SocketLoop
  nonisolated public var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  public let id: MachineID
  private let configuration: HostConfiguration
  private let world: SocketWorld
  private let core: HostCore<M>
  private let nodeName: String
  private let transport: Transport
  private let authority: NodeAuthority?
  private let log: Logger
  private var authorityWatch: AuthorityWatch?
  private var received = MessageBuffer()
  private let upkeep: JournalUpkeep<M>
  private var endings: [CheckedContinuation<Void, Never>] = []

  /// Opens the journal, rebuilds the machine, binds its endpoint and connects to its sources and other copies.
  /// - Parameter authority: who says which copy owns the machine; without one this copy does.
  /// - Throws: what keeps the machine from being hosted: a damaged journal, a bound endpoint, an unknown version.
  public init(
    _ id: MachineID, role: HostRole<M>, on loop: SocketLoop, map: ClusterMap, node: String, genesis: MarketDefinition,
    transport: Transport, authority: NodeAuthority? = nil, configuration: HostConfiguration, log: Logger
  ) throws {
    self.id = id
    self.loop = loop
    self.configuration = configuration
    self.transport = transport
    self.authority = authority
    self.log = log
    nodeName = node
    guard let own = map.nodes.first(where: { $0.name == node }) else {
      throw ClusterMapError(path: "cluster map", reason: "there is no node \(node)")
    }
    let directory = map.journalDirectory(of: id, on: own)
    let journal = try Journal(directory: directory, machine: id, configuration: configuration.journal)
    let isFresh = journal.lastSequence == SequenceNumber(0)
    let lastDeath = InputNote.read(journalDirectory: directory)
    let note = InputNote(journalDirectory: directory)
    if note == nil { log.warning("no note of inputs can be kept", metadata: ["directory": "\(directory)"]) }
    let sequencer: Sequencer<M> = try Sequencer.open(id: id, journal: journal, genesis: nil, witness: note)
    let others = map.nodes(holding: id).filter { $0.name != node }
    let thread = JournalThread(journal)
    // Without an authority there are no other copies.
    if authority == nil { thread.note(needsOfCopies: []) }
    let verifiers = map.nodes.filter { $0.role == .verifier }.map { ($0.name, map.verifierDirectory(of: $0.name)) }
    let upkeep = JournalUpkeep<M>(
      thread, policy: RetentionPolicy(auditors: configuration.retention, verifiers: verifiers), log: log)
    self.upkeep = upkeep
    world = SocketWorld(
      loop: loop, journal: thread, router: try transport.router(bindingCopyOf: id, on: own),
      sources: try role.sources.map { try transport.link(to: $0) },
      copies: try others.map { ($0.name, try transport.dealer(connectingTo: id, on: $0, map)) }, authority: authority,
      shelf: QuarantineShelf(dataDirectory: map.dataDirectory), machine: id, lastDeath: lastDeath)
    core = HostCore(
      sequencer.takeInputs(), at: journal.position, genesis: genesis, isFresh: isFresh, role: role, map: map,
      node: node, configuration: configuration, world: world, log: log)
  }

  /// Starts serving, or following. Call once.
  public func start() {
    world.snapshotBeside = { [upkeep] in upkeep.snapshot(through: $0, $1) }
    watch(world.router) { host, _ in host.routerReadable() }
    for index in world.sources.indices { watchSource(index, world.sources[index].sockets) }
    for (node, socket) in world.copies { watchCopy(node, socket) }
    world.batchIsDurable = { [unowned self] batch, failure in
      assumeIsolated { host in
        if let failure { host.core.journalFailed(failure) } else { host.core.batchIsDurable(batch) }
      }
    }
    world.snapshotIsDurable = { [unowned self] failure in
      assumeIsolated { host in
        if let failure { host.core.journalFailed(failure) } else { host.core.snapshotIsDurable() }
      }
    }
    world.snapshotIsAdopted = { [unowned self] failure in
      assumeIsolated { host in
        if let failure { host.core.journalFailed(failure) } else { host.core.snapshotIsAdopted() }
      }
    }
    world.authorityAnswered = { [unowned self] question, word in
      assumeIsolated { $0.core.authorityAnswered(question, word) }
    }
    loop.atEndOfTurn { [unowned self] in
      assumeIsolated { host in
        for source in host.world.sources { source.tend(at: host.world.monotonic()) }
        host.core.endOfTurn()
        host.endWhenSettled()
      }
    }
    // A turn in which the timer fires ends like any other.
    world.wakeUp = loop.timer {}
    if let authority {
      authorityWatch = authority.authority.watch { [weak self] change in self?.authorityChanged(change) }
      authority.onLapse { [weak self] in self?.leaseLapsed() }
    }
    core.start()
  }

  private nonisolated func authorityChanged(_ change: AuthorityChange) {
    loop.perform { self.assumeIsolated { $0.core.authorityChanged(change) } }
  }

  private nonisolated func leaseLapsed() {
    loop.perform { self.assumeIsolated { $0.core.readOwnership() } }
  }

  private nonisolated func watch(
    _ socket: Socket, _ readable: @escaping @Sendable (isolated MachineHost, Socket) -> Void
  ) {
    // The socket stays on this loop, which is the actor's own.
    nonisolated(unsafe) let socket = socket
    loop.watch(socket) { [unowned self] in self.assumeIsolated { readable($0, socket) } }
  }

  private func watchSource(_ index: Int, _ sockets: [Socket]) {
    for socket in sockets { watch(socket) { $0.sourceReadable(index, $1) } }
  }

  private func watchCopy(_ node: String, _ socket: Socket) {
    watch(socket) { $0.copyReadable(node, $1) }
  }

  /// A new map: copies and sources may have other places.
  public func update(_ map: ClusterMap) throws {
    guard !core.isStopped else { return }
    for (index, source) in world.sources.enumerated() {
      let (joined, left) = try transport.update(source, to: map)
      watchSource(index, joined)
      for socket in left { loop.unwatch(socket) }
    }
    let others = map.nodes(holding: id).filter { $0.name != nodeName }
    for node in others where !world.copyNodes.contains(node.name) {
      let socket = try transport.dealer(connectingTo: id, on: node, map)
      world.add(node.name, socket)
      watchCopy(node.name, socket)
    }
    for name in world.copyNodes where !others.contains(where: { $0.name == name }) {
      if let socket = world.remove(name) { loop.unwatch(socket) }
    }
    core.map = map
  }

  private func routerReadable() {
    var frames = 0
    while frames < configuration.framesPerTurn, core.takesInput, world.router.take(into: &received) {
      frames += 1
      guard received.count == 2, !received.isMalformed, let name = received.userID else { continue }
      core.receive(received.frame(1), from: [UInt8](received.frame(0)), named: name)
    }
  }

  private func sourceReadable(_ index: Int, _ socket: Socket) {
    var frames = 0
    while frames < configuration.framesPerTurn, core.takesInput {
      switch world.sources[index].take(from: socket, into: &received) {
      case .nothing: return
      case .message: if received.count == 1 { core.receive(received.frame(0), fromSource: index) }
      case .own: break
      case .newOwner: core.sourceHasNewOwner(index)
      }
      frames += 1
    }
  }

  private func copyReadable(_ node: String, _ socket: Socket) {
    var frames = 0
    while frames < configuration.framesPerTurn, socket.take(into: &received) {
      frames += 1
      if received.count == 1 { core.receive(received.frame(0), fromCopyOn: node) }
    }
  }

  /// Commits what is pending, keeps a snapshot and closes: the orderly end.
  public func stop() async {
    guard !core.isStopped else { return }
    upkeep.end()
    core.beginEnding()
    await withCheckedContinuation { ending in
      endings.append(ending)
      endWhenSettled()
    }
  }

  private func endWhenSettled() {
    guard !endings.isEmpty, core.isStopped || (core.isSettled && core.isIdle) else { return }
    if !core.isStopped {
      core.takeLastSnapshot()
      guard core.isIdle else { return }
      core.stop()
      authorityWatch?.cancel()
      for socket in [world.router] + world.sources.flatMap(\.sockets) + world.copies.map(\.socket) {
        loop.unwatch(socket)
      }
    }
    for ending in endings { ending.resume() }
    endings.removeAll()
  }

  /// Appends an input that an edge of this process brings: a settlement event, an attestation.
  public func submit(_ kind: InputKind, _ payload: some ByteCodable & Sendable) { core.submit(kind, payload.encoded) }
}
