import Authority
import Bytes
import Journal
import Logging
import Machine
import Market
import Messaging
import Wire

#if NOVATION_PLANT
  import Synchronization
#endif

/// What hosts a machine, without the world around it: which frames become inputs, when a batch is closed, what leaves
/// once it is durable. `MachineHost` gives it sockets, a journal and time; a simulation gives it others.
///
/// While one batch is being written the next is filled. What is read of the machine must be durable, so a question
/// waits until all of it is, and input waits for the question; a seal, which commits to all before it, likewise.
public final class HostCore<M: Machine & ~Copyable> {
  public let id: MachineID
  package var map: ClusterMap
  let nodeName: String
  let configuration: HostConfiguration
  let role: HostRole<M>
  let log: Logger
  unowned let world: any HostWorld
  var sequencer: BatchSequencer<M>
  /// Closed batches, in order, whose outputs have not left.
  var closed: [CommitBatch] = []
  /// Where the journal stands: the last durable batch.
  var durable: JournalPosition
  /// A batch is with the journal. The next is closed when it comes back, so that batches grow with the load.
  var isWriting = false
  var inlets: [Inlet] = []
  var outlets: [Outlet] = []
  var subscribers: [FeedSubscriber] = []
  var questions: [Question] = []
  /// Somebody who carries effects out has just come.
  var owesEffects = false
  /// The epoch in which a peer already is.
  var sealsUntil = Epoch(0)
  /// Chunks that wait for a seal before them.
  var deferred: [(source: Int, chunk: [UInt8])] = []
  /// Inputs that an effect or an answer caused, for the next commit.
  var followUps: [(kind: InputKind, payload: [UInt8])] = []
  var frame = ByteWriter(capacity: 1 << 16)
  var sessions: SessionWatch?
  var inputs: UInt64 = 0
  /// Actions refused because the journal has no room.
  var refusedForRoom: UInt64 = 0
  var commits: UInt64 = 0
  var pace = CommitPace()
  var lastSnapshot: SequenceNumber
  var isKeepingSnapshot = false
  /// A shadow of the machine makes a snapshot beside it.
  var isShadowed = false
  /// Consumers that must be heard first: one that has heard more than was ever sent tells of an old copy.
  var unheard: Set<MachineID> = []
  var unheardUntil: Int64 = 0
  /// What was submitted meanwhile.
  var heldSubmissions: [(identity: [UInt8], body: [UInt8])] = []

  /// What the sources' clocks say, and when they are asked again.
  var peerClocks = PeerClocks()
  var askClocksAt = Int64.min
  /// Monotonic time since which the own clock is known to be too far ahead.
  var clockAheadSince: Int64?
  /// Monotonic time until which the sources' clocks are waited for; 0 once they are known.
  var clockUntil: Int64 = 0
  /// Inputs that are kept from the machine.
  var quarantines: [Quarantine] = []

  // Who owns it.
  var reign = Reign.undecided
  var record: Ownership?
  var isAsking = false
  /// When the authority is asked again; `.max` for not.
  var askAgainAt = Int64.max
  /// A term that is ours, once what was followed is durable.
  var pendingTerm: Term?
  var nodesUp: Set<String> = []
  var nodesDown: Set<String> = []
  var authorityKnownAt = Int64.max
  /// Who has asked whether this copy owns the machine.
  var acquaintances: [[UInt8]] = []

  // As owner: who follows, and who is on the way to it.
  var followers: [Follower] = []
  var receivers: [Receiver] = []
  /// A node that is being taken into the record.
  var joining: String?
  /// The last entry of which anything was said; all of the journal at the start of a reign.
  package internal(set) var released = SequenceNumber(0)
  var lifeDueAt: Int64 = 0
  var reignedAt: Int64 = 0

  // As standby: who is followed.
  var ownerIdentity: [UInt8]?
  var mustAskToFollow = false
  var lastAsked: Int64 = 0
  var followedTerm = Term(0)
  var recentLinks: [CommonGround.Link] = []
  /// The owner has said that all it has is here.
  var wasHandedOver = false
  /// A snapshot on its way, the machine that it tells of once it is whole, and whether the journal is taking it up.
  var intake: SnapshotIntake?
  var adoptable: M?
  var isAdopting = false

