import Authority
import Foundation
import Logging
import Messaging
import Synchronization

/// The supervisor's server on a port of this host.
final class SupervisorStage: AuthorityStage {
  let leaseMilliseconds = 300
  let noticeMilliseconds = 300
  let directory = TemporaryDirectory()
  private let context: ZeroMQContext
  private let port: Int
  private let proxy: TCPProxy
  private let running: Mutex<AuthorityServer?>
  private let clients = Mutex<[SupervisorAuthority]>([])

  init() throws {
    context = try ZeroMQContext()
    port = try LocalPort.free(1)[0]
    proxy = try TCPProxy(to: port)
    running = Mutex(nil)
    try start()
  }

  var file: String { "\(directory.path)/authority.bin" }
  var server: AuthorityServer { running.withLock { $0! } }

  private func start() throws {
    let socket = try Socket(context, .router)
    try socket.bind("tcp://127.0.0.1:\(port)")
    let server = try AuthorityServer(socket: socket, path: file, log: Logger(label: "authority"))
    running.withLock { $0 = server }
  }

  func client() throws -> any Authority { try client(port: port) }
  func disturbedClient() throws -> any Authority { try client(port: proxy.port) }

  private func client(port: Int) throws -> any Authority {
    let socket = try Socket(context, .dealer)
    try socket.connect("tcp://127.0.0.1:\(port)")
    let client = try SupervisorAuthority(socket: socket, timeLimitMilliseconds: 700)
    clients.withLock { $0.append(client) }
    return client
  }

  /// A bare connection to the server.
  func socket() throws -> Socket {
    let socket = try Socket(context, .dealer)
    try socket.connect("tcp://127.0.0.1:\(port)")
    return socket
  }

  func disturb(_ disturbance: TCPProxy.Mode) {
    if disturbance == .open { proxy.heal() } else { proxy.set(disturbance) }
  }
  var lost: Int { proxy.lost }

  func restart() async throws {
    stop()
    // ZeroMQ gives the port back a moment after the socket has gone.
    var failure: (any Error)?
    for _ in 0..<200 {
      do { return try start() } catch { failure = error }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw failure!
  }

  private func stop() {
    let server = running.withLock { running in
      defer { running = nil }
      return running
    }
    server?.stop()
  }

  func end() {
    for client in clients.withLock({ $0 }) { client.close() }
    stop()
    proxy.end()
  }
}
