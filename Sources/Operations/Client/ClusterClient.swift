import Bytes
import Cluster
import Foundation
import Market
import Messaging
import Wire

/// The command line's view of a running cluster: a gateway for what clients do, and each machine directly, as operator,
/// for what operators ask.
public final class ClusterClient {
  public let map: ClusterMap
  private let transport: Transport
  private var direct: [MachineID: GatewayClient] = [:]

  /// Finds the cluster through its data directory, with the operator's key.
  public init(dataDirectory: String) throws {
    map = try ClusterMap.load(dataDirectory: dataDirectory)
    let keyring = try CurveKeyring(directory: map.keyDirectory(of: ClusterDirectory.operatorName))
    transport = try Transport(map: map, clientKeys: keyring.own)
  }

  /// A connection to the first gateway.
  public func gateway() throws -> GatewayClient {
    GatewayClient(try transport.dealer(connectingTo: MachineID(.gateway, 0)))
  }

  /// Asks a machine's own host, not through a gateway.
  public func query(
    _ kind: Query.Kind, _ machine: MachineID, _ body: [UInt8] = [], timeoutSeconds: Double = 5
  ) throws -> [UInt8] {
    try connection(to: machine).query(kind, machine, body, timeoutSeconds: timeoutSeconds)
  }

  /// The connection to a machine's own host.
  func connection(to machine: MachineID) throws -> GatewayClient {
    let client = try direct[machine] ?? GatewayClient(transport.dealer(connectingTo: machine))
    direct[machine] = client
    return client
  }

  public func status(of machine: MachineID, timeoutSeconds: Double = 2) throws -> HostStatus {
    try JSONDecoder().decode(
      HostStatus.self, from: Data(query(.status, machine, timeoutSeconds: timeoutSeconds)))
  }

  /// Process identifiers by node name, as the nodes tell.
  public func processes() -> [String: pid_t] {
    var found: [String: pid_t] = [:]
    for node in map.nodes {
      guard let host = node.hosts.first, let machine = MachineID(name: host),
        let status = try? status(of: machine, timeoutSeconds: 1)
      else { continue }
      found[node.name] = status.processIdentifier
    }
    return found
  }
}
