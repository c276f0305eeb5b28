import Foundation

/// Writes an SVG document element by element.
struct SVGText {
  private var text: String
  private static let font = "ui-sans-serif, Helvetica, Arial, sans-serif"

  init(width: Double, height: Double) {
    text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.number(width))" height="\(Self.number(height))" \
      viewBox="0 0 \(Self.number(width)) \(Self.number(height))" font-family="\(Self.font)">
      <rect width="100%" height="100%" fill="#ffffff"/>

      """
  }

  mutating func line(_ from: (Double, Double), _ to: (Double, Double), color: String) {
    text += "<line x1=\"\(Self.number(from.0))\" y1=\"\(Self.number(from.1))\" x2=\"\(Self.number(to.0))\" "
    text += "y2=\"\(Self.number(to.1))\" stroke=\"\(color)\"/>\n"
  }

  mutating func polyline(_ points: [(Double, Double)], color: String, isDashed: Bool = false) {
    guard !points.isEmpty else { return }
    let list = points.map { "\(Self.number($0.0)),\(Self.number($0.1))" }.joined(separator: " ")
    let dash = isDashed ? " stroke-dasharray=\"6 4\"" : ""
    text += "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\""
    text += " stroke-linejoin=\"round\"\(dash)/>\n"
  }

  /// See-through, over what lies below.
  mutating func box(_ corner: (Double, Double), _ size: (Double, Double), color: String) {
    text += "<rect x=\"\(Self.number(corner.0))\" y=\"\(Self.number(corner.1))\" width=\"\(Self.number(size.0))\" "
    text += "height=\"\(Self.number(size.1))\" fill=\"\(color)\" fill-opacity=\"0.18\"/>\n"
  }

  mutating func dot(_ center: (Double, Double), color: String) {
    text += "<circle cx=\"\(Self.number(center.0))\" cy=\"\(Self.number(center.1))\" r=\"3.5\" fill=\"\(color)\"/>\n"
  }

  mutating func text(
    _ words: String, x: Double, y: Double, size: Int = 12, anchor: String = "start", weight: String = "400",
    color: String = "#222222"
  ) {
    text += "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" font-size=\"\(size)\" font-weight=\"\(weight)\""
    text += " text-anchor=\"\(anchor)\" fill=\"\(color)\">\(Self.escaped(words))</text>\n"
  }

  /// Centred at the point, read from below.
  mutating func verticalText(_ words: String, x: Double, y: Double) {
    text += "<text transform=\"translate(\(Self.number(x)) \(Self.number(y))) rotate(-90)\" font-size=\"12\""
    text += " text-anchor=\"middle\" fill=\"#333333\">\(Self.escaped(words))</text>\n"
  }

  /// The whole document.
  func finish() -> String { text + "</svg>\n" }

  private static func number(_ value: Double) -> String { String(format: "%.6g", (value * 100).rounded() / 100) }

  /// Text that XML takes for nothing else; control characters, which it forbids, become spaces.
  static func escaped(_ words: String) -> String {
    var escaped = ""
    for scalar in words.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: escaped += " "
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
