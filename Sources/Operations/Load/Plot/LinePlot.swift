import Foundation

/// One chart of curves over common axes, drawn as SVG.
struct LinePlot {
  struct Curve {
    var name: String
    var points: [PlotPoint]
    var color: String
    var isDashed = false
    /// A dot at each point, for curves of a few measured ones.
    var hasDots = false
  }

  /// A moment, or a while, of the horizontal axis, with its name.
  struct Mark {
    var from: Double
    var to: Double?
    var name: String
  }

  var title: String
  var subtitle: String
  var horizontal: PlotAxis
  var vertical: PlotAxis
  var curves: [Curve]
  var marks: [Mark] = []

  static let width = 760.0
  static let height = 400.0
  private static let left = 74.0
  private static let right = 176.0
  private static let top = 58.0
  private static let bottom = 54.0

  /// Colours that stay apart for colour-blind eyes (Okabe and Ito).
  static let palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555"]

  static func color(_ index: Int) -> String { palette[index % palette.count] }

  /// Draws the chart with its upper left corner at (0, `offset`).
  func draw(into svg: inout SVGText, offset: Double) {
    let area = (x: Self.left, y: offset + Self.top, w: innerWidth, h: innerHeight)
    svg.text(title, x: Self.left, y: offset + 24, size: 16, weight: "600")
    svg.text(subtitle, x: Self.left, y: offset + 43, size: 12, color: "#666666")
    for tick in horizontal.ticks {
      let x = area.x + horizontal.place(tick.value) * area.w
      svg.line((x, area.y), (x, area.y + area.h), color: tick.label.isEmpty ? "#f3f3f3" : "#e2e2e2")
      if !tick.label.isEmpty { svg.text(tick.label, x: x, y: area.y + area.h + 18, anchor: "middle") }
    }
    for tick in vertical.ticks {
      let y = area.y + (1 - vertical.place(tick.value)) * area.h
      svg.line((area.x, y), (area.x + area.w, y), color: tick.label.isEmpty ? "#f3f3f3" : "#e2e2e2")
      if !tick.label.isEmpty { svg.text(tick.label, x: area.x - 8, y: y + 4, anchor: "end") }
    }
    svg.line((area.x, area.y), (area.x, area.y + area.h), color: "#444444")
    svg.line((area.x, area.y + area.h), (area.x + area.w, area.y + area.h), color: "#444444")
    svg.text(horizontal.title, x: area.x + area.w / 2, y: area.y + area.h + 40, anchor: "middle", color: "#333333")
    svg.verticalText(vertical.title, x: 18, y: area.y + area.h / 2)
    for (index, mark) in marks.enumerated() {
      let x = area.x + horizontal.place(mark.from) * area.w
      let end = area.x + horizontal.place(mark.to ?? mark.from) * area.w
      svg.box((x, area.y), (max(1.5, end - x), area.h), color: "#d55e00")
      // Names lie at three heights, so that neighbours do not cover each other.
      svg.text(mark.name, x: x + 3, y: area.y + 11 + Double(index % 3) * 13, size: 10, color: "#a04000")
    }
    for (index, curve) in curves.enumerated() {
      let points = curve.points.map { point in
        (area.x + horizontal.place(point.x) * area.w, area.y + (1 - vertical.place(point.y)) * area.h)
      }
      svg.polyline(points, color: curve.color, isDashed: curve.isDashed)
      if curve.hasDots { for point in points { svg.dot(point, color: curve.color) } }
      let y = area.y + 10 + Double(index) * 19
      let x = area.x + area.w + 16
      svg.polyline([(x, y), (x + 22, y)], color: curve.color, isDashed: curve.isDashed)
      svg.text(curve.name, x: x + 29, y: y + 4)
    }
  }

  private var innerWidth: Double { Self.width - Self.left - Self.right }
  private var innerHeight: Double { Self.height - Self.top - Self.bottom }

  /// The charts one under the other, as one SVG document.
  static func document(_ plots: [LinePlot]) -> String {
    var svg = SVGText(width: width, height: height * Double(plots.count))
    for (index, plot) in plots.enumerated() { plot.draw(into: &svg, offset: height * Double(index)) }
    return svg.finish()
  }
}
