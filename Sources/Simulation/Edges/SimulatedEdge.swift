import Bytes
import Market
import Messaging
import Wire

/// A process without a journal: sockets to machines, a timer, and a clock.
class SimulatedEdge: SimulatedProcess {
  let machine: MachineID
  let host: Int
  let incarnation: UInt32
  unowned let cluster: SimulatedCluster
  /// Machines that it speaks to.
  private var links: [SimulatedLink]
  private var nextSocket = 0
  private var life = ProcessLife()
  var frame = ByteWriter(capacity: 1 << 12)

  init(_ machine: MachineID, on cluster: SimulatedCluster, host: Int, incarnation: UInt32, peers: [MachineID]) {
    self.machine = machine
    self.cluster = cluster
    self.host = host
    self.incarnation = incarnation
    links = peers.map { SimulatedLink(to: $0) }
    followPlaces()
  }

  private func followPlaces() {
    for index in links.indices { links[index].follow(cluster.copies(of: links[index].machine), &nextSocket) }
  }

  func placesChanged() { happen { [unowned self] in followPlaces() } }

  /// Does what is due, and says when it next wants to.
  /// - Returns: nanoseconds until then.
  func work() -> Int64 { preconditionFailure("each edge has work of its own") }
  /// A frame from one of its sockets.
  func received(_ kind: FrameKind, _ body: inout ByteReader, from machine: MachineID) {}

  final func begin() {
    for index in links.indices {
      let peer = links[index].machine
      links[index].tend(at: cluster.time.now) {
        send([Frame.version, FrameKind.whoOwns.rawValue], at: $0, to: peer, on: $1)
      }
    }
    let wait = work()
    after(wait) { [unowned self] in begin() }
  }

  final func after(_ delay: Int64, _ action: @escaping () -> Void) {
    cluster.time.schedule(after: delay) { [weak self] in self?.happen(action) }
  }

  private func happen(_ action: @escaping () -> Void) {
    if life.allows(action) { action() }
  }

  func kill() { life.kill() }
  func pause() { life.pause() }
  func resume() { for action in life.resume() where life.isAlive { action() } }

  func arrived(_ frame: [UInt8], from peer: [UInt8], named name: String) {}

  func arrived(_ frame: [UInt8], atSocket index: Int) {
    happen { [unowned self] in
      frame.withUnsafeBytes { bytes in
        guard let opened = Frame.open(bytes), let link = links.firstIndex(where: { $0.holds(index) }) else { return }
        var body = opened.body
        if opened.kind == .ownership {
          let notice = OwnershipNotice(from: &body)
          if body.isExhausted { _ = links[link].heard(notice, at: index) }
        } else {
          received(opened.kind, &body, from: links[link].machine)
        }
      }
    }
  }

  /// Sends the frame at hand.
  @discardableResult final func send(to machine: MachineID) -> Socket.SendResult {
    guard let link = links.firstIndex(where: { $0.machine == machine }) else { return .unreachable }
    let bytes = [UInt8](frame.bytes)
    return links[link].offer { send(bytes, at: $0, to: machine, on: $1) }
  }

  private func send(_ bytes: [UInt8], at socket: Int, to machine: MachineID, on other: Int) -> Socket.SendResult {
    cluster.send(bytes, from: PeerName(host: host, incarnation: incarnation, socket: socket), to: machine, on: other)
  }

  final var wall: Timestamp { cluster.hosts[host].clock.wall(cluster.time) }
}
