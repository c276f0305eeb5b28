import Cluster
import Foundation
import Market
import Messaging

/// Changes the map of a running cluster, one change at a time; every process follows it.
struct MapEditor {
  let dataDirectory: String

  /// Seconds that another change is waited for.
  private static let lockSeconds = 30.0

  /// Applies `body` to the map as it is now, and publishes the result.
  func edit(_ body: (inout ClusterMap) throws -> Void) throws {
    let path = "\(dataDirectory)/cluster.lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw CommandRefused("\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    let deadline = Date().addingTimeInterval(Self.lockSeconds)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard Date() < deadline else { throw CommandRefused("\(path): another command is changing the cluster's map") }
      usleep(20_000)
    }
    var map = try ClusterMap.load(dataDirectory: dataDirectory)
    let before = map
    try body(&map)
    guard map != before else { return }
    try ClusterDirectory.admitPeers(map)
    try map.save()
  }

  /// Lets a node hold a copy of a machine.
  func addCopy(of machine: MachineID, on name: String) throws {
    try edit { map in
      guard let index = map.nodes.firstIndex(where: { $0.name == name }) else { return }
      guard !map.nodes(holding: machine).contains(where: { $0.name == name }) else { return }
      map.nodes[index].standbys = ((map.nodes[index].standbys ?? []) + [machine.description]).sorted()
      try map.makePlace(for: machine, on: name)
    }
  }

  /// Makes `name`, which holds a copy, the machine's home; its home of before holds none any more.
  func moveHome(of machine: MachineID, to name: String) throws {
    try edit { map in
      for index in map.nodes.indices {
        map.nodes[index].hosts.removeAll { $0 == machine.description }
        guard map.nodes[index].name == name else { continue }
        map.nodes[index].hosts.append(machine.description)
        map.nodes[index].standbys?.removeAll { $0 == machine.description }
      }
      let copy = ClusterMap.copy(of: machine, on: name)
      map.endpoints[machine.description] = map.endpoints[copy]
      if let binding = map.bindings?[copy] { map.bindings?[machine.description] = binding }
    }
  }

  /// Takes a copy that is not its machine's home away from a node.
  func removeCopy(of machine: MachineID, on name: String) throws {
    try edit { map in
      guard let index = map.nodes.firstIndex(where: { $0.name == name }) else { return }
      map.nodes[index].standbys?.removeAll { $0 == machine.description }
      map.endpoints[ClusterMap.copy(of: machine, on: name)] = nil
    }
  }
}

extension ClusterMap {
  /// An endpoint for a copy, of the kind that the machine's home has.
  fileprivate mutating func makePlace(for machine: MachineID, on name: String) throws {
    let copy = Self.copy(of: machine, on: name)
    guard endpoints[copy] == nil else { return }
    guard let home = endpoint(of: machine) else { throw CommandRefused("\(machine) has no endpoint") }
    if home.hasPrefix("ipc://"), let slash = home.lastIndex(of: "/") {
      endpoints[copy] = "\(home[...slash])\(copy)"
    } else if let colon = home.lastIndex(of: ":") {
      endpoints[copy] = "\(home[...colon])\(try FreePorts.find(1)[0])"
    }
  }
}
