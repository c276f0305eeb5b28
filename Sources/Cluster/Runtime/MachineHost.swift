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
  private var received = MessageBuffer()
  private var endings: [CheckedContinuation<Void, Never>] = []

  /// Opens the journal, rebuilds the machine, binds its endpoint and subscribes to its sources.
  /// - Throws: what keeps the machine from being hosted: a damaged journal, a bound endpoint, an unknown version.
  public init(
    _ id: MachineID, role: HostRole<M>, on loop: SocketLoop, map: ClusterMap, node: String, genesis: MarketDefinition,
    transport: Transport, configuration: HostConfiguration, log: Logger
  ) throws {
    self.id = id
    self.loop = loop
    self.configuration = configuration
    let journal = try Journal(
      directory: map.journalDirectory(of: id), machine: id, configuration: configuration.journal)
    let isFresh = journal.lastSequence == SequenceNumber(0)
    let sequencer: Sequencer<M> = try Sequencer.open(id: id, journal: journal, genesis: genesis)
    world = SocketWorld(
      loop: loop, journal: JournalThread(journal), router: try transport.router(bindingEndpointOf: id),
      sources: try role.sources.map { try transport.dealer(connectingTo: $0) })
    core = HostCore(
      sequencer.takeInputs(), at: journal.position, isFresh: isFresh, role: role, map: map, node: node, configuration: configuration, world: world,
      log: log)
  }

  /// Starts serving. Call once.
  public func start() {
    watch(world.router) { $0.routerReadable() }
    for (index, socket) in world.sources.enumerated() { watch(socket) { $0.sourceReadable(index) } }
    world.batchIsDurable = { [unowned self] batch, failure in
      assumeIsolated { host in
        if let failure { host.core.journalFailed(failure) } else { host.core.batchIsDurable(batch) }
        host.endWhenSettled()
      }
    }
    world.snapshotIsDurable = { [unowned self] failure in
      assumeIsolated { host in
        if let failure { host.core.journalFailed(failure) } else { host.core.snapshotIsDurable() }
        host.endWhenSettled()
      }
    }
    loop.atEndOfTurn { [unowned self] in assumeIsolated { $0.core.endOfTurn() } }
    // A turn in which the timer fires ends like any other.
    world.wakeUp = loop.timer {}
    core.start()
  }

  private nonisolated func watch(_ socket: Socket, _ readable: @escaping @Sendable (isolated MachineHost) -> Void) {
    loop.watch(socket) { [unowned self] in self.assumeIsolated { readable($0) } }
  }

  private func routerReadable() {
    var frames = 0
    while frames < configuration.framesPerTurn, core.takesInput, world.router.take(into: &received) {
      frames += 1
      guard received.count == 2, !received.isMalformed, let name = received.userID else { continue }
      core.receive(received.frame(1), from: [UInt8](received.frame(0)), named: name)
    }
  }

  private func sourceReadable(_ index: Int) {
    var frames = 0
    while frames < configuration.framesPerTurn, core.takesInput, world.sources[index].take(into: &received) {
      frames += 1
      if received.count == 1 { core.receive(received.frame(0), fromSource: index) }
    }
  }

  /// Commits what is pending, keeps a snapshot and closes: the orderly end.
  public func stop() async {
    guard !core.isStopped else { return }
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
      loop.unwatch(world.router)
      for source in world.sources { loop.unwatch(source) }
    }
    for ending in endings { ending.resume() }
    endings.removeAll()
  }

  /// Appends an input that an edge of this process brings: a settlement event, an attestation.
  public func submit(_ kind: InputKind, _ payload: some ByteCodable & Sendable) { core.submit(kind, payload.encoded) }
}
