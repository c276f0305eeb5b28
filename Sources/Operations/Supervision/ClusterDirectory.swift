import Bytes
import Cluster
import Cryptography
import Foundation
import Listing
import Logging
import Market
import Messaging
import VerifierNode

/// Makes and reopens the data directory of a local cluster: keys with their allow-lists, the market as first opened,
/// the
/// cluster map.
public struct ClusterDirectory {
  public let path: String
  public let configuration: ClusterConfiguration
  /// The instrument file of the first opening.
  public let instrumentsPath: String
  /// Nodes that are hosts of their own, by name: the address to bind and to reach them at (tcp).
  public var addresses: [String: String] = [:]
  /// Where machines are reached that have someone between them and their peers, by name.
  public var detours: [String: String] = [:]

  public init(path: String, configuration: ClusterConfiguration, instrumentsPath: String) {
    self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    self.configuration = configuration
    self.instrumentsPath = instrumentsPath
  }

  /// True once a market was opened here.
  public var isOpened: Bool { FileManager.default.fileExists(atPath: "\(path)/listing.bin") }

  /// Removes what an earlier cluster left here. Refused for a directory that holds anything else.
  public func removeAll() throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    let own: Set<String> = [
      "cluster.json", "listing.bin", "journal", "ledger", "keys", "accounts", "clients", "logs", "supervisor.pid",
    ]
    let found = Set(try FileManager.default.contentsOfDirectory(atPath: path))
    let foreign = found.subtracting(own)
    guard foreign.isEmpty else {
      throw SupervisionError(
        what: path, reason: "--fresh would delete files that are not a cluster's: \(foreign.sorted().first ?? "")")
    }
    try FileManager.default.removeItem(atPath: path)
  }

  /// Opens the market if this is the first start, and writes the map of this run.
  public func prepare() throws -> (map: ClusterMap, listing: Listing) {
    for directory in [path, "\(path)/logs", "\(path)/keys", "\(path)/journal", "\(path)/clients"] {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
    let nodes = try makeNodes()
    let listing = try isOpened ? reopen() : openMarket()
    guard Int(listing.market.shardCount) == configuration.shards else {
      throw ConfigurationError(
        source: path, key: "shards", value: "\(configuration.shards)",
        rule: "this market was opened with \(listing.market.shardCount) shards; keep that, or start --fresh")
    }
    var (endpoints, bindings) = try endpoints(of: nodes)
    for (machine, detour) in detours {
      bindings = (bindings ?? [:]).merging([machine: endpoints[machine] ?? ""]) { own, _ in own }
      endpoints[machine] = detour
    }
    let map = ClusterMap(
      dataDirectory: path, nodes: nodes, endpoints: endpoints, bindings: bindings,
      operatorPublicKey: try key(of: Self.operatorName).description, shardCount: configuration.shards,
      settings: settings)
    try admitPeers(map)
    try map.save()
    return (map, listing)
  }

  /// Name under which the operator's keys lie: the command line's for connections, and the one that signs for the
  /// house.
  public static let operatorName = "operator"

  private var settings: ClusterMap.Settings {
    var settings = ClusterMap.Settings()
    settings.logLevel = configuration.logLevel.rawValue
    settings.logRotateMegabytes = configuration.logRotateMegabytes
    settings.logKeepFiles = configuration.logKeepFiles
    settings.journalMapGigabytes = configuration.journalMapGigabytes
    settings.snapshotEvery = configuration.snapshotEvery
    settings.marksIntervalMilliseconds = configuration.marksIntervalMilliseconds
    settings.marksSeed = configuration.marksSeed
    settings.clientSilenceMilliseconds = configuration.clientSilenceMilliseconds
    settings.gatewaySilenceMilliseconds = configuration.gatewaySilenceMilliseconds
    return settings
  }

  // MARK: Nodes and keys

  private func makeNodes() throws -> [ClusterMap.Node] {
    var nodes: [ClusterMap.Node] = []
    func add(_ name: String, _ role: ClusterMap.Role, _ hosts: [MachineID]) throws {
      let publicKey = try key(of: name).description
      nodes.append(ClusterMap.Node(name: name, role: role, hosts: hosts.map(\.description), publicKey: publicKey))
    }
    try add("settlement", .settlement, [.settlement])
    try add("risk", .risk, [.risk])
    for node in 0..<configuration.matcherNodes {
      let hosted = stride(from: node, to: configuration.shards, by: configuration.matcherNodes)
      try add("matcher-\(node)", .matcher, hosted.map { .shard(ShardID(UInt16($0))) })
    }
    try add("marks", .marks, [.marks])
    try add("gateway-0", .gateway, [MachineID(.gateway, 0)])
    for verifier in 0..<configuration.verifiers {
      try add("verifier-\(verifier)", .verifier, [MachineID(.verifier, UInt16(verifier))])
    }
    return nodes
  }

  private func key(of node: String) throws -> CurvePublicKey {
    try CurveKeyring.openOrCreate(directory: "\(path)/keys/\(node)").own.publicKey
  }

  /// Every node admits every other, and the operator, by name; whoever is not of this map is taken off the lists.
  private func admitPeers(_ map: ClusterMap) throws {
    var names: [String: String] = [Self.operatorName: map.operatorPublicKey]
    for node in map.nodes { names[node.name] = node.publicKey }
    for node in map.nodes {
      var keyring = try CurveKeyring(directory: map.keyDirectory(of: node.name))
      for peer in keyring.peers where names[peer.name] != peer.key.description { try keyring.dismiss(peer.name) }
      for (name, text) in names.sorted(by: { $0.key < $1.key }) where name != node.name {
        guard let key = CurvePublicKey(hexadecimal: text), !keyring.peers.contains(where: { $0.name == name }) else {
          continue
        }
        try keyring.admit(CurveKeyring.Peer(name: name, key: key))
      }
    }
  }

  // MARK: Endpoints

  private func endpoints(
    of nodes: [ClusterMap.Node]
  ) throws -> (endpoints: [String: String], bindings: [String: String]?) {
    let names = nodes.flatMap(\.hosts)
    switch configuration.transport {
    case .ipc:
      let directory = try socketDirectory()
      return (Dictionary(uniqueKeysWithValues: names.map { ($0, "ipc://\(directory)/\($0)") }), nil)
    case .tcp:
      let ports =
        try configuration.basePort > 0
        ? Array(configuration.basePort..<(configuration.basePort + names.count)) : freePorts(names.count)
      guard configuration.host == ClusterConfiguration.serviceHost else {
        let places = nodes.flatMap { node in node.hosts.map { _ in addresses[node.name] ?? configuration.host } }
        let endpoints = zip(names, zip(places, ports)).map { ($0, "tcp://\($1.0):\($1.1)") }
        return (Dictionary(uniqueKeysWithValues: endpoints), nil)
      }
      let hosts = nodes.flatMap { node in node.hosts.map { _ in node.name } }
      let endpoints = zip(names, zip(hosts, ports)).map { ($0, "tcp://\($1.0):\($1.1)") }
      let bindings = zip(names, ports).map { ($0, "tcp://*:\($1)") }
      return (Dictionary(uniqueKeysWithValues: endpoints), Dictionary(uniqueKeysWithValues: bindings))
    }
  }

  /// A short path, since a socket's may have 107 bytes only; one for each data directory, so that clusters keep apart.
  private func socketDirectory() throws -> String {
    let digest = Hexadecimal.encode(SHA256.hash([UInt8](path.utf8)).array.prefix(6))
    let directory = "/tmp/novation-\(getuid())-\(digest)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    var status = stat()
    guard lstat(directory, &status) == 0, status.st_uid == getuid(), status.st_mode & 0o077 == 0 else {
      throw SupervisionError(what: directory, reason: "it must be a directory of this user alone")
    }
    return directory
  }

  /// Ports that were free a moment ago.
  private func freePorts(_ count: Int) throws -> [Int] {
    var sockets: [Int32] = []
    defer { for socket in sockets { close(socket) } }
    return try (0..<count).map { _ in
      let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      sockets.append(socket)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let bound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
        }
      }
      guard bound else { throw SupervisionError(what: "transport.base_port", reason: "no free port") }
      return Int(UInt16(bigEndian: address.sin_port))
    }
  }

  // MARK: The market

  /// The first opening fixes the expiries, the verifiers and, unless the file names one, the operator.
  private func openMarket() throws -> Listing {
    let file = try ListingFile.load(instrumentsPath)
    var listing = try file.open(at: MachineClock.wall(), shards: configuration.shards)
    if listing.market.parameters.operatorAddress == .zero {
      _ = try key(of: Self.operatorName)
      listing.market.parameters.operatorAddress = try OperatorKey.openOrCreate(
        directory: "\(path)/keys/\(Self.operatorName)"
      ).address
    }
    listing.market.parameters.attestationQuorum = UInt16(configuration.quorum)
    listing.market.parameters.verifiers = try (0..<configuration.verifiers).map { verifier in
      try VerifierKey.openOrCreate(directory: "\(path)/keys/verifier-\(verifier)").address
    }
    try Data(listing.encoded).write(to: URL(fileURLWithPath: "\(path)/listing.bin"), options: .atomic)
    return listing
  }

  private func reopen() throws -> Listing {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/listing.bin")))
    do {
      return try Listing(decoding: bytes)
    } catch {
      throw SupervisionError(
        what: "\(path)/listing.bin", reason: "not a listing of format version \(Listing.formatVersion): \(error)")
    }
  }
}
