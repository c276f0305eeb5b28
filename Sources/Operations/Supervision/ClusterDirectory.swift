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
      "cluster.json", "cluster.lock", "authority", "listing.bin", "journal", "ledger", "keys", "accounts", "clients",
      "logs", "supervisor.pid", "verifiers",
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
    var map = ClusterMap(
      dataDirectory: path, nodes: nodes, endpoints: endpoints, bindings: bindings,
      operatorPublicKey: try key(of: Self.operatorName).description, shardCount: configuration.shards,
      settings: settings)
    map.metrics = metricsAddresses(of: nodes)
    try Self.admitPeers(map)
    try map.save()
    return (map, listing)
  }

  /// Name under which the operator's keys lie: the command line's for connections, and the one that signs for the
  /// house.
  public static let operatorName = ClusterMap.operatorName

  private var settings: ClusterMap.Settings {
    var settings = ClusterMap.Settings()
    settings.logLevel = configuration.logLevel.rawValue
    settings.logRotateMegabytes = configuration.logRotateMegabytes
    settings.logKeepFiles = configuration.logKeepFiles
    settings.journalMapGigabytes = configuration.journalMapGigabytes
    settings.snapshotEvery = configuration.snapshotEvery
    settings.journalHeadroomBytes = configuration.journalHeadroomBytes
    settings.journalRetainEntries = configuration.journalRetainEntries
    settings.journalRetainHours = configuration.journalRetainHours
    settings.marksIntervalMilliseconds = configuration.marksIntervalMilliseconds
    settings.marksSeed = configuration.marksSeed
    settings.clientSilenceMilliseconds = configuration.clientSilenceMilliseconds
    settings.gatewaySilenceMilliseconds = configuration.gatewaySilenceMilliseconds
    settings.authority = configuration.authority
    return settings
  }

  // MARK: Nodes and keys

  /// The nodes of the configuration. Machines stay where they were left: one that was moved, or whose node the
  /// configuration no longer asks for, keeps its place.
  private func makeNodes() throws -> [ClusterMap.Node] {
    var nodes: [ClusterMap.Node] = []
    func add(_ name: String, _ role: ClusterMap.Role, _ hosts: [MachineID], _ standbys: [MachineID] = []) throws {
      let publicKey = try key(of: name).description
      nodes.append(
        ClusterMap.Node(
          name: name, role: role, hosts: hosts.map(\.description),
          standbys: standbys.isEmpty ? nil : standbys.map(\.description), publicKey: publicKey))
    }
    let copies = configuration.standbys
    try add("settlement", .settlement, [.settlement])
    for copy in 0..<copies { try add("settlement-standby-\(copy)", .settlement, [], [.settlement]) }
    try add("risk", .risk, [.risk])
    for copy in 0..<copies { try add("risk-standby-\(copy)", .risk, [], [.risk]) }
    let matchers = configuration.matcherNodes
    for node in 0..<matchers {
      func shards(at distance: Int) -> [MachineID] {
        stride(from: (node - distance + matchers) % matchers, to: configuration.shards, by: matchers).map {
          .shard(ShardID(UInt16($0)))
        }
      }
      let followed = (1..<max(1, min(copies + 1, matchers))).flatMap { shards(at: $0) }.sorted()
      try add("matcher-\(node)", .matcher, shards(at: 0), followed)
    }
    try add("marks", .marks, [.marks])
    try add("gateway-0", .gateway, [MachineID(.gateway, 0)])
    for verifier in 0..<configuration.verifiers {
      try add("verifier-\(verifier)", .verifier, [MachineID(.verifier, UInt16(verifier))])
    }
    return try keepPlaces(nodes)
  }

  private func keepPlaces(_ wanted: [ClusterMap.Node]) throws -> [ClusterMap.Node] {
    guard FileManager.default.fileExists(atPath: ClusterMap.path(in: path)) else { return wanted }
    let last = try ClusterMap.load(dataDirectory: path)
    var nodes = wanted.map { node in
      guard var known = last.nodes.first(where: { $0.name == node.name }) else {
        var fresh = node
        // What it would have hosted has its place already.
        fresh.hosts = node.hosts.filter { MachineID(name: $0).flatMap { last.node(hosting: $0) } == nil }
        return fresh
      }
      known.publicKey = node.publicKey
      known.standbys = Set((known.standbys ?? []) + (node.standbys ?? [])).subtracting(known.hosts).sorted()
      if known.standbys?.isEmpty == true { known.standbys = nil }
      return known
    }
    for known in last.nodes where !nodes.contains(where: { $0.name == known.name }) && !known.hosts.isEmpty {
      var kept = known
      kept.publicKey = try key(of: known.name).description
      nodes.append(kept)
    }
    return nodes
  }

  private func key(of node: String) throws -> CurvePublicKey {
    try CurveKeyring.openOrCreate(directory: "\(path)/keys/\(node)").own.publicKey
  }

  /// Every node admits every other, and the operator, by name; whoever is not of this map is taken off the lists.
  static func admitPeers(_ map: ClusterMap) throws {
    var names: [String: String] = [operatorName: map.operatorPublicKey]
    for node in map.nodes { names[node.name] = node.publicKey }
    for own in names.keys.sorted() {
      var keyring = try CurveKeyring(directory: map.keyDirectory(of: own))
      for peer in keyring.peers where names[peer.name] != peer.key.description { try keyring.dismiss(peer.name) }
      for (name, text) in names.sorted(by: { $0.key < $1.key }) where name != own {
        guard let key = CurvePublicKey(hexadecimal: text), !keyring.peers.contains(where: { $0.name == name }) else {
          continue
        }
        try keyring.admit(CurveKeyring.Peer(name: name, key: key))
      }
    }
  }

  // MARK: Endpoints

  /// Names of what has an endpoint, each with the node that binds it. A machine's home is known by the machine's own
  /// name, unless it came there by a move.
  private func endpointNames(of nodes: [ClusterMap.Node]) -> [(name: String, node: String)] {
    let last = try? ClusterMap.load(dataDirectory: path)
    var names: [(name: String, node: String)] = []
    for node in nodes {
      for host in node.hosts {
        let copy = "\(host)@\(node.name)"
        names.append((last?.endpoints[copy] == nil ? host : copy, node.name))
      }
      for standby in node.standbys ?? [] { names.append(("\(standby)@\(node.name)", node.name)) }
    }
    names.append((MachineID.supervisor.description, Self.operatorName))
    return names
  }

  private func endpoints(
    of nodes: [ClusterMap.Node]
  ) throws -> (endpoints: [String: String], bindings: [String: String]?) {
    let names = endpointNames(of: nodes)
    var endpoints: [String: String] = [:]
    var bindings: [String: String]?
    switch configuration.transport {
    case .ipc:
      let directory = try socketDirectory()
      for (name, _) in names { endpoints[name] = "ipc://\(directory)/\(name)" }
    case .tcp:
      let ports =
        try configuration.basePort > 0
        ? Array(configuration.basePort..<(configuration.basePort + names.count)) : FreePorts.find(names.count)
      let isService = configuration.host == ClusterConfiguration.serviceHost
      if isService { bindings = [:] }
      for ((name, node), port) in zip(names, ports) {
        let place = isService ? node : addresses[node] ?? configuration.host
        endpoints[name] = "tcp://\(place):\(port)"
        bindings?[name] = "tcp://*:\(port)"
      }
    }
    // Whoever asks for a machine and knows of no copies finds its home.
    for node in nodes {
      for host in node.hosts where endpoints[host] == nil { endpoints[host] = endpoints["\(host)@\(node.name)"] }
    }
    // Nobody supervises nodes that are hosts of their own: each serves what it has.
    if configuration.transport == .tcp, configuration.host == ClusterConfiguration.serviceHost {
      endpoints[MachineID.supervisor.description] = nil
      bindings?[MachineID.supervisor.description] = nil
    }
    return (endpoints, bindings)
  }

  /// One port a node, in their order.
  private func metricsAddresses(of nodes: [ClusterMap.Node]) -> [String: String]? {
    guard configuration.metricsBasePort > 0 else { return nil }
    let addresses = nodes.enumerated().map { index, node in
      (node.name, "\(configuration.metricsHost):\(configuration.metricsBasePort + index)")
    }
    return Dictionary(uniqueKeysWithValues: addresses)
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
