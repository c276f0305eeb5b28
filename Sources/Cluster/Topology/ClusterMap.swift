import Authority
import Foundation
import Market

/// Who is where: every process of a cluster, the machines and edges it hosts, and how to reach and recognise them.
/// Written by the supervisor as `cluster.json` in the data directory; everything else reads it.
public struct ClusterMap: Codable, Sendable, Hashable {
  public static let currentVersion = 1

  /// One OS process.
  public struct Node: Codable, Sendable, Hashable {
    /// For example `matcher-0`, `risk`, `gateway-0`; also the name of its CURVE key.
    public var name: String
    public var role: Role
    /// Names of the machines and edges it hosts, each with an endpoint in `endpoints`.
    public var hosts: [String]
    /// Names of machines of which it holds a copy that follows their owner.
    public var standbys: [String]?
    /// Its CURVE public key, 64 hexadecimal digits.
    public var publicKey: String

    public init(name: String, role: Role, hosts: [String], standbys: [String]? = nil, publicKey: String) {
      self.name = name
      self.standbys = standbys
      self.role = role
      self.hosts = hosts
      self.publicKey = publicKey
    }
  }

  public enum Role: String, Codable, Sendable, CaseIterable {
    case matcher, risk, settlement, marks, gateway, verifier
  }

  public var version: Int
  /// Absolute path of the data directory.
  public var dataDirectory: String
  public var nodes: [Node]
  /// ZeroMQ endpoint of each machine or edge, by name.
  public var endpoints: [String: String]
  /// Where a machine or edge binds, by name, if that is not its endpoint: a service name reaches it from elsewhere, but
  /// it binds to every address of its own host.
  public var bindings: [String: String]?
  /// Where each node tells Prometheus about itself: `HOST:PORT` by node; absent where nothing is told.
  public var metrics: [String: String]?
  /// Key of the command line's own sockets.
  public var operatorPublicKey: String
  /// Shards in all.
  public var shardCount: Int
  public var settings: Settings

  /// What every node needs to know beyond its place.
  public struct Settings: Codable, Sendable, Hashable {
    public var logLevel = "info"
    public var logRotateMegabytes = 16
    public var logKeepFiles = 4
    public var journalMapGigabytes = 64
    public var snapshotEvery = 250_000
    /// Bytes kept free, and what a journal keeps for auditors; absent in maps of older builds.
    public var journalHeadroomBytes: Int?
    public var journalRetainEntries: Int?
    public var journalRetainHours: Int?
    public var marksIntervalMilliseconds = 500
    public var marksSeed = 1
    /// A client silent for so long has ended its session; a gateway, those of all its clients.
    public var clientSilenceMilliseconds = 3_000
    public var gatewaySilenceMilliseconds = 5_000
    /// Who says which node owns which machine; absent in maps of older builds.
    public var authority: AuthoritySettings? = AuthoritySettings()
    public init() {}
  }

  public init(
    dataDirectory: String, nodes: [Node], endpoints: [String: String], bindings: [String: String]? = nil,
    operatorPublicKey: String, shardCount: Int, settings: Settings
  ) {
    version = Self.currentVersion
    self.dataDirectory = dataDirectory
    self.nodes = nodes
    self.endpoints = endpoints
    self.bindings = bindings
    self.operatorPublicKey = operatorPublicKey
    self.shardCount = shardCount
    self.settings = settings
  }

  /// The node that hosts a machine.
  public func node(hosting machine: MachineID) -> Node? { nodes.first { $0.hosts.contains(machine.description) } }
  /// Where others reach it.
  public func endpoint(of machine: MachineID) -> String? { endpoints[machine.description] }
  /// Where it binds.
  public func binding(of machine: MachineID) -> String? {
    bindings?[machine.description] ?? endpoint(of: machine)
  }
  /// The nodes that hold a copy of a machine: the one that it is at home on, and its standbys'.
  public func nodes(holding machine: MachineID) -> [Node] {
    let name = machine.description
    return nodes.filter { $0.hosts.contains(name) || $0.standbys?.contains(name) == true }
  }
  /// Name under which the operator's key is admitted.
  public static let operatorName = "operator"

