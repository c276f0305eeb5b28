/// A drill's timeline: throughput and latency as the clients saw them, with the faults marked.
enum DrillPlot {
  /// An SVG document. - Parameter start: zero of the horizontal axis, in milliseconds of the monotonic clock.
  static func svg(_ report: DrillReport, _ slices: [LoadTimeline.Slice], start: Int64) -> String {
    let points = slices.map { (second: Double($0.at_ms - start) / 1_000, slice: $0) }.filter { $0.second >= 0 }
    let last = points.last?.second ?? 1
    let width = points.count > 1 ? max(0.001, points[1].second - points[0].second) : 1
    let marks = report.injections.map { injection in
      LinePlot.Mark(from: injection.at_seconds, to: injection.healed_seconds, name: injection.what)
    }
    let shards = slices.first?.accepted.count ?? 0
    var curves = (0..<shards).map { shard in
      LinePlot.Curve(
        name: "shard \(shard)",
        points: points.map { PlotPoint(x: $0.second, y: Double($0.slice.accepted[shard]) / width) },
        color: LinePlot.color(shard))
    }
    curves.append(
      LinePlot.Curve(
        name: "rejected", points: points.map { PlotPoint(x: $0.second, y: Double($0.slice.rejected) / width) },
        color: "#000000", isDashed: true))
    let verdict = report.passed ? "passed" : "failed"
    var throughput = LinePlot(
      title: "Drill \(report.drill): \(verdict)", subtitle: "orders accepted and durable a second, by shard",
      horizontal: .linear("seconds of load", upTo: last),
      vertical: .linear("orders a second", upTo: curves.flatMap { $0.points.map(\.y) }.max() ?? 1), curves: curves)
    throughput.marks = marks
    let answered = points.filter { $0.slice.max_us > 0 }
    func latency(_ name: String, _ color: Int, _ micros: (LoadTimeline.Slice) -> Int64) -> LinePlot.Curve {
      LinePlot.Curve(
        name: name, points: answered.map { PlotPoint(x: $0.second, y: Double(micros($0.slice)) / 1_000) },
        color: LinePlot.color(color))
    }
    let times = [latency("p50", 0) { $0.p50_us }, latency("p99", 1) { $0.p99_us }, latency("max", 6) { $0.max_us }]
    let values = times.flatMap { $0.points.map(\.y) }
    var latencies = LinePlot(
      title: "Latency", subtitle: "from intended time of sending to the durable answer, by time of the answer",
      horizontal: .linear("seconds of load", upTo: last),
      vertical: .logarithmic("milliseconds", from: values.min() ?? 0.1, to: values.max() ?? 1), curves: times)
    latencies.marks = marks
    return LinePlot.document([throughput, latencies])
  }
}
