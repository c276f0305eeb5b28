import Bytes
import Cluster
import Foundation
import GatewayNode
import Journal
import Listing
import Logging
import MarkNode
import Market
import MatcherNode
import Messaging
import RiskNode
import SettlementNode
import VerifierNode

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
      // The transport answers for who may connect as long as it lives.
      try withExtendedLifetime(transport) {
        let hosted = try open(node, map, transport, log)
        let metrics = MetricsPublisher(of: node.name, transport, log: log)
        followLifeline()
        var signal: Int32 = 0
        sigwait(&signals, &signal)
        log.info("stopping", metadata: ["signal": "\(signal)"])
        metrics?.stop()
        for host in hosted { blocking { await host.stop() } }
        for host in hosted { host.loop.stop() }
      }
      log.info("stopped")
    } catch {
      log.critical("cannot serve", metadata: ["reason": "\(error)"])
      throw error
    }
  }

  #if NOVATION_PLANT
    /// Runs a node of a test build with bugs.
    public static func run(name: String, dataDirectory: String, bugs: [PlantedBug]) throws {
      PlantedBug.plantInProcess(bugs)
      try run(name: name, dataDirectory: dataDirectory)
    }
  #endif

  /// Something with a loop that serves until stopped.
  private struct Hosted {
    var loop: SocketLoop
    var stop: @Sendable () async -> Void
    func stop() async { await stop() }
  }

  private static func open(
    _ node: ClusterMap.Node, _ map: ClusterMap, _ transport: Transport, _ log: Logger
  ) throws -> [Hosted] {
    let listing = try Listing(decoding: [UInt8](Data(contentsOf: URL(fileURLWithPath: map.listingFile))))
    var configuration = HostConfiguration()
    configuration.journal = JournalConfiguration(mapSize: map.settings.journalMapGigabytes << 30)
    configuration.snapshotEvery = UInt64(map.settings.snapshotEvery)
    return try node.hosts.map { name in
      guard let machine = MachineID(name: name), let kind = machine.kind else {
        throw SupervisionError(what: node.name, reason: "it is to host '\(name)', which is no machine")
      }
      let loop = try SocketLoop(name: name)
      switch kind {
      case .shard:
        let host = try MatcherNode.host(
          machine, on: loop, map: map, node: node.name, market: listing.market, transport: transport,
          configuration: configuration, log: log)
        blocking { await host.start() }
        return Hosted(loop: loop, stop: { await host.stop() })
      case .risk:
        let host = try RiskNode.host(
          on: loop, map: map, node: node.name, market: listing.market, transport: transport,
          configuration: configuration, log: log)
        blocking { await host.start() }
        return Hosted(loop: loop, stop: { await host.stop() })
      case .settlement:
        let host = try SettlementNode.host(
          on: loop, map: map, node: node.name, market: listing.market, transport: transport,
          configuration: configuration, log: log)
        blocking { await host.start() }
        return Hosted(loop: loop, stop: { await host.stop() })
      case .marks:
        let marks = try MarkNode(
          on: loop, map: map, node: node.name, listing: listing, seed: UInt64(map.settings.marksSeed),
          intervalMilliseconds: map.settings.marksIntervalMilliseconds, transport: transport, log: log)
        blocking { await marks.start() }
        return Hosted(loop: loop, stop: { await marks.stop() })
      case .gateway:
        var limits = GatewayConfiguration()
        limits.clientSilenceMilliseconds = map.settings.clientSilenceMilliseconds
        let gateway = try GatewayNode(
          machine, on: loop, map: map, node: node.name, market: listing.market, transport: transport,
          configuration: limits, log: log)
        blocking { await gateway.start() }
        return Hosted(loop: loop, stop: { await gateway.stop() })
      case .verifier:
        let verifier = try VerifierNode(
          machine, on: loop, map: map, node: node.name, market: listing.market, transport: transport, log: log)
        blocking { await verifier.start() }
        return Hosted(loop: loop, stop: { await verifier.stop() })
      case .supervisor:
        throw SupervisionError(what: node.name, reason: "a supervisor is not hosted")
      }
    }
  }

  /// Ends this process when the supervisor that started it is gone: a cluster without its supervisor is not left
  /// behind.
  private static func followLifeline() {
    guard ProcessInfo.processInfo.environment[ChildProcess.lifelineVariable] != nil else { return }
    Thread.detachNewThread {
      var byte: UInt8 = 0
      while read(0, &byte, 1) > 0 {}
      kill(getpid(), SIGTERM)
    }
  }

  /// Waits, on a thread that is not the pool's, for something that runs on a loop.
  private static func blocking(_ body: @escaping @Sendable () async -> Void) {
    let done = DispatchSemaphore(value: 0)
    Task.detached {
      await body()
      done.signal()
    }
    done.wait()
  }
}
