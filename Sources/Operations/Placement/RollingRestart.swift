import Cluster
import Foundation
import Market

/// Starts every process of a running cluster anew, one after another, while it trades.
public struct RollingRestart: CommandReport {
  public struct Node: Encodable, Sendable {
    public var node: String
    /// Machines that another copy owned meanwhile.
    public var handedOver: [String]
    /// Longest pause of one of its machines, in milliseconds: of a hand-over, or of the restart itself.
    public var pauseMs: Double
    /// Until it served again, or followed in sync.
    public var seconds: Double
  }
  public var nodes: [Node]
  /// Longest pause of any machine.
  public var pauseMs: Double

  public var text: String {
    var table = TextTable(["node", "handed over", "pause ms", "seconds"])
    for node in nodes {
      table.add([
        node.node, "\(node.handedOver.count)", String(format: "%.1f", node.pauseMs),
        String(format: "%.2f", node.seconds),
      ])
    }
    return table.text
  }

  /// Order: what others depend on last.
  private static let order: [ClusterMap.Role] = [.verifier, .marks, .matcher, .risk, .settlement, .gateway]
  private static let restartSeconds = 60.0

  public init(dataDirectory: String) throws {
    nodes = []
    pauseMs = 0
    let map = try ClusterMap.load(dataDirectory: dataDirectory)
    for role in Self.order {
      for node in map.nodes where node.role == role {
        let restarted = try Self.restart(node, dataDirectory)
        nodes.append(restarted)
        pauseMs = max(pauseMs, restarted.pauseMs)
      }
    }
  }

  private static func restart(_ node: ClusterMap.Node, _ dataDirectory: String) throws -> Node {
    let start = Date()
    let map = try ClusterMap.load(dataDirectory: dataDirectory)
    var restarted = Node(node: node.name, handedOver: [], pauseMs: 0, seconds: 0)
    let held = (node.hosts + (node.standbys ?? [])).compactMap { MachineID(name: $0) }
    let machines = held.filter { map.nodes(holding: $0).count > 1 || node.role == .matcher }
    var borrowed: [(machine: MachineID, wasCopy: Bool, place: String)] = []
    for machine in machines {
      guard try MachineMove.owner(of: machine, dataDirectory).node == node.name else { continue }
      guard let place = try? NodeChange.target(for: machine, from: node.name, dataDirectory) else { continue }
      let wasCopy = map.nodes(holding: machine).contains { $0.name == place }
      let editor = MapEditor(dataDirectory: dataDirectory)
      if !wasCopy { try editor.addCopy(of: machine, on: place) }
      try MachineMove.waitUntilInSync(machine, place, dataDirectory)
      let (_, pause) = try MachineMove.handOver(machine, from: node.name, to: place, dataDirectory)
      restarted.pauseMs = max(restarted.pauseMs, pause)
      restarted.handedOver.append(machine.description)
      borrowed.append((machine, wasCopy, place))
    }
    let pause = try restartProcess(node, held, dataDirectory)
    if borrowed.isEmpty, !held.isEmpty, node.standbys?.isEmpty ?? true { restarted.pauseMs = pause }
    for (machine, wasCopy, place) in borrowed {
      try MachineMove.waitUntilInSync(machine, node.name, dataDirectory)
      let (_, pause) = try MachineMove.handOver(machine, from: place, to: node.name, dataDirectory)
      restarted.pauseMs = max(restarted.pauseMs, pause)
      if !wasCopy { try MapEditor(dataDirectory: dataDirectory).removeCopy(of: machine, on: place) }
    }
    restarted.seconds = Date().timeIntervalSince(start)
    return restarted
  }

  /// Ends the process; the supervisor starts it again.
  /// - Returns: milliseconds until everything that it holds answers again, as another process.
  private static func restartProcess(
    _ node: ClusterMap.Node, _ held: [MachineID], _ dataDirectory: String
  ) throws -> Double {
    let client = try ClusterClient(dataDirectory: dataDirectory)
    func identifier(_ machine: MachineID) -> Int32? {
      client.statuses(ofCopiesOf: machine, timeoutSeconds: 0.2).first { $0.node == node.name }?.processIdentifier
    }
    guard let first = held.first else { return 0 }
    guard let before = identifier(first) else { throw CommandRefused("\(node.name): it does not answer") }
    let start = MachineClock.monotonic()
    guard kill(before, SIGTERM) == 0 else {
      throw CommandRefused("\(node.name): process \(before): \(String(cString: strerror(errno)))")
    }
    let deadline = Date().addingTimeInterval(restartSeconds)
    for machine in held {
      while true {
        if let now = identifier(machine), now != before { break }
        guard Date() < deadline else {
          throw CommandRefused("\(node.name): \(machine) did not come back within \(Int(restartSeconds)) s")
        }
        usleep(5_000)
      }
    }
    return Double(MachineClock.monotonic() - start) / 1e6
  }
}
