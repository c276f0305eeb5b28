import Market
import Messaging
import Synchronization

/// Makes a node's sockets: authenticated by CURVE both ways, found through the cluster map.
public struct Transport: Sendable {
  /// Servers of this domain admit the nodes that the keyring lists, each under its name.
  private static let nodeDomain = "nodes"
  /// Servers of this one admit any key: clients prove themselves by their signatures.
  private static let clientDomain = "clients"

  private let shared: SharedMap
  private let context: ZeroMQContext
  private let keys: CurveKeyPair
  private let authenticator: Authenticator?

  /// The cluster as it is now.
  public var map: ClusterMap { shared.value.withLock { $0 } }

  /// Goes on with a newer map, and with the peers that the keyring lists now.
  public func follow(_ map: ClusterMap, _ keyring: CurveKeyring) {
    shared.value.withLock { $0 = map }
    authenticator?.admit(Self.nodes(keyring), to: Self.nodeDomain)
  }

  /// The peers that the keyring lists, and the node itself, which also asks the machines that it hosts.
  private static func nodes(_ keyring: CurveKeyring) -> Authenticator.Policy {
    .listed(keyring.peers + [CurveKeyring.Peer(name: "self", key: keyring.own.publicKey)])
  }

  private final class SharedMap: Sendable {
    let value: Mutex<ClusterMap>
    init(_ map: ClusterMap) { value = Mutex(map) }
  }

  /// Sockets of a node that serves, with the allow-list of its keyring.
  public init(map: ClusterMap, keyring: CurveKeyring) throws {
    shared = SharedMap(map)
    context = try ZeroMQContext()
    keys = keyring.own
    let authenticator = try Authenticator(context)
    authenticator.admit(Self.nodes(keyring), to: Self.nodeDomain)
    authenticator.admit(.anyKey, to: Self.clientDomain)
    self.authenticator = authenticator
  }

  /// Sockets of a client, which serves nobody.
  public init(map: ClusterMap, clientKeys: CurveKeyPair) throws {
    shared = SharedMap(map)
    context = try ZeroMQContext()
    keys = clientKeys
    authenticator = nil
  }

  /// The socket on which a machine's peers reach it.
  public func router(bindingEndpointOf machine: MachineID) throws -> Socket {
    try serve(machine, at: map.binding(of: machine), domain: Self.nodeDomain)
  }

  /// The same for the copy of a machine that a node holds.
  public func router(bindingCopyOf machine: MachineID, on node: ClusterMap.Node) throws -> Socket {
    try serve(machine, at: map.binding(of: machine, on: node), domain: Self.nodeDomain)
  }

  /// The socket on which the supervisor answers for who owns what.
  public func authorityRouter() throws -> Socket {
    try serve(.supervisor, at: map.binding(of: .supervisor), domain: Self.nodeDomain)
  }

  /// A connection to the supervisor, which has the operator's key.
  public func authorityDealer() throws -> Socket {
    guard let endpoint = map.endpoint(of: .supervisor),
      let key = CurvePublicKey(hexadecimal: map.operatorPublicKey)
    else { throw ClusterMapError(path: "cluster map", reason: "the supervisor has no endpoint, or no key") }
    var options = options
    options.security = .curveClient(keys, server: key)
    let socket = try Socket(context, .dealer, options)
    try socket.connect(endpoint)
    return socket
  }

  /// The socket on which clients reach a gateway.
  /// - Parameter silence: milliseconds without a sign of life after which a client's connection is given up.
  public func frontDoor(bindingEndpointOf gateway: MachineID, silence: Int32) throws -> Socket {
    try serve(gateway, at: map.binding(of: gateway), domain: Self.clientDomain, silence: silence)
  }

  private func serve(
    _ machine: MachineID, at binding: String?, domain: String, silence: Int32 = 0
  ) throws -> Socket {
    guard let binding else {
      throw ClusterMapError(path: "cluster map", reason: "\(machine) has no endpoint")
    }
    var options = options
    options.security = .curveServer(keys, domain: domain)
    options.silence = silence
    let socket = try Socket(context, .router, options)
    try socket.bind(binding)
    return socket
  }

  /// A connection to another machine; only the process that holds its node's key can answer.
  public func dealer(connectingTo machine: MachineID) throws -> Socket {
    guard let node = map.node(hosting: machine) else {
      throw ClusterMapError(path: "cluster map", reason: "\(machine) is hosted nowhere")
    }
    return try dealer(connectingTo: machine, on: node, map)
  }

  /// A connection to a machine wherever its owner is, now and later.
  public func link(to machine: MachineID) throws -> MachineLink {
    let link = MachineLink(to: machine)
    for node in map.nodes(holding: machine) {
      link.add(node.name, try dealer(connectingTo: machine, on: node, map))
    }
    return link
  }

  /// Connects a link to the copies that a newer map has, and leaves those that it has not.
  /// - Returns: the sockets that joined and that left.
  public func update(_ link: MachineLink, to map: ClusterMap) throws -> (joined: [Socket], left: [Socket]) {
    let nodes = map.nodes(holding: link.machine)
    var joined: [Socket] = []
    for node in nodes where !link.nodes.contains(node.name) {
      let socket = try dealer(connectingTo: link.machine, on: node, map)
      link.add(node.name, socket)
      joined.append(socket)
    }
    let gone = link.nodes.filter { name in !nodes.contains { $0.name == name } }
    return (joined, gone.compactMap { link.remove($0) })
  }

  /// A connection to one copy of a machine.
  public func dealer(connectingTo machine: MachineID, on node: ClusterMap.Node) throws -> Socket {
    try dealer(connectingTo: machine, on: node, map)
  }

  func dealer(connectingTo machine: MachineID, on node: ClusterMap.Node, _ map: ClusterMap) throws -> Socket {
    guard let endpoint = map.endpoint(of: machine, on: node), let key = CurvePublicKey(hexadecimal: node.publicKey)
    else { throw ClusterMapError(path: "cluster map", reason: "\(machine) has no endpoint, or its node no key") }
    var options = options
    options.security = .curveClient(keys, server: key)
    let socket = try Socket(context, .dealer, options)
    try socket.connect(endpoint)
    return socket
  }

  private var options: SocketOptions {
    var options = SocketOptions()
    // Enough for a burst; beyond it the sender is told, and streams go on from the outbox.
    options.sendHighWater = 4_096
    options.receiveHighWater = 4_096
    options.maximumFrameBytes = 64 << 20
    return options
  }
}
