import Bytes
import Glibc
import Journal
import Logging
import Machine
import Market
import Messaging
import Wire

#if NOVATION_PLANT
  import Synchronization
#endif

/// Hosts one machine on one loop: its journal, its sockets, its streams. The actor is entered once per burst of frames;
/// a turn submits what came, commits once, and only then answers.
///
/// It holds no rule of the market: whatever a frame asks is an input to the machine, or a question about durable state.
public actor MachineHost<M: Machine & ~Copyable> {
  nonisolated public let loop: SocketLoop
  nonisolated public var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  public let id: MachineID
  let map: ClusterMap
  let nodeName: String
  let configuration: HostConfiguration
  let role: HostRole<M>
  let log: Logger
  var sequencer: Sequencer<M>
  let router: Socket
  var sources: [InletSocket] = []
  var outlets: [Outlet] = []
  var subscribers: [FeedSubscriber] = []
  /// Peers heard in this turn, and which input was whose.
  var peers: [Peer] = []
  var origins: [(sequence: SequenceNumber, peer: Int)] = []
  var questions: [(identity: [UInt8], query: Query)] = []
  /// Inputs that an effect or an answer caused, for the next commit.
  var followUps: [(kind: InputKind, payload: [UInt8])] = []
  var received = MessageBuffer()
  var frame = ByteWriter(capacity: 1 << 16)
  /// What gateways have said of sessions' ends; each is told the same when it is durable.
  var sessionEnds: [(identity: [UInt8], end: SessionEnd)] = []
  var sessions: SessionWatch?
  var inputs: UInt64 = 0
  var pace = CommitPace()
  var lastSnapshot: SequenceNumber
  var isStopped = false
  private var wakeUp: LoopTimer?

  struct Peer {
    var identity: [UInt8]
    var replies = 0
  }

  struct InletSocket {
    var inlet: Inlet
    let socket: Socket
  }

  struct FeedSubscriber {
    var identity: [UInt8]
    var subscription: FeedSubscription
  }

  /// Opens the journal, rebuilds the machine, binds its endpoint and subscribes to its sources.
  /// - Throws: what keeps the machine from being hosted: a damaged journal, a bound endpoint, an unknown version.
  public init(
    _ id: MachineID, role: HostRole<M>, on loop: SocketLoop, map: ClusterMap, node: String, genesis: MarketDefinition,
    transport: Transport, configuration: HostConfiguration, log: Logger
  ) throws {
    self.id = id
    self.role = role
    self.loop = loop
    self.map = map
    self.configuration = configuration
    nodeName = node
    self.log = log
    let journal = try Journal(
      directory: map.journalDirectory(of: id), machine: id, configuration: configuration.journal)
    let isFresh = journal.lastSequence == SequenceNumber(0)
    sequencer = try Sequencer.open(id: id, journal: journal, genesis: genesis)
    #if NOVATION_PLANT
      sequencer.plant(role.plant)
    #endif
    lastSnapshot = journal.lastSequence
    sessions = role.sessions.map { times in
      SessionWatch(
        gateways: map.machines.filter { $0.kind == .gateway }, times: times, now: MachineClock.monotonic(),
        isFresh: isFresh)
    }
    router = try transport.router(bindingEndpointOf: id)
    for source in role.sources {
      let socket = try transport.dealer(connectingTo: source)
      let received = sequencer.machine.streams.lastReceived(from: source)
      sources.append(InletSocket(inlet: Inlet(source: source, received: received), socket: socket))
    }
  }

  /// Starts serving. Call once.
  public func start() {
    watch(router) { $0.routerReadable() }
    for index in sources.indices {
      watch(sources[index].socket) { $0.sourceReadable(index) }
      subscribe(index)
    }
    loop.atEndOfTurn { [unowned self] in self.assumeIsolated { $0.endOfTurn() } }
    // A turn in which the timer fires ends like any other.
    wakeUp = loop.timer {}
    log.info(
      "serving", metadata: ["machine": "\(id)", "term": "\(sequencer.term)", "sequence": "\(sequencer.lastSequence)"])
    followUps = role.catchUp(sequencer.machine)
    resumeEffects()
    endOfTurn()
  }

  private nonisolated func watch(_ socket: Socket, _ readable: @escaping @Sendable (isolated MachineHost) -> Void) {
    loop.watch(socket) { [unowned self] in self.assumeIsolated { readable($0) } }
  }

  /// Commits what is pending, keeps a snapshot and closes: the orderly end.
  public func stop() {
    guard !isStopped else { return }
    attempt("stopping") {
      try flush()
      try sequencer.takeSnapshot()
    }
    isStopped = true
    loop.unwatch(router)
    for source in sources { loop.unwatch(source.socket) }
  }

  /// Appends an input that an edge of this process brings: a settlement event, an attestation.
  public func submit(_ kind: InputKind, _ payload: some ByteCodable & Sendable) {
    guard !isStopped else { return }
    let encoded = payload.encoded
    encoded.withUnsafeBytes { _ = append(kind, $0) }
    endOfTurn()
  }

  /// Carries out again the effects that the machine still owes to its edge.
  func resumeEffects() {
    sequencer.resumeEffects()
    deliver()
    sequencer.finishTurn()
  }

  /// Reads durable state.
  public func read<R: Sendable>(_ body: @Sendable (borrowing M) -> R) -> R { body(sequencer.machine) }

  // MARK: The turn

  /// Whatever ends the term ends the process: its supervisor starts it again from the journal.
  func attempt(_ what: String, _ body: () throws -> Void) {
    do {
      try body()
    } catch {
      log.critical("term ended", metadata: ["machine": "\(id)", "while": "\(what)", "reason": "\(error)"])
      exit(HostExit.termEnded)
    }
  }

  @discardableResult
  func append(_ kind: InputKind, _ payload: UnsafeRawBufferPointer) -> SequenceNumber {
    var sequence = SequenceNumber(0)
    attempt("appending an input") { sequence = try sequencer.submit(kind, payload) }
    pace.appended(isUrgent: kind == .action)
    inputs += 1
    return sequence
  }

  /// Group commit: at once when the machine was quiet, with more company when it is not. What is read of the machine is
  /// durable, so a question is answered after a commit.
  private var isCommitDue: Bool {
    guard sequencer.pendingInputs > 0 else { return false }
    return sequencer.pendingInputs >= configuration.inputsPerCommit || !questions.isEmpty || !followUps.isEmpty
      || pace.dueAt(configuration) <= MachineClock.monotonic()
  }

  func endOfTurn() {
    guard !isStopped else { return }
    attempt("ending a turn") {
      var rounds = 0
      while try rounds < configuration.ticksPerTurn && sequencer.fireDeadlines() {
        pace.appended(isUrgent: false)
        inputs += 1
        rounds += 1
      }
      endSessions(sessions?.due(at: MachineClock.monotonic()))
      if sequencer.machine.wantsSeal { try seal(until: sequencer.epoch.next) }
      if isCommitDue { try flush() }
      try submitFollowUps()
      if sequencer.lastSequence.rawValue - lastSnapshot.rawValue >= configuration.snapshotEvery {
        try sequencer.takeSnapshot()
        lastSnapshot = sequencer.lastSequence
      }
    }
    answerQuestions()
    attempt("submitting what answers caused") { try submitFollowUps() }
    acknowledgeSources()
    resubscribeIfSilent()
    pumpOutlets()
    setTimer()
  }

  /// Ends epochs one by one; each seal opens a batch of its own.
  func seal(until epoch: Epoch) throws {
    while sequencer.epoch < epoch {
      try flush()
      try sequencer.seal()
      pace.appended(isUrgent: false)
      inputs += 1
    }
  }

  /// Commits what is pending, then lets the outputs out.
  func flush() throws {
    guard sequencer.pendingInputs > 0 else { return }
    pace.committed()
    #if NOVATION_PLANT
      if HostFaults.acknowledgesBeforeSync.load(ordering: .relaxed), !origins.isEmpty {
        sendReplies()
        origins.removeAll()
        // Long enough that under load a kill nearly always falls between the answer and the commit.
        usleep(150_000)
      }
    #endif
    try sequencer.commit()
    deliver()
    sequencer.finishTurn()
    origins.removeAll(keepingCapacity: true)
    peers.removeAll(keepingCapacity: true)
    for index in sources.indices { sources[index].inlet.durable = sources[index].inlet.received }
    confirmSessionEnds()
  }

  /// Submits what effects and answers caused until nothing more follows.
  func submitFollowUps() throws {
    while !followUps.isEmpty {
      let batch = followUps
      followUps.removeAll()
      for (kind, payload) in batch { payload.withUnsafeBytes { _ = append(kind, $0) } }
      try flush()
    }
  }

  private func setTimer() {
    let now = sequencer.now()
    let untilDeadline = sequencer.nextDeadline - now
    var wait = min(max(untilDeadline.nanoseconds, 0), Inlet.silenceNanoseconds / 3)
    if sequencer.pendingInputs > 0 {
      wait = min(wait, max(0, pace.dueAt(configuration) - MachineClock.monotonic()))
    }
    wakeUp?.set(MonotonicTime.now().advanced(by: wait))
  }
}
