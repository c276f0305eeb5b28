import Foundation

/// The rate that the machine is meant to carry: accepted and durable, its latency, its CPU and its memory.
struct HeavyLoad {
  private let options: Options
  static let goalRate = 50_000
  static let goalP99Microseconds = 20_000.0
  /// 85 % of two cores.
  static let goalCPUPercent = 170.0

  init(_ options: Options) { self.options = options }

  func run() throws {
    let runs = options.runs > 0 ? options.runs : 3
    let seconds = Double(options.seconds > 0 ? options.seconds : 10)
    let rate = options.rate > 0 ? options.rate : Self.goalRate
    let cluster = try Cluster(options)
    defer { cluster.stop() }
    let loads = try (0..<runs).map { _ in try cluster.load(rate: rate, batch: 32, seconds: seconds) }
    let achieved = loads.map(\.achieved_per_second).median
    let p50 = loads.map(\.ack_latency_us.p50).median
    let p99 = loads.map(\.ack_latency_us.p99).median
    let total = loads.map(\.total_cpu_percent).median
    let rejected = loads.map(\.rejectedShare).median
    func medians(_ value: (Cluster.Load) -> [String: Double]) -> [String: Double] {
      let names = Set(loads.flatMap { value($0).keys })
      return Dictionary(uniqueKeysWithValues: names.map { name in (name, loads.compactMap { value($0)[name] }.median) })
    }
    let cpu = medians(\.cpu_percent)
    let memory = medians { $0.resident_bytes.mapValues(Double.init) }
    print(
      """
      heavy load: \(rate) orders/s offered in batches of 32, medians of \(runs) runs of \(Int(seconds)) s
        accepted   \(String(format: "%.0f", achieved)) orders/s, durable; \
      \(String(format: "%.2f", 100 * rejected)) % rejected
        latency    p50 \(milliseconds(p50)) ms, p99 \(milliseconds(p99)) ms (goal: p99 below \
      \(milliseconds(Self.goalP99Microseconds)) ms)
        cpu        \(String(format: "%.1f", total)) % of one core in all, the load generator included (goal: at most \
      \(String(format: "%.0f", Self.goalCPUPercent)) %)
      """)
    for name in cpu.keys.sorted() {
      let megabytes = (memory[name] ?? 0) / 1_048_576
      print("             \(name): \(String(format: "%.1f %%, %.0f MiB", cpu[name] ?? 0, megabytes)) resident")
    }
    try Benchmarks.print(
      json: [
        "benchmark": "heavy", "runs": runs, "rate": rate, "batch": 32, "achieved_per_second": achieved, "p50_us": p50,
        "p99_us": p99, "total_cpu_percent": total, "cpu_percent": cpu, "resident_bytes": memory,
        "rejected_share": rejected,
      ], options)
  }

  private func milliseconds(_ micros: Double) -> String { String(format: "%.2f", micros / 1_000) }
}