  /// Nothing more is taken or said.
  public internal(set) var isStopped = false
  /// What is closed is still awaited, nothing new is taken.
  var isEnding = false
  private var isReceiving = true
  let genesis: MarketDefinition
  private let isFresh: Bool

  struct Question {
    var identity: [UInt8]
    var query: Query
    var askedAt: Int64
  }

  struct FeedSubscriber {
    var identity: [UInt8]
    var subscription: FeedSubscription
  }

  /// - Parameters:
  ///   - sequencer: the machine as its journal told it; the journal is the world's from now on.
  ///   - position: where the journal ends.
  ///   - isFresh: the journal has only begun.
  public init(
    _ sequencer: consuming BatchSequencer<M>, at position: JournalPosition, genesis: MarketDefinition, isFresh: Bool,
    role: HostRole<M>, map: ClusterMap, node: String,
    configuration: HostConfiguration, world: any HostWorld, log: Logger
  ) {
    id = sequencer.id
    durable = position
    lastSnapshot = durable.sequence
    self.role = role
    self.genesis = genesis
    self.map = map
    self.configuration = configuration
    self.world = world
    self.log = log
    nodeName = node
    self.sequencer = sequencer
    self.isFresh = isFresh
    #if NOVATION_PLANT
      self.sequencer.plant(role.plant)
    #endif
  }

  /// Starts: as owner if there is no authority to ask. Call once.
  public func start() {
    if world.hasAuthority {
      readOwnership()
      endOfTurn()
    } else {
      reign = .owner
      serve()
    }
  }

  /// Begins a reign: everything in the journal is durable, and may have been heard of.
  func serve() {
    let now = world.monotonic()
    released = durable.sequence
    reignedAt = now
    readQuarantines()
    if sequencer.lastSequence == SequenceNumber(0) {
      let encoded = genesis.encoded
      encoded.withUnsafeBytes { _ = append(.genesis, $0) }
    }
    lastSnapshot = durable.sequence
    let streams = sequencer.machine.streams
    inlets = role.sources.map { Inlet(source: $0, received: streams.lastReceived(from: $0)) }
    outlets = streams.sent.map { Outlet(consumer: $0.peer, ready: $0.number) }
    // A copy that followed has what the owner had: the fence says so.
    if followedTerm == Term(0) {
      unheard = Set(outlets.map(\.consumer))
      unheardUntil = now + configuration.consumerNanoseconds
    }
    sessions = role.sessions.map { times in
      SessionWatch(
        gateways: map.machines.filter { $0.kind == .gateway }, times: times, now: now,
        // A copy that began empty and has followed since may hold orders of sessions that it never saw.
        isFresh: isFresh && released == SequenceNumber(0))
    }
    for index in inlets.indices { subscribe(index) }
    log.info(
      "serving", metadata: ["machine": "\(id)", "term": "\(sequencer.term)", "sequence": "\(sequencer.lastSequence)"])
    followUps = role.catchUp(sequencer.machine)
    owesEffects = true
    // What was missed may have taken a while to find.
    askClocksAt = world.monotonic()
    clockUntil = askClocksAt + configuration.consumerNanoseconds
    endOfTurn()
  }

  /// Everything that was applied is durable, and has left.
  public var isSettled: Bool { sequencer.openInputs == 0 && closed.isEmpty }

  /// Whether input may be handed to it now; what may not waits where it is.
  public var takesInput: Bool {
    guard !isStopped, !isEnding else { return false }
    return switch reign {
    case .owner where isHeldBack: true
    case .owner:
      !mustSettle && sequencer.openInputs < configuration.inputsPerCommit
        && closed.count < configuration.batchesInFlight
    case .handingOver: false
    case .undecided, .standby, .candidate: true
    }
  }

  /// Something waits for durable state.
  private var mustSettle: Bool {
    !questions.isEmpty || owesEffects || sequencer.epoch < sealsUntil || sequencer.machine.wantsSeal
      || !deferred.isEmpty
  }

  /// Takes nothing more; `isSettled` and `isIdle` tell when it may be closed.
  public func beginEnding() {
    isEnding = true
    endOfTurn()
  }

  /// Says and takes nothing more.
  public func stop() { isStopped = true }

  /// Nothing is with the journal.
  public var isIdle: Bool { !isWriting && !isKeepingSnapshot && !isAdopting }

