import Bytes
import Cluster
import Foundation
import Market
import Messaging
import Wire

/// The cluster that a load drives, and how it is reached.
public struct LoadTarget: Sendable {
  /// Data directory of a cluster on this machine.
  public var dataDirectory: String
  /// Instead of the data directory: a copy of the `cluster.json` of a cluster anywhere.
  public var mapPath: String?
  /// Where the accounts' key files are; with a map the default is `accounts` beside it.
  public var accountDirectory: String?
  /// Endpoints of the gateways, in the map's order, where they differ from the map's (a forwarded port, another
  /// address).
  public var gateways: [String] = []

  public init(dataDirectory: String) { self.dataDirectory = dataDirectory }

  /// Connections to a running cluster.
  struct Connection {
    var clients: [GatewayClient]
    var market: MarketDefinition
    var store: AccountStore
    /// Where a log for the auditor goes; `nil` for a cluster elsewhere.
    var logDirectory: String?
    /// Processes on this machine, by node.
    var processes: [String: pid_t]
  }

  /// - Throws: what keeps it from being reached: no map, a gateway that is not in it, no answer.
  func connect() throws -> Connection {
    guard let mapPath else { return try connectLocally() }
    let url = URL(fileURLWithPath: mapPath)
    guard url.lastPathComponent == "cluster.json" else {
      throw ClientError(reason: "--map \(mapPath): it must name a cluster's cluster.json")
    }
    let directory = url.deletingLastPathComponent().path
    let clients = try clients(ClusterMap.load(dataDirectory: directory), keys: CurveKeyPair.generate())
    // A gateway admits any key: what a client may do is proved by its signatures.
    return Connection(
      clients: clients, market: try market(of: clients[0]),
      store: AccountStore(directory: accountDirectory ?? "\(directory)/accounts"),
      logDirectory: nil, processes: [:])
  }

  private func connectLocally() throws -> Connection {
    let cluster = try ClusterClient(dataDirectory: dataDirectory)
    let keyring = try CurveKeyring(directory: cluster.map.keyDirectory(of: ClusterDirectory.operatorName))
    let clients = try clients(cluster.map, keys: keyring.own)
    return Connection(
      clients: clients, market: try market(of: clients[0]),
      store: AccountStore(directory: accountDirectory ?? cluster.map.accountDirectory),
      logDirectory: cluster.map.clientLogDirectory, processes: cluster.processes())
  }

  /// The market as the gateway knows it by now.
  private func market(of client: GatewayClient) throws -> MarketDefinition {
    try MarketDefinition(decoding: client.query(.market, MachineID(.gateway, 0)))
  }

  private func clients(_ map: ClusterMap, keys: CurveKeyPair) throws -> [GatewayClient] {
    let named = map.machines.filter { $0.kind == .gateway }
    guard !named.isEmpty, gateways.count <= named.count else {
      throw ClientError(
        reason: "--gateway: \(gateways.count) endpoints, but the map has \(named.count) gateways, whose keys are needed"
      )
    }
    var map = map
    for (gateway, endpoint) in zip(named, gateways) { map.endpoints[gateway.description] = endpoint }
    let transport = try Transport(map: map, clientKeys: keys)
    let used = gateways.isEmpty ? 1 : gateways.count
    return try named.prefix(used).map { GatewayClient(try transport.dealer(connectingTo: $0)) }
  }
}
