import Authority
import Cluster
import Foundation
import Logging
import Market

/// Keeps the processes of a cluster alive: starts them, starts again those that end unasked, and stops them in order.
/// Call it from one thread.
public final class Supervisor {
  private struct Entry {
    var node: ClusterMap.Node
    var child: ChildProcess?
    var startedAt = Date.distantPast
    var notBefore = Date.distantPast
    var restarts = 0
    var isHeld = false
  }

  /// Order of start; stopping goes the other way, so that sources outlive what consumes them.
  private static let startOrder: [ClusterMap.Role] = [.settlement, .risk, .matcher, .marks, .gateway, .verifier]
  /// A process that lived this long is started again at once; one that did not waits longer each time.
  private static let settledSeconds = 5.0
  private static let longestDelaySeconds = 2.0
  private static let stopSeconds = 20.0
  /// Time that a copy has to take over from a process that died.
  private static let takeoverSeconds = 0.3

  /// The cluster as it is now: other commands may change its map.
  public private(set) var map: ClusterMap
  private var mapStamp: FileStamp
  private let executable: String
  private let extraArguments: [String]
  /// How nodes are started that are not started plainly, by name.
  private var launches: [String: NodeLaunch]
  /// Who answers for who owns what; told of every start and end.
  private let authority: AuthorityServer?
  private let deaths: DeathWatch
  private let poison: PoisonWatch?
  /// Called with a newer map, before nodes that joined it are started.
  private let onNewMap: (ClusterMap) -> Void
  private let log: Logger
  private var entries: [Entry]
  private var isStopping = false

  /// - Parameters:
  ///   - extraArguments: passed to every node (planted bugs of a test build).
  ///   - poison: told of processes that died by their own doing.
  init(
    map: ClusterMap, executable: String, extraArguments: [String] = [], launches: [String: NodeLaunch] = [:],
    authority: AuthorityServer? = nil, poison: PoisonWatch? = nil,
    onNewMap: @escaping (ClusterMap) -> Void = { _ in }, log: Logger
  ) {
    self.map = map
    self.onNewMap = onNewMap
    mapStamp = FileStamp(ClusterMap.path(in: map.dataDirectory))
    self.authority = authority
    self.poison = poison
    deaths = DeathWatch { authority?.nodeEnded($0) }
    self.launches = launches
    self.executable = executable
    self.extraArguments = extraArguments
    self.log = log
    entries = Self.startOrder.flatMap { role in map.nodes.filter { $0.role == role } }.map { Entry(node: $0) }
  }

  /// Restarts so far, by node.
  public var restarts: [String: Int] { Dictionary(uniqueKeysWithValues: entries.map { ($0.node.name, $0.restarts) }) }

  public func identifier(of node: String) -> pid_t? { entries.first { $0.node.name == node }?.child?.identifier }

  /// Keeps a node from being started again once it ends, or lets it.
  public func hold(_ node: String, _ isHeld: Bool = true) {
    for index in entries.indices where entries[index].node.name == node { entries[index].isHeld = isHeld }
  }

  /// How a node is started from now on.
  public func launch(_ node: String, as launch: NodeLaunch) { launches[node] = launch }

  public func startAll() throws(SupervisionError) {
    for index in entries.indices { try start(index) }
  }

  private func start(_ index: Int) throws(SupervisionError) {
    let node = entries[index].node
    let output = "\(map.dataDirectory)/logs/\(node.name).out"
    authority?.nodeStarted(node.name)
    let started = try ChildProcess.start(
      name: node.name, executable: executable,
      arguments: ["node", node.name, "--data", map.dataDirectory] + extraArguments, output: .file(output),
      launch: launches[node.name] ?? NodeLaunch())
    entries[index].child = started.child
    entries[index].startedAt = Date()
    deaths.watch(node.name, started.child.identifier)
    log.info("started", metadata: ["process": "\(node.name)", "pid": "\(started.child.identifier)"])
  }

  /// Reaps what ended and starts it again when its time has come. Call it many times a second.
  public func tend() throws(SupervisionError) {
    guard !isStopping else { return }
    followMap()
    for index in entries.indices {
      if let child = entries[index].child, let ending = child.reap() {
        entries[index].child = nil
        entries[index].restarts += 1
        let lived = Date().timeIntervalSince(entries[index].startedAt)
        let delay = Self.delay(
          lived: lived, restarts: entries[index].restarts, hasCopies: hasCopies(entries[index].node))
        entries[index].notBefore = Date().addingTimeInterval(delay)
        // Before it is started again: its successor blanks what it noted.
        poison?.ended(entries[index].node, isFault: ending.isFault, in: map)
        log.warning("ended", metadata: ["process": "\(child.name)", "how": "\(ending.text)"])
      }
      if entries[index].child == nil, !entries[index].isHeld, Date() >= entries[index].notBefore { try start(index) }
    }
  }

  /// Seconds until a process is started again. What its node owned is taken over by a copy, where there is one, before
  /// the node comes back to claim it, however short the process lived.
  static func delay(lived: Double, restarts: Int, hasCopies: Bool) -> Double {
    let rest = lived > settledSeconds ? 0 : min(longestDelaySeconds, 0.1 * Double(restarts))
    return max(rest, hasCopies ? takeoverSeconds : 0)
  }

  /// Whether another node has a copy of something that this one hosts.
  private func hasCopies(_ node: ClusterMap.Node) -> Bool {
    (node.hosts + (node.standbys ?? [])).contains { host in
      MachineID(name: host).map { map.nodes(holding: $0).count > 1 } ?? false
    }
  }

  /// Starts nodes that joined the map, and ends those that left it.
  private func followMap() {
    let stamp = FileStamp(ClusterMap.path(in: map.dataDirectory))
    guard stamp != mapStamp else { return }
    mapStamp = stamp
    guard let newer = try? ClusterMap.load(dataDirectory: map.dataDirectory), newer != map else { return }
    map = newer
    onNewMap(newer)
    for index in entries.indices.reversed() {
      if let node = map.nodes.first(where: { $0.name == entries[index].node.name }) {
        entries[index].node = node
      } else {
        log.info("removed", metadata: ["process": "\(entries[index].node.name)"])
        if let child = entries[index].child {
          child.send(SIGTERM)
          if child.wait(seconds: Self.stopSeconds) == nil { child.send(SIGKILL) }
        }
        entries.remove(at: index)
      }
    }
    for node in map.nodes where !entries.contains(where: { $0.node.name == node.name }) {
      entries.append(Entry(node: node))
    }
  }

  /// Stops everything: asks each process to end in order, and ends those that do not.
  /// - Returns: names of processes that did not end cleanly.
  public func stopAll() -> [String] {
    isStopping = true
    var unclean: [String] = []
    for role in Self.startOrder.reversed() {
      let indices = entries.indices.filter { entries[$0].node.role == role && entries[$0].child != nil }
      for index in indices { entries[index].child?.send(SIGTERM) }
      for index in indices {
        guard let child = entries[index].child else { continue }
        if let ending = child.wait(seconds: Self.stopSeconds) {
          if !ending.isClean { unclean.append("\(child.name) \(ending.text)") }
        } else {
          child.send(SIGKILL)
          _ = child.wait(seconds: 5)
          unclean.append("\(child.name) did not end and was killed")
        }
        entries[index].child = nil
      }
    }
    return unclean
  }
}
