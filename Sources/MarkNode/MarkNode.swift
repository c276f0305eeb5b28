import Bytes
import Cluster
import Listing
import Logging
import Market
import Messaging
import Pricing
import Wire

/// The oracle: walks or takes the index, turns it into integer marks, and pushes the newest to risk, shards and
/// gateways.
/// It owes nobody an old one, so it has no journal and no streams; each consumer journals what it uses.
public actor MarkNode {
  nonisolated public let loop: SocketLoop
  nonisolated public var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  private let nodeName: String
  private let interval: Int64
  private let log: Logger
  private var pricing: ListedPricing
  private let underlyings: [UnderlyingID]
  private var walks: [IndexWalk]
  private let router: Socket
  private let transport: Transport
  private let risk: MachineLink
  private var shards: [ShardID: MachineLink] = [:]
  private var gateways: [Socket] = []
  private var received = MessageBuffer()
  private var frame = ByteWriter(capacity: 1 << 20)
  private var timer: LoopTimer?
  private var previous: Timestamp?
  private var publications: Int64 = 0
  private var unsent: Int64 = 0
  private var leftOut: Set<InstrumentID> = []

  /// - Parameters:
  ///   - seed: of the built-in index walk; the same seed and opening give the same index at the same time.
  ///   - intervalMilliseconds: between publications.
  public init(
    on loop: SocketLoop, map: ClusterMap, node: String, listing: Listing, seed: UInt64, intervalMilliseconds: Int,
    transport: Transport, log: Logger
  ) throws {
    self.loop = loop
    nodeName = node
    interval = Int64(intervalMilliseconds) * 1_000_000
    self.log = log
    pricing = try ListedPricing(listing)
    underlyings = listing.market.underlyings.indices.map { UnderlyingID(UInt8($0)) }
    walks = try underlyings.map { try listing.indexWalk(of: $0, seed: seed &+ UInt64($0.rawValue)) }
    router = try transport.router(bindingEndpointOf: .marks)
    self.transport = transport
    risk = try transport.link(to: .risk)
    for shard in listing.market.shards { shards[shard] = try transport.link(to: .shard(shard)) }
    for machine in map.machines where machine.kind == .gateway {
      gateways.append(try transport.dealer(connectingTo: machine))
    }
  }

  /// Starts publishing. Call once.
  public func start() {
    watch(router) { marks, _ in marks.readable() }
    for link in links { watch(link, link.sockets) }
    loop.atEndOfTurn { [unowned self] in assumeIsolated { $0.tendLinks() } }
    timer = loop.timer { [unowned self] in self.assumeIsolated { $0.publish() } }
    publish()
    log.info("serving", metadata: ["machine": "marks"])
  }

  public func stop() {
    timer?.cancel()
    for socket in [router] + links.flatMap(\.sockets) { loop.unwatch(socket) }
  }

  private var links: [MachineLink] { [risk] + shards.sorted { $0.key < $1.key }.map(\.value) }

  private func tendLinks() {
    let now = MachineClock.monotonic()
    for link in links { link.tend(at: now) }
  }

  private func watch(_ link: MachineLink, _ sockets: [Socket]) {
    let machine = link.machine
    for socket in sockets { watch(socket) { $0.readable(machine, $1) } }
  }

  /// A new map: machines may have copies elsewhere.
  public func update(_ map: ClusterMap) throws {
    for link in links {
      let (joined, left) = try transport.update(link, to: map)
      watch(link, joined)
      for socket in left { loop.unwatch(socket) }
    }
  }

  private nonisolated func watch(
    _ socket: Socket, _ readable: @escaping @Sendable (isolated MarkNode, Socket) -> Void
  ) {
    // The socket stays on this loop, which is the actor's own.
    nonisolated(unsafe) let socket = socket
    loop.watch(socket) { [unowned self] in self.assumeIsolated { readable($0, socket) } }
  }

  private func publish() {
    let now = MachineClock.wall()
    for underlying in underlyings {
      let index = walks[Int(underlying.rawValue)].advance(to: now)
      do throws(PricingRefusal) {
        let marks = try pricing.calculator.marks(
          of: underlying, index: index, now: now, previous: previous, version: UInt64(now.nanoseconds))
        report(marks.leftOut)
        Frame.write(.marks, marks.risk, in: &frame)
        count(risk.offer(frame.bytes))
        for (shard, shardMarks) in marks.shards {
          Frame.write(.marks, shardMarks, in: &frame)
          if let link = shards[shard] { count(link.offer(frame.bytes)) }
          for gateway in gateways { count(gateway.offer(frame.bytes)) }
        }
      } catch {
        // Silence is the refusal: consumers stop taking orders when it lasts.
        log.error("no marks", metadata: ["underlying": "\(underlying)", "reason": "\(error)"])
      }
    }
    previous = now
    publications += 1
    // What risk answers is durable there; only then is it named to anybody. Risk refuses marks that name an instrument
    // it does not have.
    Frame.write(.query, Query.listings(beyond: pricing.market, tag: UInt64(publications)), in: &frame)
    count(risk.offer(frame.bytes))
    timer?.set(MonotonicTime.now().advanced(by: interval))
  }

  private func readable(_ machine: MachineID, _ socket: Socket) {
    guard let link = machine == .risk ? risk : machine.shard.flatMap({ shards[$0] }) else { return }
    while true {
      switch link.take(from: socket, into: &received) {
      case .nothing: return
      case .own, .newOwner: continue
      case .message: break
      }
      guard link.machine == .risk, received.count == 1, let opened = Frame.open(received.frame(0)),
        opened.kind == .answer
      else { continue }
      var body = opened.body
      let answer = Answer(from: &body)
      guard body.isExhausted, answer.isAnswered, let listings = try? Listings(decoding: answer.body) else { continue }
      for (instrument, refusal) in pricing.take(listings) {
        if let refusal { leaveOut(instrument.id, instrument.name, refusal) }
        log.info("listed", metadata: ["instrument": "\(instrument.name)"])
      }
    }
  }

  private func count(_ result: Socket.SendResult) { if result != .sent { unsent += 1 } }

  /// Each instrument that cannot be priced is logged when that begins.
  private func report(_ found: [UnderlyingMarks.LeftOut]) {
    for missing in found { leaveOut(missing.instrument, missing.name, missing.reason) }
  }

  private func leaveOut(_ instrument: InstrumentID, _ name: String, _ reason: PricingRefusal) {
    guard leftOut.insert(instrument).inserted else { return }
    log.warning("left out of the marks", metadata: ["instrument": "\(name)", "reason": "\(reason)"])
  }

  private func readable() {
    while router.take(into: &received) {
      guard received.count == 2, let opened = Frame.open(received.frame(1)), opened.kind == .query else { continue }
      var body = opened.body
      let query = Query(from: &body)
      guard body.isExhausted else { continue }
      let identity = [UInt8](received.frame(0))
      var answer = Answer(tag: query.tag, isAnswered: true, body: [])
      if query.kind == .status, let status = try? status().json() {
        answer.body = status
      } else {
        answer.isAnswered = false
        answer.body = [UInt8]("marks does not answer '\(query.kind)'".utf8)
      }
      Frame.write(.answer, answer, in: &frame)
      _ = router.offer(to: identity, frame.bytes)
    }
  }

  private func status() -> HostStatus {
    var texts: [String: String] = [:]
    for (underlying, walk) in zip(underlyings, walks) { texts["index-\(underlying)"] = walk.price.description }
    return HostStatus.edge(
      .marks, node: nodeName, inputs: UInt64(publications),
      figures: ["publications": publications, "unsent": unsent, "leftOut": Int64(leftOut.count)], texts: texts)
  }
}
