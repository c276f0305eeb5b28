import Foundation

/// The last word of a run: what the load did, and what the auditor found.
public struct RunReport: Encodable, Sendable {
  /// Length of the measured window.
  public var seconds: Double
  public var sent: Int
  public var acknowledged: Int
  public var rejected: [String: Int]
  public var filled: Int
  public var ack_latency_us: LoadReport.Latency
  /// Final epochs in all.
  public var epochs: Int
  public var state_root: String
  public var invariants: [AuditReport.Invariant]
  public var offered_per_second: Double
  public var achieved_per_second: Double
  public var unanswered: Int
  public var resent: Int
  public var cpu_percent: [String: Double]

  init(load: LoadReport?, audit: AuditReport) {
    seconds = load?.seconds ?? 0
    sent = load?.sent ?? 0
    acknowledged = load?.acknowledged ?? 0
    rejected = load?.rejected ?? [:]
    filled = load?.filled ?? 0
    ack_latency_us = load?.ack_latency_us ?? .init()
    epochs = audit.epochs
    state_root = audit.state_root
    invariants = audit.invariants
    offered_per_second = load?.offered_per_second ?? 0
    achieved_per_second = load?.achieved_per_second ?? 0
    unanswered = load?.unanswered ?? 0
    resent = load?.resent ?? 0
    cpu_percent = load?.cpu_percent ?? [:]
  }

  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  var text: String {
    let rejections = rejected.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    let cpu = cpu_percent.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    var lines = [
      "window        \(String(format: "%.1f", seconds)) s",
      "orders        \(sent) sent, \(acknowledged) accepted and durable"
        + " (\(String(format: "%.0f", achieved_per_second)) a second)",
      "rejected      \(rejections.isEmpty ? "none" : rejections)",
      "trades        \(filled)",
      "ack latency   p50 \(ack_latency_us.p50) µs, p99 \(ack_latency_us.p99) µs, p99.9 \(ack_latency_us.p999) µs,"
        + " max \(ack_latency_us.max) µs",
      "cpu percent   \(cpu)",
      "epochs        \(epochs) final, root \(state_root)",
    ]
    for invariant in invariants {
      let verdict = invariant.breaches == 0 ? (invariant.checks > 0 ? "holds" : "NOT CHECKED") : "BREACHED"
      lines.append(
        "  \(invariant.name.padding(toLength: 20, withPad: " ", startingAt: 0)) \(verdict),"
          + " \(invariant.checks) checks, \(invariant.breaches) breaches")
    }
    return lines.joined(separator: "\n")
  }
}
