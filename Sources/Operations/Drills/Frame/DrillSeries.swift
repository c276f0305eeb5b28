import Foundation

/// Several drills, one after the other.
public struct DrillSeries {
  public struct Report: Codable, Sendable {
    public var passed: Bool
    public var seed: UInt64
    public var seconds: Double
    public var failed: [String]
    public var drills: [DrillReport]
  }

  private let drills: [any Drill]
  private let options: DrillOptions
  private let executable: String
  private let outputDirectory: String

  /// Where pictures and reports go when nobody says otherwise.
  public static let defaultDirectory = "drills"

  /// - Parameter outputDirectory: where each drill's report and picture go.
  public init(_ drills: [any Drill], _ options: DrillOptions, executable: String, outputDirectory: String) {
    self.drills = drills
    self.options = options
    self.executable = executable
    self.outputDirectory = outputDirectory
  }

  /// - Parameter ended: told after each drill. An interruption ends the series; what was not run is missing from it.
  public func run(ended: (DrillReport) -> Void) throws -> Report {
    try FileManager.default.createDirectory(atPath: outputDirectory, withIntermediateDirectories: true)
    let started = Date()
    var reports: [DrillReport] = []
    for drill in drills {
      var options = options
      options.svgPath = "\(outputDirectory)/\(drill.name).svg"
      let report = DrillRunner(drill, options, executable: executable).run()
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try encoder.encode(report).write(to: URL(fileURLWithPath: "\(outputDirectory)/\(drill.name).json"))
      reports.append(report)
      ended(report)
      if Interruption.wasRequested { break }
    }
    return Report(
      reports, of: drills.count, seed: options.seed, seconds: Date().timeIntervalSince(started))
  }
}

extension DrillSeries.Report {
  /// Of the drills that were run, of so many.
  public init(_ drills: [DrillReport], of count: Int, seed: UInt64, seconds: Double) {
    failed = drills.filter { !$0.passed }.map(\.drill)
    passed = failed.isEmpty && drills.count == count
    self.seed = seed
    self.seconds = seconds
    self.drills = drills
  }
}

extension DrillSeries.Report {
  /// Writes it as JUnit's XML.
  public func writeJUnit(to path: String) throws {
    try Data(junit.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  /// As JUnit's XML, which build servers read.
  public var junit: String {
    func seconds(_ value: Double) -> String { String(format: "%.3f", value) }
    var text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuite name="novation drills" tests="\(drills.count)" failures="\(failed.count)" errors="0" \
      time="\(seconds(self.seconds))">

      """
    for drill in drills {
      let name = SVGText.escaped(drill.drill)
      text += "  <testcase classname=\"novation.drill\" name=\"\(name)\" time=\"\(seconds(drill.seconds))\""
      if drill.passed {
        text += "/>\n"
      } else {
        let first = SVGText.escaped(drill.problems.first ?? "")
        let all = SVGText.escaped(drill.problems.joined(separator: "; "))
        text += ">\n    <failure message=\"\(first)\">\(all)</failure>\n  </testcase>\n"
      }
    }
    return text + "</testsuite>\n"
  }
}

extension DrillReport {
  /// One line of a table.
  public var row: String {
    let name = drill.padding(toLength: 26, withPad: " ", startingAt: 0)
    func number(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    return name + (passed ? "passed" : "FAILED") + number("\(injections.count)", 8)
      + number(recovery_ms.isEmpty ? "-" : String(format: "%.0f", recovery_ms_median), 12)
      + number("\(traffic_before)", 9) + number("\(traffic_after)", 9) + number(String(format: "%.0f", seconds), 6)
      + (problems.first.map { "  \($0)" } ?? "")
  }

  /// Head of that table.
  public static var rowTitle: String {
    "drill".padding(toLength: 26, withPad: " ", startingAt: 0)
      + "verdict  faults  recovery ms  before/s  after/s    s"
  }

  /// The whole, for people.
  public var text: String {
    var lines: [String] = []
    for injection in injections {
      let proof = injection.proof.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
      lines.append(
        "at \(Self.tenths(injection.at_seconds)) s: \(injection.what): "
          + (injection.recovery_ms.map { "back after \(Int($0)) ms, " } ?? "")
          + "\(injection.traffic_before) orders/s before, \(injection.traffic_after) after; \(proof)")
    }
    for (name, value) in figures.sorted(by: { $0.key < $1.key }) {
      lines.append("  \(name): \(String(format: "%g", value))")
    }
    for invariant in invariants {
      lines.append("  \(invariant.name): \(invariant.checks) checks, \(invariant.breaches) breaches")
    }
    if let svg { lines.append("  timeline: \(svg)") }
    for problem in problems { lines.append("problem: \(problem)") }
    lines.append("\(drill): \(passed ? "passed" : "FAILED")")
    return lines.joined(separator: "\n")
  }
}
