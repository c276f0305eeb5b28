/// One process on its host, whatever it runs.
protocol SimulatedProcess: AnyObject {
  /// Grows with each process of the host.
  var incarnation: UInt32 { get }
  /// A frame for the socket that others connect to, from a peer that the transport has authenticated.
  func arrived(_ frame: [UInt8], from peer: [UInt8], named name: String)
  /// A frame for one of the sockets that this process connected.
  func arrived(_ frame: [UInt8], atSocket index: Int)
  /// There is something new at the authority.
  func authorityHasNews()
  /// Machines have other places than before.
  func placesChanged()
  /// It runs no more; nothing of it happens from now on.
  func kill()
  /// Nothing of it happens until it goes on.
  func pause()
  func resume()
}

/// The name by which a socket's peer knows it: host, process, socket.
struct PeerName {
  var host: Int
  var incarnation: UInt32
  var socket: Int

  var bytes: [UInt8] {
    [UInt8(host)] + (0..<4).map { UInt8(truncatingIfNeeded: incarnation >> (8 * UInt32($0))) } + [UInt8(socket)]
  }

  init(host: Int, incarnation: UInt32, socket: Int) {
    self.host = host
    self.incarnation = incarnation
    self.socket = socket
  }

  init(_ bytes: [UInt8]) {
    host = Int(bytes[0])
    incarnation = (0..<4).reduce(0) { $0 | UInt32(bytes[1 + $1]) << (8 * UInt32($1)) }
    socket = Int(bytes[5])
  }
}

/// What happens to a process happens in order, and only while it runs: a killed one does nothing, a paused one does it
/// later.
struct ProcessLife {
  private(set) var isAlive = true
  private(set) var isPaused = false
  private var waiting: [() -> Void] = []

  mutating func kill() {
    isAlive = false
    waiting.removeAll()
  }
  mutating func pause() { isPaused = true }
  /// What it missed meanwhile.
  mutating func resume() -> [() -> Void] {
    isPaused = false
    defer { waiting.removeAll() }
    return waiting
  }
  /// True when it may happen now.
  mutating func allows(_ action: @escaping () -> Void) -> Bool {
    guard isAlive else { return false }
    if isPaused { waiting.append(action) }
    return !isPaused
  }
}

extension SimulatedProcess {
  func authorityHasNews() {}
}
