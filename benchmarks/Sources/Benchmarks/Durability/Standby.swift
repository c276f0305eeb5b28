import Foundation

/// What a standby costs: the same load with and without one, orders a CPU second and orders a sync. Both copies share
/// this machine, so that work is doubled where it would be another machine's.
struct Standby {
  private let options: Options
  static let goalRatio = 0.7

  init(_ options: Options) { self.options = options }

  private struct Cost {
    var rate: Double
    var perCPUSecond: Double
    /// Of the owner alone, whose syncs the client waits for, and of all copies.
    var perOwnerSync: Double
    var perSync: Double
    var p99Milliseconds: Double
  }

  func run() throws {
    let runs = options.runs > 0 ? options.runs : 3
    var without: [Cost] = []
    var with: [Cost] = []
    for _ in 0..<runs {
      without.append(try measure(standbys: 0))
      with.append(try measure(standbys: 1))
    }
    func median(_ costs: [Cost], _ value: (Cost) -> Double) -> Double { costs.map(value).median }
    print(
      """
      standby: the same load with and without, medians of \(runs) runs (goal: at least \(Self.goalRatio) times)
                      orders/s   a CPU second   a sync of the owner   a sync   p99 ms
      """)
    for (name, costs) in [("without", without), ("with", with)] {
      print(
        "  " + name.padding(toLength: 12, withPad: " ", startingAt: 0)
          + String(
            format: "%10.0f  %13.0f  %20.1f  %7.1f  %7.2f", median(costs, \.rate), median(costs, \.perCPUSecond),
            median(costs, \.perOwnerSync), median(costs, \.perSync), median(costs, \.p99Milliseconds)))
    }
    func ratio(_ value: (Cost) -> Double) -> Double { zip(with, without).map { value($0) / value($1) }.median }
    let ratios = (cpu: ratio(\.perCPUSecond), owner: ratio(\.perOwnerSync), sync: ratio(\.perSync))
    print(String(format: "  %-12@%23.2f  %20.2f  %7.2f", "ratio" as NSString, ratios.cpu, ratios.owner, ratios.sync))
    try Benchmarks.print(
      json: [
        "benchmark": "standby", "runs": runs, "orders_per_second": median(with, \.rate),
        "orders_per_second_without": median(without, \.rate), "ratio_per_cpu_second": ratios.cpu,
        "ratio_per_owner_sync": ratios.owner, "ratio_per_sync": ratios.sync,
      ], options)
  }

  private func measure(standbys: Int) throws -> Cost {
    let cluster = try Cluster(
      options, configuration: "[cluster]\nmatcher_nodes = 2\nshards = 2\nstandbys = \(standbys)\n", [])
    defer { cluster.stop() }
    let seconds = Double(options.seconds > 0 ? options.seconds : 8)
    _ = try cluster.load(rate: 1_000, batch: 32, seconds: 1)
    let before = try cluster.status()
    let load = try cluster.load(
      rate: options.rate > 0 ? options.rate : 20_000, batch: 32, seconds: seconds, warmup: 0)
    let after = try cluster.status()
    let acknowledged = Double(load.acknowledged)
    let owner = Double(after.ownerCommits - before.ownerCommits)
    let all = Double(after.commits - before.commits)
    return Cost(
      rate: load.achieved_per_second, perCPUSecond: load.achieved_per_second * 100 / load.total_cpu_percent,
      perOwnerSync: acknowledged / max(1, owner), perSync: acknowledged / max(1, all),
      p99Milliseconds: load.ack_latency_us.p99 / 1_000)
  }
}
