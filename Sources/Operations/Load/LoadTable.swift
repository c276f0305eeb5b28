import Foundation

/// Loads as text for a terminal: one in words, several as a table with a line each.
public enum LoadTable {
  /// One load in words.
  public static func text(_ report: LoadReport) -> String {
    let rejections = report.rejected.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let latency = report.ack_latency_us
    return """
      window        \(decimal(report.seconds, 1)) s, batches of \(report.batch)
      offered       \(decimal(report.offered_per_second)) orders/s
      achieved      \(decimal(report.achieved_per_second)) orders/s accepted and durable
      orders        \(report.sent) sent, \(report.acknowledged) accepted, \(report.unanswered_orders) unanswered
      rejected      \(rejections.isEmpty ? "none" : rejections.joined(separator: ", "))
      trades        \(report.filled)
      sent again    \(report.resent) actions
      ack latency   p50 \(milliseconds(latency.p50)) ms, p99 \(milliseconds(latency.p99)) ms, \
      p99.9 \(milliseconds(latency.p999)) ms, max \(milliseconds(latency.max)) ms
      cpu           \(cpu(report)); together \(decimal(report.total_cpu_percent, 1)) % of a core
      limit         \(report.limit.reason)
      """
  }

  /// Several loads, a line each, the CPU of each process under it.
  public static func text(_ reports: [LoadReport]) -> String {
    let header = [
      "offered/s", "achieved/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "rejected", "cpu %", "limit",
    ]
    let rows = reports.map { report in
      [
        decimal(report.offered_per_second), decimal(report.achieved_per_second),
        milliseconds(report.ack_latency_us.p50),
        milliseconds(report.ack_latency_us.p99), milliseconds(report.ack_latency_us.p999),
        milliseconds(report.ack_latency_us.max), decimal(100 * report.rejectedShare, 2) + " %",
        decimal(report.total_cpu_percent, 1), report.limit.name,
      ]
    }
    let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      zip(cells, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }.joined(separator: "  ")
    }
    var lines = [line(header)]
    for (row, report) in zip(rows, reports) {
      lines += [line(row), "    cpu: \(cpu(report))", "    limit: \(report.limit.reason)"]
    }
    return lines.joined(separator: "\n")
  }

  private static func cpu(_ report: LoadReport) -> String {
    report.cpu_percent.sorted { $0.key < $1.key }.map { "\($0.key) \(decimal($0.value, 1))" }.joined(separator: ", ")
  }

  private static func decimal(_ value: Double, _ places: Int = 0) -> String { String(format: "%.\(places)f", value) }
  private static func milliseconds(_ micros: Int64) -> String { String(format: "%.2f", Double(micros) / 1_000) }
}
