import Cluster
import Foundation
import Market
import Wire

/// The cluster that a drill disturbs: one of its own, or one that somebody else supervises.
public final class DrillCluster {
  /// As it was when the cluster started, or was followed last.
  public private(set) var map: ClusterMap
  public private(set) var client: ClusterClient
  /// Absent where somebody else supervises.
  let own: LocalCluster?

  init(_ own: LocalCluster) {
    self.own = own
    map = own.map
    client = own.client
  }

  /// Finds the cluster that runs on a data directory.
  init(running dataDirectory: String) throws {
    own = nil
    client = try ClusterClient(dataDirectory: dataDirectory)
    map = client.map
  }

  /// Takes the map as it is now, where machines or nodes may have moved.
  func followMap() throws {
    let newest = try ClusterMap.load(dataDirectory: map.dataDirectory)
    guard newest != map else { return }
    map = newest
    client = try ClusterClient(dataDirectory: map.dataDirectory)
  }

  /// Lets the supervisor look after its processes.
  func tend() throws { try own?.supervisor.tend() }

  func status(of machine: MachineID, seconds: Double = 0.5) -> HostStatus? {
    try? client.status(of: machine, timeoutSeconds: seconds)
  }

  /// What one copy of a machine says of itself.
  func status(of machine: MachineID, on node: String, seconds: Double = 0.05) -> HostStatus? {
    guard let bytes = try? client.connection(to: machine, on: node).query(.status, machine, timeoutSeconds: seconds)
    else { return nil }
    return try? JSONDecoder().decode(HostStatus.self, from: Data(bytes))
  }

  /// What the owner of a machine says of itself, of its copies the one of the highest term that takes itself for it.
  func owner(of machine: MachineID) -> HostStatus? {
    client.statuses(ofCopiesOf: machine, timeoutSeconds: 0.5).filter { $0.role == "owner" }
      .max { $0.term < $1.term }
  }

  /// The process that a node is now.
  func process(of node: String) -> pid_t? {
    if let own { return own.supervisor.identifier(of: node) }
    return machine(of: node).flatMap { status(of: $0) }?.processIdentifier
  }

  func restarts(of node: String) -> Int { own?.supervisor.restarts[node] ?? 0 }

  func node(_ name: String) throws -> ClusterMap.Node {
    guard let node = map.nodes.first(where: { $0.name == name }) else {
      throw SupervisionError(what: name, reason: "this cluster has no such node")
    }
    return node
  }

  func nodes(_ role: ClusterMap.Role) -> [ClusterMap.Node] { map.nodes.filter { $0.role == role } }

  /// The first machine that a node hosts.
  func machine(of node: String) -> MachineID? {
    map.nodes.first { $0.name == node }?.hosts.first.flatMap { MachineID(name: $0) }
  }

  /// Places of the shards that a node hosts; of all where it hosts none, since then all depend on it.
  func shards(of node: String) -> [Int] {
    let hosted = (map.nodes.first { $0.name == node }?.hosts ?? []).compactMap { MachineID(name: $0)?.shard }
    return hosted.isEmpty ? Array(0..<map.shardCount) : hosted.map { Int($0.rawValue) }
  }

  /// Lines of a node's log, and of what it printed, that hold all of `words`.
  func logLines(of node: String, with words: String...) -> Int {
    [".log", ".out"].reduce(0) { sum, end in
      let text = (try? String(contentsOfFile: "\(map.logDirectory)/\(node)\(end)", encoding: .utf8)) ?? ""
      return sum + text.split(separator: "\n").count { line in words.allSatisfy { line.contains($0) } }
    }
  }
}