  // MARK: Inputs

  /// Appends an input that an edge of this process brings: a settlement event, an attestation.
  public func submit(_ kind: InputKind, _ payload: [UInt8]) {
    guard !isStopped else { return }
    payload.withUnsafeBytes { _ = append(kind, $0) }
    endOfTurn()
  }

  @discardableResult
  func append(_ kind: InputKind, _ payload: UnsafeRawBufferPointer) -> SequenceNumber {
    let sequence = take(kind, payload)
    pace.appended(isUrgent: kind == .action, at: world.monotonic())
    return sequence
  }

  /// Reads state that may not be durable yet: for tests and figures of the process itself.
  public func read<R>(_ body: (borrowing M) throws -> R) rethrows -> R { try body(sequencer.machine) }

  /// Whatever ends the term is told to the world, which rebuilds the machine from its journal.
  func attempt(_ what: String, _ body: () throws -> Void) {
    guard !isStopped else { return }
    do {
      try body()
    } catch {
      isStopped = true
      log.critical("term ended", metadata: ["machine": "\(id)", "while": "\(what)", "reason": "\(error)"])
      world.endTerm(what, error)
    }
  }

  // MARK: The turn

  /// Call after input was handed over, after a batch became durable, and when a wake-up that was asked for is due.
  public func endOfTurn() {
    guard !isStopped else { return }
    tendReign()
    tendClock()
    guard !isStopped else { return }
    // A lease that was renewed tells nobody: what waited for it goes now.
    release()
    makeSnapshotBeside()
    if reign == .owner || isHandingOver { tendMachine() }
    let receiving = takesInput
    if receiving != isReceiving {
      isReceiving = receiving
      world.setReceiving(receiving)
    }
    setWakeUp()
  }

  /// A snapshot that is due is made beside the trading, of what is durable.
  private func makeSnapshotBeside() {
    guard !isEnding, !isShadowed, !isAdopting,
      durable.sequence.rawValue - min(durable.sequence, lastSnapshot).rawValue >= configuration.snapshotEvery,
      world.makeSnapshotBeside(through: durable.sequence)
    else { return }
    isShadowed = true
    lastSnapshot = durable.sequence
  }

  /// Consumers have not yet said how much they have heard: whoever has an old copy must not go on from it.
  var isAwaitingConsumers: Bool {
    guard !unheard.isEmpty else { return false }
    if world.monotonic() >= unheardUntil { unheard.removeAll() }
    return !unheard.isEmpty
  }

  private func tendMachine() {
    if isHeldBack { return resubscribeIfSilent() }
    takeHeldSubmissions()
    if !isEnding, reign == .owner {
      var rounds = 0
      while rounds < configuration.ticksPerTurn, !mustSettle, sequencer.fireDeadlines() {
        pace.appended(isUrgent: false, at: world.monotonic())
        inputs += 1
        rounds += 1
      }
      endSessions(sessions?.due(at: world.monotonic()))
    }
    settle()
    if isCommitDue { closeBatch() }
    acknowledgeSources()
    if !isEnding { resubscribeIfSilent() }
    pumpOutlets()
    pumpFollowers()
    completeHandOver()
  }

  /// Does what waits for durable state, as far as all of it is, and what waited for that.
  private func settle() {
    while !isStopped {
      if !followUps.isEmpty {
        submitFollowUps()
      } else if !deferred.isEmpty, sequencer.epoch >= sealsUntil, !sequencer.machine.wantsSeal {
        consumeDeferred()
      } else if !isSettled {
        return
      } else if let last = questions.last {
        guard isReadable(since: last.askedAt) else {
          // Whoever is the fence is asked at once.
          lifeDueAt = 0
          return
        }
        answerQuestions()
      } else if owesEffects {
        resumeEffects()
      } else if isSnapshotDue {
        takeSnapshot()
      } else if sequencer.machine.wantsSeal || sequencer.epoch < sealsUntil {
        attempt("sealing") { try sequencer.seal(at: durable) }
        pace.appended(isUrgent: false, at: world.monotonic())
        inputs += 1
      } else {
        return
      }
    }
  }

  private func submitFollowUps() {
    let batch = followUps
    followUps.removeAll()
    for (kind, payload) in batch { payload.withUnsafeBytes { _ = append(kind, $0) } }
    pace.appended(isUrgent: true, at: world.monotonic())
  }

