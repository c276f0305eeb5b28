import Cluster
import Foundation
import Market
import Wire

/// Moves machines of a running cluster from node to node: the new place follows, the old one hands over.
public struct MachineMove: CommandReport {
  public var machine: String
  public var from: String
  public var to: String
  /// The new owner's term.
  public var term: UInt32
  /// From the word to hand over until the new owner answers, in milliseconds: no order was taken meanwhile.
  public var pauseMs: Double
  /// From the beginning, with the time in which the new copy caught up.
  public var seconds: Double

  public var text: String {
    "\(machine): \(from) -> \(to), term \(term), paused "
      + "\(String(format: "%.1f", pauseMs)) ms, \(String(format: "%.2f", seconds)) s in all"
  }

  private static let catchUpSeconds = 120.0
  private static let handOverSeconds = 10.0

  /// Moves a machine. Its home changes with it where the target held no copy before; a standby only becomes the owner.
  public init(_ machine: MachineID, to target: String, dataDirectory: String) throws {
    let start = Date()
    let editor = MapEditor(dataDirectory: dataDirectory)
    let map = try ClusterMap.load(dataDirectory: dataDirectory)
    guard let node = map.nodes.first(where: { $0.name == target }) else {
      throw CommandMistake(
        "--to \(target): no such node; the nodes are \(map.nodes.map(\.name).joined(separator: ", "))")
    }
    guard let home = map.node(hosting: machine) else { throw CommandMistake("\(machine): no such machine here") }
    guard node.role == home.role else {
      throw CommandMistake(
        "--to \(target): a \(node.role.rawValue) node; \(machine) needs a \(home.role.rawValue) node")
    }
    let owner = try Self.owner(of: machine, dataDirectory)
    self.machine = machine.description
    from = owner.node
    to = target
    term = owner.term
    pauseMs = 0
    seconds = 0
    guard owner.node != target else { return }
    let wasCopy = map.nodes(holding: machine).contains { $0.name == target }
    if !wasCopy { try editor.addCopy(of: machine, on: target) }
    do {
      try Self.waitUntilInSync(machine, target, dataDirectory)
    } catch {
      if !wasCopy { try editor.removeCopy(of: machine, on: target) }
      throw error
    }
    (term, pauseMs) = try Self.handOver(machine, from: owner.node, to: target, dataDirectory)
    if !wasCopy { try editor.moveHome(of: machine, to: target) }
    seconds = Date().timeIntervalSince(start)
  }

  /// What the owner of a machine tells of itself.
  static func owner(of machine: MachineID, _ dataDirectory: String) throws -> HostStatus {
    let statuses = try ClusterClient(dataDirectory: dataDirectory).statuses(ofCopiesOf: machine)
    guard let owner = statuses.filter({ $0.role == "owner" }).max(by: { $0.term < $1.term }) else {
      throw CommandRefused("\(machine): no copy that answers owns it")
    }
    return owner
  }

  static func waitUntilInSync(_ machine: MachineID, _ node: String, _ dataDirectory: String) throws {
    let deadline = Date().addingTimeInterval(catchUpSeconds)
    while true {
      if let owner = try? owner(of: machine, dataDirectory), owner.inSync.contains(node) { return }
      guard Date() < deadline else {
        throw CommandRefused("\(machine): the copy on \(node) is not in sync after \(Int(catchUpSeconds)) s")
      }
      usleep(20_000)
    }
  }

  /// - Returns: the new term and the pause in milliseconds.
  static func handOver(
    _ machine: MachineID, from: String, to: String, _ dataDirectory: String
  ) throws -> (term: UInt32, pauseMs: Double) {
    let client = try ClusterClient(dataDirectory: dataDirectory)
    let old = try client.connection(to: machine, on: from)
    let new = try client.connection(to: machine, on: to)
    _ = try new.query(.status, machine)
    let start = MachineClock.monotonic()
    do {
      _ = try old.query(.handOver, machine, [UInt8](to.utf8))
    } catch {
      throw CommandRefused(error.reason)
    }
    let deadline = Date().addingTimeInterval(handOverSeconds)
    while true {
      let status = try JSONDecoder().decode(HostStatus.self, from: Data(new.query(.status, machine)))
      if status.role == "owner" { return (status.term, Double(MachineClock.monotonic() - start) / 1e6) }
      guard Date() < deadline else {
        throw CommandRefused("\(machine): \(to) did not take it over within \(Int(handOverSeconds)) s")
      }
      usleep(500)
    }
  }
}
