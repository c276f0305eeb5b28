import Cluster
import Foundation
import Market
import Messaging

/// What became of a node that was added, drained or removed.
public struct NodeChange: CommandReport {
  public var node: String
  /// What was done: `added`, `drained` or `removed`.
  public var change: String
  /// Machines that were moved away.
  public var moves: [MachineMove]

  public var text: String { (moves.map(\.text) + ["\(node): \(change)"]).joined(separator: "\n") }

  private static let startSeconds = 30.0

  /// Adds a node that can host shards. The supervisor starts its process.
  /// - Parameter name: absent: the first free one of `matcher-N`.
  public static func add(_ name: String?, dataDirectory: String) throws -> NodeChange {
    var chosen = name ?? ""
    try MapEditor(dataDirectory: dataDirectory).edit { map in
      if name == nil {
        var number = 0
        while map.nodes.contains(where: { $0.name == "matcher-\(number)" }) { number += 1 }
        chosen = "matcher-\(number)"
      }
      guard CurveKeyring.isName(chosen) else {
        throw CommandMistake("\(chosen): a node's name has 1 to 64 letters, digits, '.', '_' and '-'")
      }
      guard !map.nodes.contains(where: { $0.name == chosen }), chosen != ClusterMap.operatorName else {
        throw CommandMistake("\(chosen): there is such a node already")
      }
      let keys = try CurveKeyring.openOrCreate(directory: "\(map.keyDirectory)/\(chosen)")
      map.nodes.append(
        ClusterMap.Node(name: chosen, role: .matcher, hosts: [], publicKey: keys.own.publicKey.description))
    }
    return NodeChange(node: chosen, change: "added", moves: [])
  }

  /// Moves everything that a node owns to others of its role, and its copies away.
  public static func drain(_ name: String, dataDirectory: String) throws -> NodeChange {
    let editor = MapEditor(dataDirectory: dataDirectory)
    let map = try ClusterMap.load(dataDirectory: dataDirectory)
    let node = try find(name, in: map)
    var moves: [MachineMove] = []
    for text in node.hosts + (node.standbys ?? []) {
      guard let machine = MachineID(name: text) else { continue }
      if try MachineMove.owner(of: machine, dataDirectory).node == name {
        moves.append(
          try MachineMove(
            machine, to: try target(for: machine, from: name, dataDirectory), dataDirectory: dataDirectory))
      }
      let now = try ClusterMap.load(dataDirectory: dataDirectory)
      if now.node(hosting: machine)?.name == name {
        // Its owner, elsewhere, is its home from now on.
        try editor.moveHome(of: machine, to: MachineMove.owner(of: machine, dataDirectory).node)
      }
      try editor.removeCopy(of: machine, on: name)
    }
    return NodeChange(node: name, change: "drained", moves: moves)
  }

  /// Takes a drained node out of the cluster. The supervisor ends its process.
  public static func remove(_ name: String, dataDirectory: String) throws -> NodeChange {
    try MapEditor(dataDirectory: dataDirectory).edit { map in
      let node = try find(name, in: map)
      let held = node.hosts + (node.standbys ?? [])
      guard held.isEmpty else {
        throw CommandRefused("\(name): it holds \(held.joined(separator: ", ")); novation node drain \(name) first")
      }
      map.nodes.removeAll { $0.name == name }
    }
    return NodeChange(node: name, change: "removed", moves: [])
  }

  private static func find(_ name: String, in map: ClusterMap) throws -> ClusterMap.Node {
    guard let node = map.nodes.first(where: { $0.name == name }) else {
      throw CommandMistake("\(name): no such node; the nodes are \(map.nodes.map(\.name).joined(separator: ", "))")
    }
    return node
  }

  /// Where a machine goes that has to leave: to a copy in sync, else to the node of its role that holds least.
  static func target(for machine: MachineID, from name: String, _ dataDirectory: String) throws -> String {
    if let standby = try MachineMove.owner(of: machine, dataDirectory).inSync.first(where: { $0 != name }) {
      return standby
    }
    let map = try ClusterMap.load(dataDirectory: dataDirectory)
    let role = map.nodes.first { $0.name == name }?.role
    let others = map.nodes.filter { $0.role == role && $0.name != name }
    guard let least = others.min(by: { ($0.hosts.count, $0.name) < ($1.hosts.count, $1.name) }) else {
      throw CommandRefused("\(machine): there is no other \(role?.rawValue ?? "") node for it; add one first")
    }
    return least.name
  }
}
