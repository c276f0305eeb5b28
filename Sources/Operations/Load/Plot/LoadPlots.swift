import Foundation
import Histogram

/// The pictures of a load: latency by percentile, and for a sweep also latency and CPU against the offered rate.
public enum LoadPlots {
  /// An SVG document.
  public static func svg(_ outcomes: [LoadSession.Outcome]) -> String {
    var plots = [percentiles(outcomes)]
    if outcomes.count > 1 {
      let reports = outcomes.map(\.report).sorted { $0.offered_per_second < $1.offered_per_second }
      plots += [latency(reports), cpu(reports)]
    }
    return LinePlot.document(plots)
  }

  private static func percentiles(_ outcomes: [LoadSession.Outcome]) -> LinePlot {
    let curves = outcomes.map { PercentileDistribution.curve($0.latencies) }
    let points = curves.flatMap { $0 }
    let batch = outcomes.first?.report.batch ?? 0
    return LinePlot(
      title: "Latency by percentile",
      subtitle: "from intended time of sending to the durable answer, batches of \(batch)",
      horizontal: .percentiles(upTo: points.map(\.x).max() ?? 100),
      vertical: .logarithmic(
        "milliseconds", from: points.map(\.y).min() ?? 0.1, to: points.map(\.y).max() ?? 1),
      curves: zip(outcomes, curves).enumerated().map { index, pair in
        LinePlot.Curve(name: "\(pair.0.report.rate) orders/s", points: pair.1, color: LinePlot.color(index))
      })
  }

  private static func latency(_ reports: [LoadReport]) -> LinePlot {
    let measured = reports.filter { $0.ack_latency_us.max > 0 }
    func curve(_ name: String, _ color: Int, _ micros: (LoadReport.Latency) -> Int64) -> LinePlot.Curve {
      let points = measured.map { PlotPoint(x: $0.offered_per_second, y: Double(micros($0.ack_latency_us)) / 1_000) }
      return LinePlot.Curve(name: name, points: points, color: LinePlot.color(color), hasDots: true)
    }
    let curves = [
      curve("p50", 0) { $0.p50 }, curve("p99", 1) { $0.p99 }, curve("p99.9", 2) { $0.p999 },
      curve("max", 6) { $0.max },
    ]
    let values = curves.flatMap { $0.points.map(\.y) }
    return LinePlot(
      title: "Latency against offered rate", subtitle: "every point is one measured window",
      horizontal: rateAxis(reports),
      vertical: .logarithmic("milliseconds", from: values.min() ?? 0.1, to: values.max() ?? 1), curves: curves)
  }

  private static func cpu(_ reports: [LoadReport]) -> LinePlot {
    let names = Set(reports.flatMap(\.cpu_percent.keys)).sorted()
    var curves = names.enumerated().map { index, name in
      LinePlot.Curve(
        name: name,
        points: reports.compactMap { report in
          report.cpu_percent[name].map { PlotPoint(x: report.offered_per_second, y: $0) }
        }, color: LinePlot.color(index), isDashed: index >= LinePlot.palette.count, hasDots: true)
    }
    curves.append(
      LinePlot.Curve(
        name: "all together",
        points: reports.map { PlotPoint(x: $0.offered_per_second, y: $0.total_cpu_percent) }, color: "#000000",
        isDashed: true, hasDots: true))
    return LinePlot(
      title: "CPU against offered rate", subtitle: "percent of one core, load generator included",
      horizontal: rateAxis(reports), vertical: .linear("percent", upTo: reports.map(\.total_cpu_percent).max() ?? 1),
      curves: curves)
  }

  private static func rateAxis(_ reports: [LoadReport]) -> PlotAxis {
    .linear("orders offered a second", upTo: reports.map(\.offered_per_second).max() ?? 1)
  }
}
