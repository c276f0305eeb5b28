import Bytes
import Cluster
import Logging
import Machine
import Market
import Messaging
import Wire

/// The door for clients. It decides nothing: it checks that an action is well formed, signed and for one shard,
/// throttles,
/// routes, and fans out what machines say. It keeps no state that matters: a client whose gateway dies asks again by
/// nonce through another.
public actor GatewayNode {
  nonisolated public let loop: SocketLoop
  nonisolated public var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  let id: MachineID
  let nodeName: String
  /// As it was opened, and what risk has listed since.
  var market: MarketDefinition
  var encodedMarket: [UInt8]
  var signing: ActionSigning
  var routing: ActionRouting
  /// Key of the one peer that may bring marks.
  let marksKey: String?
  let configuration: GatewayConfiguration
  let log: Logger
  private let transport: Transport
  let front: Socket
  var backs: [Back] = []
  var received = MessageBuffer()
  var frame = ByteWriter(capacity: 1 << 16)
  var waiting: [ActionKey: Waiting] = [:]
  var questions: [UInt64: (identity: [UInt8], tag: UInt64)] = [:]
  /// The gateway's own question to risk: which instruments it has listed. Clients' questions are numbered from 1.
  static let listingsTag: UInt64 = 0
  /// Whether risk has answered it since the gateway's start. Until then the market may lack instruments.
  var knowsListings = false
  /// Who asked for the market before that.
  var marketQuestions: [(tag: UInt64, identity: [UInt8])] = []
  var nextTag: UInt64 = 0
  var watchers: [AccountID: Set<[UInt8]>] = [:]
  var bookSubscribers: Set<[UInt8]> = []
  var marks: [ShardID: [UInt8]] = [:]
  var sessions: ClientSessions
  /// Of this process; generations of sessions begin with it.
  let incarnation: UInt64
  var counters = Counters()

  /// A machine behind the gateway.
  struct Back {
    let machine: MachineID
    let link: MachineLink
    /// Actions forwarded and not answered yet.
    var outstanding = 0
    var heardAt: Int64 = 0
    var subscribedAt: Int64 = 0
  }

  struct ActionKey: Hashable {
    var account: AccountID
    var key: KeyID
    var nonce: UInt64
    var machine: MachineID
  }

  struct Waiting {
    var identity: [UInt8]
    var since: Int64
    /// The frame, to be sent again to an owner that may never have had it: it is applied once.
    var frame: [UInt8]
  }

  struct Counters {
    var actions: Int64 = 0
    var operations: Int64 = 0
    var refused: Int64 = 0
    var throttled: Int64 = 0
    var replies: Int64 = 0
    var dropped: Int64 = 0
  }

  public init(
    _ id: MachineID, on loop: SocketLoop, map: ClusterMap, node: String, market: MarketDefinition, transport: Transport,
    configuration: GatewayConfiguration, log: Logger
  ) throws {
    self.id = id
    nodeName = node
    self.loop = loop
    self.market = market
    self.configuration = configuration
    self.transport = transport
    self.log = log
    encodedMarket = market.encoded
    signing = ActionSigning(market: market)
    routing = ActionRouting(market)
    marksKey = map.node(hosting: .marks)?.publicKey
    incarnation = UInt64(clamping: MachineClock.wall().nanoseconds)
    sessions = ClientSessions(
      gateway: id.index, firstGeneration: incarnation,
      linger: market.parameters.heldOrderTimeout.nanoseconds + configuration.lingerNanoseconds)
    front = try transport.frontDoor(
      bindingEndpointOf: id, silence: Int32(clamping: configuration.clientSilenceMilliseconds))
    for machine in map.shards.map(MachineID.shard) + [.risk, .settlement] {
      backs.append(Back(machine: machine, link: try transport.link(to: machine)))
    }
  }

  /// Starts serving. Call once.
  public func start() {
    watch(front) { gateway, _ in gateway.frontReadable() }
    for index in backs.indices { watch(index, backs[index].link.sockets) }
    loop.atEndOfTurn { [unowned self] in self.assumeIsolated { $0.endOfTurn() } }
    wakeUp = loop.timer {}
    endOfTurn()
    log.info("serving", metadata: ["machine": "\(id)"])
  }

  private nonisolated func watch(
    _ socket: Socket, _ readable: @escaping @Sendable (isolated GatewayNode, Socket) -> Void
  ) {
    // The socket stays on this loop, which is the actor's own.
    nonisolated(unsafe) let socket = socket
    loop.watch(socket) { [unowned self] in self.assumeIsolated { readable($0, socket) } }
  }

  private func watch(_ index: Int, _ sockets: [Socket]) {
    for socket in sockets { watch(socket) { $0.backReadable(index, $1) } }
  }

  /// A new map: machines may have copies elsewhere.
  public func update(_ map: ClusterMap) throws {
    for index in backs.indices {
      let (joined, left) = try transport.update(backs[index].link, to: map)
      watch(index, joined)
      for socket in left { loop.unwatch(socket) }
    }
  }

  public func stop() {
    loop.unwatch(front)
    for socket in backs.flatMap(\.link.sockets) { loop.unwatch(socket) }
  }

  private func endOfTurn() {
    let now = MachineClock.monotonic()
    for back in backs { back.link.tend(at: now) }
    for index in backs.indices where backs[index].machine.shard != nil { keepSubscribed(index, now) }
    if now >= nextSweep {
      sweep(now)
    }
    if now >= nextListings {
      nextListings = now + (knowsListings ? 1_000_000_000 : 100_000_000)
      askForListings()
    }
    if now >= nextBeat { beat(now) }
    wakeUp?.set(MonotonicTime.now().advanced(by: 100_000_000))
  }

  private var nextSweep: Int64 = 0
  private var nextListings: Int64 = 0
  var nextBeat: Int64 = 0
  private var wakeUp: LoopTimer?

  /// A shard that restarted has forgotten who listens: subscribe again after a silence.
  private func keepSubscribed(_ index: Int, _ now: Int64) {
    guard now - max(backs[index].heardAt, backs[index].subscribedAt) > configuration.silenceNanoseconds else { return }
    backs[index].subscribedAt = now
    Frame.write(
      .feedSubscription, FeedSubscription(wantsReports: true, wantsBooks: !bookSubscribers.isEmpty), in: &frame)
    _ = backs[index].link.offer(frame.bytes)
  }

  /// Tells shards that it lives, asks clients whether they do, and tells again of sessions that are over until the
  /// shards have it in their journals.
  private func beat(_ now: Int64) {
    nextBeat = now + configuration.heartbeatNanoseconds
    Frame.write(.heartbeat, GatewayHeartbeat(gateway: id, incarnation: incarnation), in: &frame)
    for back in backs where back.machine.shard != nil { _ = back.link.offer(frame.bytes) }
    Frame.begin(.heartbeat, in: &frame)
    // Forgetting writes frames of its own.
    let gone = sessions.identities.filter { front.offer(to: $0, frame.bytes) == .unreachable }
    for identity in gone { forget(identity) }
    tellSessionEnds(now)
  }

  private func tellSessionEnds(_ now: Int64) {
    for (back, end) in sessions.due(at: now) {
      Frame.write(.sessionEnd, end, in: &frame)
      _ = backs[back].link.offer(frame.bytes)
    }
  }

  /// A client's connection is over.
  func forget(_ identity: [UInt8]) {
    bookSubscribers.remove(identity)
    for account in watchers.keys { watchers[account]?.remove(identity) }
    let now = MachineClock.monotonic()
    sessions.end(identity, at: now)
    tellSessionEnds(now)
  }

  /// Sends the frame at hand to a client.
  func tell(_ identity: [UInt8]) {
    if front.offer(to: identity, frame.bytes) == .unreachable { forget(identity) }
  }

  /// Forgets actions whose machine did not answer in time: their clients ask again by nonce.
  private func sweep(_ now: Int64) {
    nextSweep = now + 1_000_000_000
    for (key, entry) in waiting where now - entry.since > configuration.answerTimeoutNanoseconds {
      waiting[key] = nil
      if let index = backs.firstIndex(where: { $0.machine == key.machine }) {
        backs[index].outstanding = max(0, backs[index].outstanding - 1)
      }
    }
  }

  /// Another copy owns a machine now: what the old one has not answered is asked again, in order, and it is told who
  /// listens.
  func takeUpWithNewOwner(_ index: Int) {
    let machine = backs[index].machine
    backs[index].subscribedAt = 0
    backs[index].heardAt = 0
    nextBeat = 0
    for (_, entry) in waiting.filter({ $0.key.machine == machine }).sorted(by: { $0.value.since < $1.value.since }) {
      _ = entry.frame.withUnsafeBytes { backs[index].link.offer($0) }
    }
  }

  func resubscribeForBooks() {
    for index in backs.indices { backs[index].subscribedAt = 0 }
    for index in backs.indices { backs[index].heardAt = 0 }
  }
}

/// Limits of one gateway.
public struct GatewayConfiguration: Sendable {
  /// Actions forwarded to one machine and not answered; beyond it a client is told to come back.
  public var outstandingPerMachine = 8_192
  public var framesPerTurn = 128
  /// What a throttled client is told to wait.
  public var retryAfterMilliseconds: UInt32 = 50
  /// How long an action's sender is remembered.
  public var answerTimeoutNanoseconds: Int64 = 10_000_000_000
  /// Silence after which a shard is subscribed to again.
  public var silenceNanoseconds: Int64 = 500_000_000
  /// How often shards are told that it lives, and clients with a session are asked.
  public var heartbeatNanoseconds: Int64 = 250_000_000
  /// A client that gives no sign of life for so long has ended its session.
  public var clientSilenceMilliseconds = 3_000
  /// A session's end is told once more when an order that waited then can wait no longer: the time for which an order
  /// is held, and this.
  public var lingerNanoseconds: Int64 = 500_000_000
  public init() {}
}
