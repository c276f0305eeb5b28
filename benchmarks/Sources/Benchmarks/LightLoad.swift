import Foundation

/// Latency of a single order through the quiet cluster, against the floor measured between the same loads.
struct LightLoad {
  private let options: Options
  /// The goal: an order costs at most this many floors.
  static let goal = 3.0

  init(_ options: Options) { self.options = options }

  func run() throws {
    let runs = options.runs > 0 ? options.runs : 3
    let seconds = Double(options.seconds > 0 ? options.seconds : 6)
    let rate = options.rate > 0 ? options.rate : 100
    let cluster = try Cluster(options)
    defer { cluster.stop() }
    var floors: [Floor] = []
    var paced: [Floor] = []
    var loads: [Cluster.Load] = []
    for _ in 0..<runs {
      floors.append(try Floor.measure(in: cluster.directory + "/..", .backToBack))
      paced.append(try Floor.measure(in: cluster.directory + "/..", .perSecond(rate)))
      loads.append(try cluster.load(rate: rate, batch: 1, seconds: seconds))
    }
    let roundTrip = floors.map(\.roundTrip).median
    let commit = floors.map(\.commit).median
    let floor = floors.map(\.sum).median
    let p50 = loads.map(\.ack_latency_us.p50).median
    let p99 = loads.map(\.ack_latency_us.p99).median
    let ratios = zip(loads, floors).map { $0.ack_latency_us.p50 / $1.sum }
    let pacedRatios = zip(loads, paced).map { $0.ack_latency_us.p50 / $1.sum }
    print(
      """
      light load: \(rate) orders/s one by one, medians of \(runs) runs of \(Int(seconds)) s
        floor      2 DEALER/ROUTER round trips of \(number(roundTrip)) µs + 1 LMDB commit of \(number(commit)) µs \
      = \(number(floor)) µs
        order      p50 \(number(p50)) µs, p99 \(number(p99)) µs from intended sending to durable answer
        ratio      \(String(format: "%.2f", ratios.median)) (goal: at most \(String(format: "%.0f", Self.goal)))
        for comparison, the same parts at \(rate) a second instead of back to back: \
      \(number(paced.map(\.sum).median)) µs, ratio \(String(format: "%.2f", pacedRatios.median))
      """)
    try Benchmarks.print(
      json: [
        "benchmark": "light", "runs": runs, "rate": rate, "floor_round_trip_us": roundTrip, "floor_commit_us": commit,
        "floor_us": floor, "p50_us": p50, "p99_us": p99, "ratio": ratios.median, "ratio_goal": Self.goal,
        "ratios": ratios, "paced_floor_us": paced.map(\.sum).median, "paced_ratio": pacedRatios.median,
      ], options)
  }

  private func number(_ value: Double) -> String { String(format: "%.0f", value) }
}
