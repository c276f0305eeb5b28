import Foundation

/// An etcd of one member on this machine, for a drill's cluster.
final class EtcdServer {
  let endpoint: String
  let port: Int
  private let directory: String
  private let peerPort: Int
  private var child: ChildProcess?

  private static let startSeconds = 15.0

  /// - Parameters:
  ///   - directory: where its data go.
  ///   - address: where clients reach it; it is bound to every address.
  init(directory: String, address: String) throws {
    self.directory = directory
    (port, peerPort) = try (Self.freePort(), Self.freePort())
    endpoint = "http://\(address):\(port)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try start()
  }

  var process: pid_t? { child?.identifier }

  /// Starts it, also again on the data that it left.
  func start() throws {
    guard let program = Shell.path(of: "etcd") else { throw SupervisionError(what: "etcd", reason: "not installed") }
    child = try ChildProcess.start(
      name: "etcd", executable: program,
      arguments: [
        "--name", "drill", "--data-dir", "\(directory)/data", "--listen-client-urls", "http://0.0.0.0:\(port)",
        "--advertise-client-urls", endpoint, "--listen-peer-urls", "http://127.0.0.1:\(peerPort)",
        "--initial-advertise-peer-urls", "http://127.0.0.1:\(peerPort)", "--initial-cluster",
        "drill=http://127.0.0.1:\(peerPort)", "--election-timeout", "500", "--heartbeat-interval", "50",
      ], output: .file("\(directory)/etcd.out"),
      // It ends with this process, however that ends.
      launch: NodeLaunch(prefix: Shell.path(of: "setpriv").map { [$0, "--pdeathsig", "KILL"] } ?? [])
    ).child
    let end = Date().addingTimeInterval(Self.startSeconds)
    while !isListening {
      guard child?.reap() == nil, Date() < end else {
        throw SupervisionError(what: "etcd", reason: "it does not come up; see \(directory)/etcd.out")
      }
      usleep(20_000)
    }
  }

  private var isListening: Bool { (try? RawConnection("tcp://127.0.0.1:\(port)")) != nil }

  func signal(_ signal: Int32) { child?.send(signal) }

  /// Kills it and waits for its end.
  func kill() {
    child?.send(SIGKILL)
    _ = child?.wait(seconds: 5)
    child = nil
  }

  /// Kills it and removes its data.
  func remove() throws {
    kill()
    try FileManager.default.removeItem(atPath: directory)
  }

  /// A port that was free a moment ago.
  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else { throw SupervisionError(what: "etcd", reason: "no free port") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
