import Cluster
import Foundation
import Market
import Messaging
import Synchronization

/// Stands between a machine and all that connect to it, and handles whole messages as a bad network would. It ends
/// CURVE on both sides: it has the machine's key towards the peers, and each peer's own key towards the machine.
actor MessageProxy {
  /// What is done to every message, in both directions.
  enum Tampering: Sendable {
    case none
    /// Kept for so long.
    case hold(milliseconds: Int)
    /// Sent twice.
    case double
    /// Let go only after the next of its kind, or after a moment if none comes.
    case swap
  }

  struct Counts: Sendable {
    var forwarded: Int64 = 0
    var held: Int64 = 0
    var doubled: Int64 = 0
    var swapped: Int64 = 0
    /// The receiver's queue was full, or it was gone.
    var dropped: Int64 = 0
  }

  private struct Link {
    let back: Socket
    /// Kept for the one after it, towards the machine and from it.
    var kept: [Direction: [UInt8]] = [:]
  }

  private enum Direction { case toMachine, fromMachine }

  private struct Held {
    var due: MonotonicTime
    var identity: [UInt8]
    var direction: Direction
    var body: [UInt8]
  }

  nonisolated let loop: SocketLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
  private let machine: MachineID
  /// The map as it is behind the proxy.
  private let map: ClusterMap
  private let transport: Transport
  private let front: Socket
  private var links: [[UInt8]: Link] = [:]
  private var held: [Held] = []
  private var received = MessageBuffer()
  private var timer: LoopTimer?
  private nonisolated let counters = Mutex(Counts())
  private nonisolated let tampering = Mutex(Tampering.none)

  private static let swapNanoseconds: Int64 = 100_000_000

  /// - Parameters:
  ///   - detour: the endpoint at which peers are to find it.
  ///   - map: where the machine itself is.
  init(of machine: MachineID, at detour: String, map: ClusterMap) throws {
    guard let node = map.node(hosting: machine) else {
      throw SupervisionError(what: machine.description, reason: "no node hosts it")
    }
    self.machine = machine
    self.map = map
    var before = map
    before.endpoints[machine.description] = detour
    before.bindings = nil
    transport = try Transport(map: before, keyring: CurveKeyring(directory: map.keyDirectory(of: node.name)))
    front = try transport.router(bindingEndpointOf: machine)
    loop = try SocketLoop(name: "proxy")
  }

  nonisolated var counts: Counts { counters.withLock { $0 } }
  nonisolated func tamper(_ how: Tampering) { tampering.withLock { $0 = how } }

  func start() {
    watch(front) { $0.frontReadable() }
    // A turn in which the timer fires ends like any other.
    timer = loop.timer {}
    loop.atEndOfTurn { [unowned self] in self.assumeIsolated { $0.letGo() } }
  }

  private nonisolated func watch(_ socket: Socket, _ readable: @escaping @Sendable (isolated MessageProxy) -> Void) {
    loop.watch(socket) { [unowned self] in self.assumeIsolated { readable($0) } }
  }

  func stop() {
    loop.unwatch(front)
    for link in links.values { loop.unwatch(link.back) }
    links.removeAll()
  }

  private func frontReadable() {
    while front.take(into: &received) {
      guard received.count == 2, !received.isMalformed, let name = received.userID else { continue }
      let identity = [UInt8](received.frame(0))
      if links[identity] == nil {
        do {
          try connect(identity, as: name)
        } catch {
          counters.withLock { $0.dropped += 1 }
          continue
        }
      }
      handle([UInt8](received.frame(1)), identity, .toMachine)
    }
  }

  private func connect(_ identity: [UInt8], as name: String) throws {
    let keys = try CurveKeyring(directory: map.keyDirectory(of: name)).own
    let socket = try Transport(map: map, clientKeys: keys).dealer(connectingTo: machine)
    links[identity] = Link(back: socket)
    watch(socket) { $0.backReadable(identity) }
  }

  private func backReadable(_ identity: [UInt8]) {
    guard let link = links[identity] else { return }
    while link.back.take(into: &received) {
      guard received.count == 1 else { continue }
      handle([UInt8](received.frame(0)), identity, .fromMachine)
    }
  }

  private func handle(_ body: [UInt8], _ identity: [UInt8], _ direction: Direction) {
    switch tampering.withLock({ $0 }) {
    case .none: forward(body, identity, direction)
    case .hold(let milliseconds):
      counters.withLock { $0.held += 1 }
      hold(body, identity, direction, nanoseconds: Int64(milliseconds) * 1_000_000)
    case .double:
      counters.withLock { $0.doubled += 1 }
      forward(body, identity, direction)
      forward(body, identity, direction)
    case .swap:
      if let earlier = links[identity]?.kept.removeValue(forKey: direction) {
        counters.withLock { $0.swapped += 1 }
        forward(body, identity, direction)
        forward(earlier, identity, direction)
      } else {
        links[identity]?.kept[direction] = body
        hold([], identity, direction, nanoseconds: Self.swapNanoseconds)
      }
    }
  }

  private func hold(_ body: [UInt8], _ identity: [UInt8], _ direction: Direction, nanoseconds: Int64) {
    held.append(
      Held(
        due: MonotonicTime.now().advanced(by: nanoseconds), identity: identity, direction: direction, body: body))
    timer?.set(held[0].due)
  }

  /// Sends what was kept long enough; an empty body stands for the message that waits for another.
  private func letGo() {
    let now = MonotonicTime.now()
    let due = held.prefix { $0.due <= now }
    held.removeFirst(due.count)
    for entry in due {
      if !entry.body.isEmpty {
        forward(entry.body, entry.identity, entry.direction)
      } else if let kept = links[entry.identity]?.kept.removeValue(forKey: entry.direction) {
        forward(kept, entry.identity, entry.direction)
      }
    }
    if let next = held.first { timer?.set(next.due) }
  }

  private func forward(_ body: [UInt8], _ identity: [UInt8], _ direction: Direction) {
    let result = body.withUnsafeBytes { bytes in
      switch direction {
      case .toMachine: links[identity]?.back.offer(bytes) ?? .unreachable
      case .fromMachine: front.offer(to: identity, bytes)
      }
    }
    counters.withLock { if result == .sent { $0.forwarded += 1 } else { $0.dropped += 1 } }
  }
}
