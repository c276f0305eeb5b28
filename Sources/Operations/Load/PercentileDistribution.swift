import Histogram

/// A latency histogram (in microseconds) as text and as a curve.
public enum PercentileDistribution {
  /// Reporting points in each halving of the distance to 100 %.
  static let ticksPerHalfDistance = 5

  /// HdrHistogram's percentile text (`.hgrm`), in milliseconds: what its plotters read.
  public static func text(_ latencies: Histogram<UInt64>) -> String {
    var text = ""
    latencies.outputPercentileDistribution(
      to: &text, outputValueUnitScalingRatio: 1_000, percentileTicksPerHalfDistance: ticksPerHalfDistance)
    return text
  }

  /// Points of the latency-by-percentile curve: 1 / (1 − percentile), and milliseconds. The last one is the maximum,
  /// at the number of recorded values.
  static func curve(_ latencies: Histogram<UInt64>) -> [PlotPoint] {
    guard latencies.totalCount > 0 else { return [] }
    let last = Double(latencies.totalCount)
    var points: [PlotPoint] = []
    for step in latencies.percentiles(ticksPerHalfDistance: ticksPerHalfDistance) {
      let below = 1 - step.percentileLevelIteratedTo / 100
      let x = below > 0 ? min(1 / below, last) : last
      points.append(PlotPoint(x: max(1, x), y: Double(step.value) / 1_000))
    }
    return points
  }
}
