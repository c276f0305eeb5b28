import Authority
import Bytes
import Cluster
import Foundation
import Listing
import Logging
import Market
import Messaging

/// One process of a cluster: opens what its name says, serves until it is told to end, and ends in order.
public enum NodeProcess {
  /// Runs the node to its end.
  /// - Throws: whatever keeps it from serving; nothing is half started then.
  public static func run(name: String, dataDirectory: String) throws {
    let map = try ClusterMap.load(dataDirectory: dataDirectory)
    guard let node = map.nodes.first(where: { $0.name == name }) else {
      throw SupervisionError(
        what: name, reason: "no such node; the nodes are \(map.nodes.map(\.name).joined(separator: ", "))")
    }
    // Before any thread starts, so that all inherit it: signals are waited for, never handled.
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGTERM, SIGINT] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)

    let file = try RotatingLog(
      path: "\(map.logDirectory)/\(name).log", limit: map.settings.logRotateMegabytes << 20,
      keep: map.settings.logKeepFiles)
    let level = Logger.Level(rawValue: map.settings.logLevel) ?? .info
    let log = Logger(label: name) { _ in StructuredLogHandler(node: name, level: level, log: file) }
    do {
      let transport = try Transport(map: map, keyring: CurveKeyring(directory: map.keyDirectory(of: node.name)))
      let listing = try Listing(decoding: [UInt8](Data(contentsOf: URL(fileURLWithPath: map.listingFile))))
      let authority = try authority(of: node.name, map, transport, log)
      authority?.start()
      let hosts = NodeHosts(node: name, transport: transport, authority: authority, listing: listing, log: log)
      try hosts.follow(map)
      let metrics = MetricsPublisher(of: node.name, transport, log: log)
      Lifeline.follow()
      serve(hosts, node.name, map, transport, &signals, log)
      metrics?.stop()
      hosts.close()
      if let authority { NodeHosts.blocking { await authority.stop() } }
      log.info("stopped")
    } catch {
      log.critical("cannot serve", metadata: ["reason": "\(error)"])
      throw error
    }
  }

  /// Between looks at the cluster map.
  private static let mapNanoseconds = 50_000_000

  /// Follows the cluster map until a signal asks for the end.
  private static func serve(
    _ hosts: NodeHosts, _ nodeName: String, _ first: ClusterMap, _ transport: Transport, _ signals: inout sigset_t,
    _ log: Logger
  ) {
    var map = first
    var seen = FileStamp(ClusterMap.path(in: map.dataDirectory))
    var wait = timespec(tv_sec: 0, tv_nsec: mapNanoseconds)
    while true {
      let signal = sigtimedwait(&signals, nil, &wait)
      if signal > 0 { return log.info("stopping", metadata: ["signal": "\(signal)"]) }
      let stamp = FileStamp(ClusterMap.path(in: map.dataDirectory))
      guard stamp != seen else { continue }
      seen = stamp
      do {
        let newer = try ClusterMap.load(dataDirectory: map.dataDirectory)
        guard newer != map else { continue }
        map = newer
        guard let node = map.nodes.first(where: { $0.name == nodeName }) else { continue }
        transport.follow(map, try CurveKeyring(directory: map.keyDirectory(of: node.name)))
        try hosts.follow(map)
      } catch {
        log.error("cannot follow the cluster map", metadata: ["reason": "\(error)"])
      }
    }
  }

  private static func authority(
    of node: String, _ map: ClusterMap, _ transport: Transport, _ log: Logger
  ) throws -> NodeAuthority? {
    let settings = map.settings.authority ?? AuthoritySettings()
    let authority: any Authority
    switch settings.kind {
    case .etcd: authority = try EtcdAuthority(settings.etcd())
    case .supervisor:
      guard map.endpoint(of: .supervisor) != nil else { return nil }
      authority = try SupervisorAuthority(socket: transport.authorityDealer())
    }
    return NodeAuthority(authority, node: node, leaseMilliseconds: settings.leaseMilliseconds, log: log)
  }

  #if NOVATION_PLANT
    /// Runs a node of a test build with bugs.
    public static func run(name: String, dataDirectory: String, bugs: [PlantedBug]) throws {
      PlantedBug.plantInProcess(bugs)
      try run(name: name, dataDirectory: dataDirectory)
    }
  #endif
}

/// Tells one state of a file from another.
struct FileStamp: Equatable {
  private var inode: UInt64 = 0
  private var seconds = 0
  private var nanoseconds = 0

  init(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    inode = UInt64(status.st_ino)
    seconds = status.st_mtim.tv_sec
    nanoseconds = status.st_mtim.tv_nsec
  }
}
