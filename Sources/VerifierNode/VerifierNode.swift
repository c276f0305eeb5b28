import Bytes
import Cluster
import Cryptography
import Logging
import Market
import Messaging
import Settlement
import Wire

/// Re-executes the journals of every machine from their inputs alone and attests, or disputes, what the coordinator
/// wants
/// to post. Its own header is computed before it looks at the coordinator's.
public actor VerifierNode {
  nonisolated public let loop: SocketLoop
  nonisolated public var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private let id: MachineID
  private let nodeName: String
  private var map: ClusterMap
  private let market: MarketDefinition
  private let key: PrivateKey
  private let digest: AttestationDigest
  private let log: Logger
  private let router: Socket
  private let transport: Transport
  private let coordinator: MachineLink
  private var received = MessageBuffer()
  private var frame = ByteWriter()
  private var timer: LoopTimer?
  private var machines: ClusterReexecution.Machines?
  private let saving: VerifierSaving
  /// Header hashes that the re-executed coordinator came to.
  private var headers: [Epoch: Digest] = [:]
  private var requests: [AttestationRequest] = []
  private var attested: Int64 = 0
  private var disputed: Int64 = 0
  private var breach: String?
  private var lastEpoch = Epoch(0)
  private var toldBeginnings: Set<MachineID> = []
  private var askedAt: Int64 = 0

  /// Silence after which the coordinator is asked for what it wants attested.
  private static let silenceNanoseconds: Int64 = 1_000_000_000
  private static let retryNanoseconds: Int64 = 50_000_000
  /// Headers remembered for requests that are repeated.
  private static let rememberedEpochs: UInt32 = 64

  public init(
    _ id: MachineID, on loop: SocketLoop, map: ClusterMap, node: String, market: MarketDefinition,
    transport: Transport, log: Logger
  ) throws {
    self.id = id
    self.loop = loop
    self.map = map
    self.market = market
    self.log = log
    nodeName = node
    key = try VerifierKey.load(directory: map.keyDirectory(of: node))
    digest = AttestationDigest(market.parameters)
    saving = VerifierSaving(
      directory: map.verifierDirectory(of: node), interval: UInt64(map.settings.snapshotEvery), log: log)
    router = try transport.router(bindingEndpointOf: id)
    self.transport = transport
    coordinator = try transport.link(to: .settlement)
  }

  /// Starts verifying. Call once.
  public func start() {
    watchCoordinator(coordinator.sockets)
    watch(router) { verifier, _ in verifier.routerReadable() }
    timer = loop.timer { [unowned self] in self.assumeIsolated { $0.work() } }
    work()
    log.info("serving", metadata: ["machine": "\(id)", "address": "\(key.address)"])
  }

  public func stop() {
    timer?.cancel()
    for socket in [router] + coordinator.sockets { loop.unwatch(socket) }
  }

  private func watchCoordinator(_ sockets: [Socket]) {
    for socket in sockets { watch(socket) { $0.coordinatorReadable($1) } }
  }

  /// A new map: the coordinator may have copies elsewhere.
  public func update(_ map: ClusterMap) throws {
    let (joined, left) = try transport.update(coordinator, to: map)
    watchCoordinator(joined)
    for socket in left { loop.unwatch(socket) }
    self.map = map
    machines?.update(map)
  }

  private nonisolated func watch(
    _ socket: Socket, _ readable: @escaping @Sendable (isolated VerifierNode, Socket) -> Void
  ) {
    // The socket stays on this loop, which is the actor's own.
    nonisolated(unsafe) let socket = socket
    loop.watch(socket) { [unowned self] in self.assumeIsolated { readable($0, socket) } }
  }

  private func coordinatorReadable(_ socket: Socket) {
    while true {
      switch coordinator.take(from: socket, into: &received) {
      case .nothing:
        requests.sort { $0.epoch < $1.epoch }
        return work()
      case .own: continue
      case .newOwner:
        // It asks for what it still lacks.
        askedAt = 0
        continue
      case .message: break
      }
      guard received.count == 1, let opened = Frame.open(received.frame(0)), opened.kind == .attestationRequest else {
        continue
      }
      var body = opened.body
      let request = AttestationRequest(from: &body)
      guard body.isExhausted, !requests.contains(request) else { continue }
      requests.append(request)
    }
  }

  /// Answers what can be answered; asks again later for what cannot yet.
  private func work() {
    let now = MachineClock.monotonic()
    coordinator.tend(at: now)
    if now - askedAt > Self.silenceNanoseconds {
      askedAt = now
      Frame.write(.feedSubscription, FeedSubscription(wantsReports: false, wantsBooks: false), in: &frame)
      _ = coordinator.offer(frame.bytes)
    }
    var waiting = false
    while let request = requests.first {
      guard answer(request) else {
        waiting = true
        break
      }
      requests.removeFirst()
      askedAt = now
    }
    timer?.set(
      MonotonicTime.now().advanced(by: waiting ? Self.retryNanoseconds : Self.silenceNanoseconds / 2))
  }

  /// False when the journals do not reach that far yet.
  private func answer(_ request: AttestationRequest) -> Bool {
    do {
      if breach == nil, headers[request.epoch] == nil {
        guard try reexecute(through: request.epoch) else { return false }
      }
    } catch let found as ReexecutionBreach {
      breach = "\(found)"
      log.critical("dispute", metadata: ["breach": "\(found)"])
    } catch {
      log.warning("cannot re-execute yet", metadata: ["reason": "\(error)"])
      return false
    }
    let agrees = breach == nil && headers[request.epoch] == request.headerHash
    if !agrees, breach == nil {
      log.critical("dispute", metadata: ["epoch": "\(request.epoch)", "breach": "another header"])
    }
    if agrees { attested += 1 } else { disputed += 1 }
    let attestation = digest.attestation(
      by: id.index, key: key, epoch: request.epoch, headerHash: request.headerHash, agrees: agrees)
    Frame.write(.attestation, attestation, in: &frame)
    _ = coordinator.offer(frame.bytes)
    if agrees, let machines { saving.saveIfDue(machines, epoch: lastEpoch, headers: headers) }
    return true
  }

  /// Executes every machine past `epoch`, then the coordinator until it has made the epoch's header.
  private func reexecute(through epoch: Epoch) throws -> Bool {
    if machines == nil { try open() }
    guard let machines, try machines.together.advance(past: epoch) else { return false }
    tellOfBeginnings(machines)
    collectHeaders(machines.settlement)
    while headers[epoch] == nil {
      guard try machines.settlement.advanceOneBatch() else { return false }
      collectHeaders(machines.settlement)
    }
    lastEpoch = max(lastEpoch, epoch)
    return true
  }

  /// Takes up the work where it was left; without a saved state, where the journals begin.
  private func open() throws {
    let opened = try ClusterReexecution.open(map: map, market: market)
    do {
      if let state = try saving.restore(opened) {
        headers = state.headers
        lastEpoch = state.epoch
        log.info("going on", metadata: ["machine": "\(id)", "after epoch": "\(state.epoch)"])
      }
      machines = opened
    } catch {
      log.error("beginning anew", metadata: ["machine": "\(id)", "reason": "\(error)"])
      machines = try ClusterReexecution.open(map: map, market: market)
    }
  }

  /// Tells, once each, of machines whose first entries could not be verified.
  private func tellOfBeginnings(_ machines: ClusterReexecution.Machines) {
    for machine in machines.together.all where machine.firstSequence.rawValue > 1 {
      guard toldBeginnings.insert(machine.id).inserted else { continue }
      log.notice(
        "verified from a snapshot on",
        metadata: ["machine": "\(machine.id)", "from_sequence": "\(machine.firstSequence)"])
    }
  }

  private func collectHeaders(_ coordinator: Replica<SettlementMachine>) {
    for effect in coordinator.effects where effect.code == SettlementEffect.attest.rawValue {
      guard let made = try? AttestationRequest(decoding: effect.payload) else { continue }
      headers[made.epoch] = made.headerHash
      if made.epoch.rawValue > Self.rememberedEpochs {
        headers[Epoch(made.epoch.rawValue - Self.rememberedEpochs)] = nil
      }
    }
    coordinator.effects.removeAll()
  }

  private func routerReadable() {
    while router.take(into: &received) {
      guard received.count == 2, let opened = Frame.open(received.frame(1)), opened.kind == .query else { continue }
      var body = opened.body
      let query = Query(from: &body)
      guard body.isExhausted, query.kind == .status, let status = try? status().json() else { continue }
      let identity = [UInt8](received.frame(0))
      Frame.write(.answer, Answer(tag: query.tag, isAnswered: true, body: status), in: &frame)
      _ = router.offer(to: identity, frame.bytes)
    }
  }

  /// For each machine the first entry that was verified: 1 where all was.
  private var beginnings: [String: Int64] {
    let first = (machines?.together.all ?? []).map { ("from_sequence:\($0.id)", Int64($0.firstSequence.rawValue)) }
    return Dictionary(uniqueKeysWithValues: first)
  }

  private func status() -> HostStatus {
    let entries = machines.map { $0.together.all.reduce(0) { $0 + $1.entries } } ?? 0
    return HostStatus.edge(
      id, node: nodeName, inputs: entries,
      figures: [
        "attested": attested, "disputed": disputed, "epoch": Int64(lastEpoch.rawValue),
        "waiting": Int64(requests.count),
      ].merging(beginnings) { figure, _ in figure }, texts: ["breach": breach ?? ""])
  }
}