  private func consumeDeferred() {
    let waiting = deferred
    deferred.removeAll()
    for (source, chunk) in waiting {
      chunk.withUnsafeBytes { bytes in
        var body = ByteReader(bytes)
        if let chunk = StreamChunk(from: &body) { consume(chunk, source) }
      }
    }
  }

  private func resumeEffects() {
    owesEffects = false
    let owed = sequencer.owedEffects()
    carryOutEffects(of: owed)
    sequencer.reuse(owed)
  }

  private var isSnapshotDue: Bool {
    !isKeepingSnapshot && !isShadowed
      && sequencer.lastSequence.rawValue - lastSnapshot.rawValue >= configuration.snapshotEvery
  }

  func takeSnapshot() {
    var writer = ByteWriter(capacity: 1 << 20)
    sequencer.machine.writeSnapshot(to: &writer)
    lastSnapshot = sequencer.lastSequence
    isKeepingSnapshot = true
    world.keep(snapshot: writer.array, version: M.snapshotVersion)
  }

  /// Keeps a snapshot at the orderly end, once everything is settled.
  public func takeLastSnapshot() {
    guard isSettled, lastSnapshot != sequencer.lastSequence else { return }
    takeSnapshot()
  }

  // MARK: Commits

  /// Group commit: at once when the machine was quiet, with more company when it is not, and as soon as the journal is
  /// free when somebody waits for durable state.
  private var isCommitDue: Bool {
    guard sequencer.openInputs > 0, !isWriting, !isKeepingSnapshot, !isStopped else { return false }
    return sequencer.openInputs >= configuration.inputsPerCommit || mustSettle || isEnding || isSnapshotDue
      || isHandingOver || pace.dueAt(configuration) <= world.monotonic()
  }

  private func closeBatch() {
    pace.committed(at: world.monotonic())
    let batch = sequencer.close()
    closed.append(batch)
    isWriting = true
    #if NOVATION_PLANT
      if HostFaults.acknowledgesBeforeSync.load(ordering: .relaxed) {
        sendReplies(of: batch)
        batch.hadOrigins = !batch.origins.isEmpty
        batch.origins.removeAll()
      }
      if HostFaults.sendsBeforeSync.load(ordering: .relaxed) { batch.chunks.forEach { send($0) } }
    #endif
    copy(batch)
    world.write(batch)
  }

  /// The journal has made a batch durable.
  public func batchIsDurable(_ batch: CommitBatch) {
    guard !isStopped else { return }
    batch.isDurable = true
    durable = batch.position
    commits += 1
    if reign == .owner || isHandingOver {
      isWriting = false
      release()
    } else {
      followedBatchIsDurable()
    }
    endOfTurn()
  }

  /// A snapshot that was given to the world is in the journal.
  public func snapshotIsDurable() {
    isKeepingSnapshot = false
    isShadowed = false
    endOfTurn()
  }

  /// The journal has failed: what was closed since is as good as never received.
  public func journalFailed(_ error: any Error) { attempt("writing to the journal") { throw error } }

  /// Lets the outputs of durable batches out, in order.
  func release() {
    guard reign == .owner || isHandingOver else { return }
    while let batch = closed.first, batch.isDurable, !isStopped, isFenced(batch.lastSequence) {
      closed.removeFirst()
      released = batch.lastSequence
      deliver(batch)
      sequencer.reuse(batch)
    }
  }

  private func setWakeUp() {
    let now = world.monotonic()
    let untilDeadline = sequencer.nextDeadline - sequencer.now()
    var wait = min(max(untilDeadline.nanoseconds, 0), Inlet.silenceNanoseconds / 3)
    if sequencer.openInputs > 0, isIdle { wait = min(wait, max(0, pace.dueAt(configuration) - now)) }
    // A machine that waits to be durable is woken by its journal, or by its fence; its deadlines wait meanwhile.
    if !takesInput || reign != .owner { wait = Inlet.silenceNanoseconds / 3 }
    if isHeldBack { wait = Inlet.silenceNanoseconds / 3 }
    if world.hasAuthority { wait = min(wait, configuration.lifeNanoseconds, max(0, askAgainAt - now)) }
    world.wake(at: now + wait)
  }
}
