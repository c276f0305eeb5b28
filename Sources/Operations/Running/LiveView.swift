import Cluster
import Foundation
import Market

/// The terminal view of a running cluster, redrawn every second.
final class LiveView {
  private let cluster: LocalCluster
  private var previous: [MachineID: HostStatus] = [:]
  private var previousAt = Date.distantPast
  private var lines = 0

  private static let periodSeconds = 1.0

  init(_ cluster: LocalCluster) { self.cluster = cluster }

  /// Redraws if it is time.
  func refresh() {
    let now = Date()
    let elapsed = now.timeIntervalSince(previousAt)
    guard elapsed >= Self.periodSeconds else { return }
    var current: [MachineID: HostStatus] = [:]
    for machine in cluster.map.machines {
      current[machine] = try? cluster.client.status(of: machine, timeoutSeconds: 0.1)
    }
    draw(current, elapsed)
    previous = current
    previousAt = now
  }

  /// Leaves the last picture on the screen.
  func close() { write("\u{1b}[?25h") }

  private func draw(_ current: [MachineID: HostStatus], _ elapsed: Double) {
    func rate(_ machine: MachineID, _ figure: String) -> String {
      guard let now = current[machine]?.figures[figure], let then = previous[machine]?.figures[figure] else {
        return "-"
      }
      return String(format: "%.0f", Double(now - then) / elapsed)
    }
    func column(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    var picture = ["shard      orders/s   fills/s      open    journal   lag  epoch"]
    for shard in cluster.map.shards {
      let machine = MachineID.shard(shard)
      let status = current[machine]
      let lag = status?.outgoing.map(\.lag).max() ?? 0
      picture.append(
        machine.description.padding(toLength: 9, withPad: " ", startingAt: 0)
          + column(rate(machine, "orders"), 10) + column(rate(machine, "fills"), 10)
          + column("\(status?.figures["open"] ?? 0)", 10) + column("\(status?.sequence ?? 0)", 11)
          + column("\(lag)", 6) + column("\(status?.epoch ?? 0)", 7))
    }
    let settlement = current[.settlement]
    let risk = current[.risk]
    picture.append(
      "epoch \(settlement?.epoch ?? 0), final \(settlement?.figures["finalEpoch"] ?? 0), root "
        + "\(settlement?.texts["finalRoot"]?.prefix(18) ?? "-")…, accounts netted \(risk?.figures["accounts"] ?? 0), "
        + "in liquidation \(risk?.figures["underLiquidation"] ?? 0)")
    if let stopped = settlement?.texts["stopped"], !stopped.isEmpty { picture.append("SETTLEMENT STOPPED: \(stopped)") }
    picture.append(
      cluster.map.nodes.map { node in
        let isUp = node.hosts.allSatisfy { MachineID(name: $0).map { current[$0] != nil } ?? false }
        let restarts = cluster.supervisor.restarts[node.name] ?? 0
        return "\(node.name) \(isUp ? "up" : "DOWN")\(restarts > 0 ? " (\(restarts) restarts)" : "")"
      }.joined(separator: "  "))
    var text = lines > 0 ? "\u{1b}[\(lines)A" : "\u{1b}[?25l"
    for line in picture { text += "\u{1b}[2K\(line)\n" }
    lines = picture.count
    write(text)
  }

  private func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
