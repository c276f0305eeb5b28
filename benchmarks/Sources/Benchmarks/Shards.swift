import Foundation

/// CPU per order when the same market lies on 1, 2, 4 and 8 shards.
struct Shards {
  private let options: Options
  static let counts = [1, 2, 4, 8]

  init(_ options: Options) { self.options = options }

  func run() throws {
    let runs = options.runs > 0 ? options.runs : 3
    let seconds = Double(options.seconds > 0 ? options.seconds : 4)
    let rate = options.rate > 0 ? options.rate : 20_000
    print("CPU per order by shards: \(rate) orders/s offered in batches of 32, medians of \(runs) runs")
    print("  shards  orders/s  p99 ms  all µs/order  matchers  gateway  risk  settlement  verifier  load")
    var rows: [[String: Any]] = []
    for count in Self.counts {
      let row = try measure(count, runs, rate, seconds)
      rows.append(row)
    }
    try Benchmarks.print(json: ["benchmark": "shards", "runs": runs, "rate": rate, "shards": rows], options)
  }

  private func measure(_ count: Int, _ runs: Int, _ rate: Int, _ seconds: Double) throws -> [String: Any] {
    let nodes = min(2, count)
    let cluster = try Cluster(
      options, instruments: "one-underlying.toml", ["--shards", "\(count)", "--nodes", "\(nodes)"])
    defer { cluster.stop() }
    let loads = try (0..<runs).map { _ in try cluster.load(rate: rate, batch: 32, seconds: seconds, warmup: 1) }
    /// Microseconds of CPU per order of the processes whose name begins so.
    func cost(_ prefix: String) -> Double {
      loads.map { load in
        let percent = load.cpu_percent.reduce(0) { $0 + ($1.key.hasPrefix(prefix) ? $1.value : 0) }
        return load.achieved_per_second > 0 ? percent * 10_000 / load.achieved_per_second : 0
      }.median
    }
    let achieved = loads.map(\.achieved_per_second).median
    let p99 = loads.map(\.ack_latency_us.p99).median
    let roles = ["matcher", "gateway", "risk", "settlement", "verifier", "load"]
    let costs = roles.map(cost)
    print(
      String(format: "  %6d  %8.0f  %6.2f  %12.2f", count, achieved, p99 / 1_000, cost(""))
        + zip(costs, [8, 7, 4, 10, 8, 4]).map { cost, width in
          let text = String(format: "%.2f", cost)
          return "  " + String(repeating: " ", count: max(0, width - text.count)) + text
        }.joined())
    var row: [String: Any] = [
      "shards": count, "achieved_per_second": achieved, "p99_us": p99, "cpu_us_per_order": cost(""),
    ]
    for (role, cost) in zip(roles, costs) { row["\(role)_us_per_order"] = cost }
    return row
  }
}
