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
  private let risk: Socket
  private var shards: [ShardID: Socket] = [:]
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
    risk = try transport.dealer(connectingTo: .risk)
    for shard in listing.market.shards { shards[shard] = try transport.dealer(connectingTo: .shard(shard)) }
    for machine in map.machines where machine.kind == .gateway {
      gateways.append(try transport.dealer(connectingTo: machine))
    }
  }

  /// Starts publishing. Call once.
  public func start() {
    watch(router) { $0.readable() }
    watch(risk) { $0.riskReadable() }
    timer = loop.timer { [unowned self] in self.assumeIsolated { $0.publish() } }
    publish()
    log.info("serving", metadata: ["machine": "marks"])
  }

  public func stop() {
    timer?.cancel()
    loop.unwatch(router)
    loop.unwatch(risk)
  }

  private nonisolated func watch(_ socket: Socket, _ readable: @escaping @Sendable (isolated MarkNode) -> Void) {
    loop.watch(socket) { [unowned self] in self.assumeIsolated { readable($0) } }
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
        offer(to: risk)
        for (shard, shardMarks) in marks.shards {
          Frame.write(.marks, shardMarks, in: &frame)
          if let socket = shards[shard] { offer(to: socket) }
          for gateway in gateways { offer(to: gateway) }
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
    offer(to: risk)
    timer?.set(MonotonicTime.now().advanced(by: interval))
  }

  private func riskReadable() {
    while risk.take(into: &received) {
      guard received.count == 1, let opened = Frame.open(received.frame(0)), opened.kind == .answer else { continue }
      var body = opened.body
      let answer = Answer(from: &body)
      guard body.isExhausted, answer.isAnswered, let listings = try? Listings(decoding: answer.body) else { continue }
      for (instrument, refusal) in pricing.take(listings) {
        if let refusal { leaveOut(instrument.id, instrument.name, refusal) }
        log.info("listed", metadata: ["instrument": "\(instrument.name)"])
      }
    }
  }

  private func offer(to socket: Socket) {
    if socket.offer(frame.bytes) != .sent { unsent += 1 }
  }

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