  /// Name of the copy of a machine that a node holds; at home that of the machine itself.
  public static func copy(of machine: MachineID, on node: String) -> String { "\(machine)@\(node)" }

  /// Where others reach the copy that a node holds, and where that binds.
  public func endpoint(of machine: MachineID, on node: Node) -> String? {
    endpoints[Self.copy(of: machine, on: node.name)]
      ?? (node.hosts.contains(machine.description) ? endpoint(of: machine) : nil)
  }
  public func binding(of machine: MachineID, on node: Node) -> String? {
    bindings?[Self.copy(of: machine, on: node.name)]
      ?? (node.hosts.contains(machine.description) && endpoints[Self.copy(of: machine, on: node.name)] == nil
        ? binding(of: machine) : endpoint(of: machine, on: node))
  }
  /// Every machine or edge with an endpoint, in order.
  public var machines: [MachineID] {
    nodes.flatMap { node in node.hosts.compactMap { MachineID(name: $0) } }.sorted()
  }
  public var shards: [ShardID] { (0..<UInt16(shardCount)).map { ShardID($0) } }

  /// Where the journal of a machine lies.
  public func journalDirectory(of machine: MachineID) -> String { "\(dataDirectory)/journal/\(machine)" }
  /// Where the journal of the copy lies that a node holds: each copy has its own.
  public func journalDirectory(of machine: MachineID, on node: Node) -> String {
    endpoints[Self.copy(of: machine, on: node.name)] == nil
      ? journalDirectory(of: machine) : "\(dataDirectory)/journal/\(Self.copy(of: machine, on: node.name))"
  }
  /// Where journals of the machine lie: of its copies of now, and of copies that once were. The place of its home is
  /// the only one while there is none.
  public func journalDirectories(of machine: MachineID) -> [String] {
    let found = (try? FileManager.default.contentsOfDirectory(atPath: "\(dataDirectory)/journal")) ?? []
    let own = found.filter { $0 == machine.description || $0.hasPrefix("\(machine)@") }.sorted()
    return own.isEmpty ? [journalDirectory(of: machine)] : own.map { "\(dataDirectory)/journal/\($0)" }
  }
  public var ledgerDirectory: String { "\(dataDirectory)/ledger" }
  public var keyDirectory: String { "\(dataDirectory)/keys" }
  /// The market as first opened: an encoded `Listing`.
  public var listingFile: String { "\(dataDirectory)/listing.bin" }
  public var accountDirectory: String { "\(dataDirectory)/accounts" }
  /// Logs that the cluster's own clients keep for the auditor.
  public var clientLogDirectory: String { "\(dataDirectory)/clients" }
  public var logDirectory: String { "\(dataDirectory)/logs" }
  /// Where a verifier keeps what it goes on from, and tells how far it has come.
  public func verifierDirectory(of node: String) -> String { "\(dataDirectory)/verifiers/\(node)" }
  public func keyDirectory(of node: String) -> String { "\(keyDirectory)/\(node)" }

  public static func path(in dataDirectory: String) -> String { "\(dataDirectory)/cluster.json" }

  public static func load(dataDirectory: String) throws(ClusterMapError) -> ClusterMap {
    let path = path(in: dataDirectory)
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ClusterMapError(
        path: path, reason: "no cluster lives here; start one with cluster/run, or name its directory with --data")
    }
    let map: ClusterMap
    do {
      map = try JSONDecoder().decode(ClusterMap.self, from: data)
    } catch {
      throw ClusterMapError(path: path, reason: "not a cluster map: \(error)")
    }
    guard map.version == currentVersion else {
      throw ClusterMapError(
        path: path, reason: "version \(map.version) is unknown to this build, which reads \(currentVersion)")
    }
    return map
  }

  /// Writes the map so that a reader sees the old one or the new one, never a half.
  public func save() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(self).write(to: URL(fileURLWithPath: Self.path(in: dataDirectory)), options: .atomic)
  }
}

/// A cluster map that is missing or cannot be used.
public struct ClusterMapError: Error, CustomStringConvertible {
  public var path: String
  public var reason: String
  public var description: String { "\(path): \(reason)" }
}
