import Foundation

/// A point of a curve, in the axes' units.
struct PlotPoint: Sendable, Hashable {
  var x: Double
  var y: Double
}

/// One axis: its range, its scale, and where its ticks are.
struct PlotAxis {
  enum Scale { case linear, logarithmic }

  var title: String
  var range: ClosedRange<Double>
  var scale = Scale.linear
  /// A tick's value and label; the label is empty for a minor one.
  var ticks: [(value: Double, label: String)]

  /// From zero to a round number at or above `largest`, with about five ticks.
  static func linear(_ title: String, upTo largest: Double) -> PlotAxis {
    let step = roundStep(max(largest, 1e-9) / 5)
    let count = max(1, Int((largest / step).rounded(.up)))
    let ticks = (0...count).map { (value: Double($0) * step, label: label(Double($0) * step)) }
    return PlotAxis(title: title, range: 0...(Double(count) * step), ticks: ticks)
  }

  /// Whole decades around the values, with a label at each and minor ticks between.
  static func logarithmic(_ title: String, from smallest: Double, to largest: Double) -> PlotAxis {
    let low = Int(log10(max(smallest, 1e-6)).rounded(.down))
    let high = max(low + 1, Int(log10(max(largest, 1e-6)).rounded(.up)))
    var ticks: [(value: Double, label: String)] = []
    for decade in low...high {
      let base = pow(10, Double(decade))
      ticks.append((base, label(base)))
      if decade < high { for part in 2...9 { ticks.append((base * Double(part), "")) } }
    }
    return PlotAxis(
      title: title, range: pow(10, Double(low))...pow(10, Double(high)), scale: .logarithmic, ticks: ticks)
  }

  /// Percentiles on the scale of 1 / (1 − percentile), so that each nine takes the same room.
  static func percentiles(upTo largest: Double) -> PlotAxis {
    let names = ["0", "90", "99", "99.9", "99.99", "99.999", "99.9999", "99.99999"]
    let nines = min(names.count - 1, max(2, Int(log10(max(10, largest)).rounded(.up))))
    let ticks = (0...nines).map { (value: pow(10, Double($0)), label: names[$0] + " %") }
    return PlotAxis(
      title: "percentile of orders", range: 1...pow(10, Double(nines)), scale: .logarithmic, ticks: ticks)
  }

  /// Where a value lies on the axis, 0 at its beginning and 1 at its end; outside values stop at the ends.
  func place(_ value: Double) -> Double {
    let value = min(max(value, range.lowerBound), range.upperBound)
    switch scale {
    case .linear: return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    case .logarithmic:
      return (log(value) - log(range.lowerBound)) / (log(range.upperBound) - log(range.lowerBound))
    }
  }

  /// 1, 2 or 5 times a power of ten, at or above `step`.
  private static func roundStep(_ step: Double) -> Double {
    let base = pow(10, log10(step).rounded(.down))
    for factor in [1.0, 2, 5] where factor * base >= step * (1 - 1e-9) { return factor * base }
    return 10 * base
  }

  /// `50000` as `50k`, `0.5` as it is.
  static func label(_ value: Double) -> String {
    if value >= 1_000_000 { return String(format: "%gM", value / 1_000_000) }
    if value >= 10_000 { return String(format: "%gk", value / 1_000) }
    return String(format: "%g", value)
  }
}
