import Authority
import Cluster
import Foundation
import Listing
import Logging
import Market
import Messaging

/// A cluster on this machine, from its data directory to its last process.
public final class LocalCluster {
  public let map: ClusterMap
  public let listing: Listing
  public let supervisor: Supervisor
  public let client: ClusterClient
  private let authority: AuthorityServer?
  /// Where machines have copies, as the supervisor knows it.
  private let placement: CurrentMap
  /// Admits the nodes as long as it lives.
  private let transport: Transport?
  private let lock: SupervisorLock

  /// Seconds in which every process must answer after the start.
  private static let startSeconds = 60.0

  /// Prepares the directory and starts every process; nothing runs when it throws.
  /// - Parameters:
  ///   - nodeArguments: passed to every node.
  ///   - launches: how nodes are started that are not started plainly, by name.
  public init(
    directory: ClusterDirectory, executable: String, nodeArguments: [String] = [],
    launches: [String: NodeLaunch] = [:]
  ) throws {
    try FileManager.default.createDirectory(
      atPath: directory.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    lock = try SupervisorLock(dataDirectory: directory.path)
    (map, listing) = try directory.prepare()
    let file = try RotatingLog(path: "\(map.logDirectory)/supervisor.log")
    let level = directory.configuration.logLevel
    let log = Logger(label: "supervisor") { _ in StructuredLogHandler(node: "supervisor", level: level, log: file) }
    let placement = CurrentMap(map)
    self.placement = placement
    if map.endpoint(of: .supervisor) == nil || map.settings.authority?.kind == .etcd {
      authority = nil
      transport = nil
    } else {
      let keyring = try CurveKeyring(directory: map.keyDirectory(of: ClusterDirectory.operatorName))
      let transport = try Transport(map: map, keyring: keyring)
      authority = try AuthorityServer(
        socket: transport.authorityRouter(), path: "\(directory.path)/authority",
        placement: { placement.holders(of: $0) }, log: log)
      self.transport = transport
    }
    let admitting = transport
    supervisor = Supervisor(
      map: map, executable: executable, extraArguments: nodeArguments, launches: launches, authority: authority,
      poison: PoisonWatch(limit: directory.configuration.quarantineAfter, market: listing.market, log: log),
      onNewMap: { map in
        placement.follow(map)
        // A node that joined is admitted before it asks.
        let directory = map.keyDirectory(of: ClusterDirectory.operatorName)
        if let keyring = try? CurveKeyring(directory: directory) { admitting?.follow(map, keyring) }
      }, log: log)
    client = try ClusterClient(dataDirectory: directory.path)
    do {
      try supervisor.startAll()
      try waitUntilServing()
    } catch {
      _ = supervisor.stopAll()
      throw error
    }
  }

  /// Waits until every process answers; one that ends meanwhile fails the start.
  private func waitUntilServing() throws {
    let deadline = Date().addingTimeInterval(Self.startSeconds)
    for machine in map.machines {
      while true {
        try supervisor.tend()
        if let failed = supervisor.restarts.first(where: { $0.value > 2 }) {
          throw SupervisionError(
            what: failed.key, reason: "it does not stay up; see \(map.logDirectory)/\(failed.key).log and .out")
        }
        if let status = try? client.status(of: machine, timeoutSeconds: 0.25), status.role == "owner" { break }
        guard Date() < deadline else {
          throw SupervisionError(
            what: machine.description, reason: "it does not answer; see the logs in \(map.logDirectory)")
        }
      }
    }
  }

  /// Waits until the settlement layer has made final what happened before the call, at most `seconds`.
  /// - Returns: the last final epoch.
  @discardableResult
  public func waitUntilSettled(seconds: Double) throws -> UInt32 {
    let deadline = Date().addingTimeInterval(seconds)
    var wanted: UInt32?
    while true {
      try supervisor.tend()
      if let status = try? client.status(of: .settlement) {
        let final = UInt32(clamping: status.figures["finalEpoch"] ?? 0)
        // One epoch more than the open one: what crossed between machines is in it.
        if wanted == nil { wanted = status.epoch + 1 }
        if let wanted, final >= wanted { return final }
        if let stopped = status.texts["stopped"], !stopped.isEmpty {
          throw SupervisionError(what: "settlement", reason: "it posts no more: \(stopped)")
        }
        guard Date() < deadline else {
          throw SupervisionError(
            what: "settlement",
            reason: "epoch \(wanted ?? 0) is not final after \(seconds) s; the last final is \(final)")
        }
      }
      usleep(50_000)
    }
  }

  /// Stops every process in order.
  public func stop() -> [String] {
    defer { authority?.stop() }
    return supervisor.stopAll()
  }
}

/// At most one supervisor lives on a data directory: it holds this lock and its file names it.
final class SupervisorLock {
  private let descriptor: Int32
  private let path: String

  static func path(in dataDirectory: String) -> String { "\(dataDirectory)/supervisor.pid" }

  init(dataDirectory: String) throws {
    path = Self.path(in: dataDirectory)
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SupervisionError(what: path, reason: String(cString: strerror(errno))) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let holder = Self.holder(dataDirectory: dataDirectory).map { " (process \($0))" } ?? ""
      close(descriptor)
      throw SupervisionError(
        what: dataDirectory, reason: "a cluster runs here already\(holder); stop it with cluster/stop")
    }
    ftruncate(descriptor, 0)
    let text = [UInt8]("\(getpid())\n".utf8)
    _ = write(descriptor, text, text.count)
  }

  deinit {
    ftruncate(descriptor, 0)
    close(descriptor)
  }

  /// The supervisor that runs there now.
  static func holder(dataDirectory: String) -> pid_t? {
    guard let text = try? String(contentsOfFile: path(in: dataDirectory), encoding: .utf8) else { return nil }
    return pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)).flatMap { kill($0, 0) == 0 ? $0 : nil }
  }
}
