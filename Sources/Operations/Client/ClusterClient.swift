import Bytes
import Cluster
import Foundation
import Market
import Messaging
import Wire

/// The command line's view of a running cluster: a gateway for what clients do, and each machine directly, as operator,
/// for what operators ask.
public final class ClusterClient {
  public private(set) var map: ClusterMap
  private let transport: Transport
  /// By machine and node.
  private var direct: [String: GatewayClient] = [:]
  private var owners: [MachineID: String] = [:]

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

  /// Asks a machine's owner, not through a gateway.
  public func query(
    _ kind: Query.Kind, _ machine: MachineID, _ body: [UInt8] = [], timeoutSeconds: Double = 5
  ) throws -> [UInt8] {
    let copies = map.nodes(holding: machine)
    guard copies.count > 1 else {
      return try connection(to: machine).query(kind, machine, body, timeoutSeconds: timeoutSeconds)
    }
    if let owner = owners[machine], let answer = try? ask(owner, kind, machine, body, timeoutSeconds) { return answer }
    owners[machine] = nil
    // Of copies that take themselves for the owner, the one of the highest term is it.
    let statuses = self.statuses(ofCopiesOf: machine, timeoutSeconds: min(1, timeoutSeconds))
    guard let owner = statuses.filter({ $0.role == "owner" }).max(by: { $0.term < $1.term })?.node else {
      throw SupervisionError(what: "\(machine)", reason: "no copy that answers owns it")
    }
    owners[machine] = owner
    return try ask(owner, kind, machine, body, timeoutSeconds)
  }

  private func ask(
    _ node: String, _ kind: Query.Kind, _ machine: MachineID, _ body: [UInt8], _ timeoutSeconds: Double
  ) throws -> [UInt8] {
    try connection(to: machine, on: node).query(kind, machine, body, timeoutSeconds: timeoutSeconds)
  }

  /// What each copy of a machine that answers tells of itself.
  public func statuses(ofCopiesOf machine: MachineID, timeoutSeconds: Double = 1) -> [HostStatus] {
    map.nodes(holding: machine).compactMap { node in
      guard let bytes = try? ask(node.name, .status, machine, [], timeoutSeconds),
        let status = try? JSONDecoder().decode(HostStatus.self, from: Data(bytes))
      else {
        // A socket whose question was not answered may get the answer to it later.
        direct["\(machine)@\(node.name)"] = nil
        return nil
      }
      return status
    }
  }

  /// The connection to the host of a machine's copy, by default at its home.
  func connection(to machine: MachineID, on node: String? = nil) throws -> GatewayClient {
    guard let home = node ?? map.node(hosting: machine)?.name,
      let place = map.nodes.first(where: { $0.name == home })
    else { throw SupervisionError(what: "\(machine)", reason: "no node hosts it") }
    let name = ClusterMap.copy(of: machine, on: home)
    let client = try direct[name] ?? GatewayClient(transport.dealer(connectingTo: machine, on: place))
    direct[name] = client
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
      guard let held = (node.hosts + (node.standbys ?? [])).first, let machine = MachineID(name: held),
        let status = statuses(ofCopiesOf: machine).first(where: { $0.node == node.name })
      else { continue }
      found[node.name] = status.processIdentifier
    }
    return found
  }
}
