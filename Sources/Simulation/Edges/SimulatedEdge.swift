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
  /// Machines that it has a socket to; frames arrive by the place in this list.
  let peers: [MachineID]
  private var life = ProcessLife()
  var frame = ByteWriter(capacity: 1 << 12)

  init(_ machine: MachineID, on cluster: SimulatedCluster, host: Int, incarnation: UInt32, peers: [MachineID]) {
    self.machine = machine
    self.cluster = cluster
    self.host = host
    self.incarnation = incarnation
    self.peers = peers
  }

  /// Does what is due, and says when it next wants to.
  /// - Returns: nanoseconds until then.
  func work() -> Int64 { preconditionFailure("each edge has work of its own") }
  /// A frame from one of its sockets.
  func received(_ kind: FrameKind, _ body: inout ByteReader, from machine: MachineID) {}

  final func begin() {
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
        guard let opened = Frame.open(bytes) else { return }
        var body = opened.body
        received(opened.kind, &body, from: peers[index])
      }
    }
  }

  /// Sends the frame at hand.
  @discardableResult final func send(to machine: MachineID) -> Socket.SendResult {
    guard let socket = peers.firstIndex(of: machine) else { return .unreachable }
    return cluster.send(
      [UInt8](frame.bytes), from: PeerName(host: host, incarnation: incarnation, socket: socket), toMachine: machine)
  }

  final var wall: Timestamp { cluster.hosts[host].clock.wall(cluster.time) }
}
