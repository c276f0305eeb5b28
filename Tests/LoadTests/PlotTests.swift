import Foundation
import FoundationXML
import Histogram
import Testing

@testable import Operations

struct PlotTests {
  private static func outcome(_ rate: Int, _ micros: [UInt64]) -> LoadSession.Outcome {
    var latencies = Histogram<UInt64>(highestTrackableValue: 120_000_000, numberOfSignificantValueDigits: .three)
    for value in micros { latencies.record(value) }
    var report = LoadReport()
    report.rate = rate
    report.offered_per_second = Double(rate)
    report.ack_latency_us.max = Int64(micros.max() ?? 0)
    report.ack_latency_us.p50 = 500
    report.cpu_percent = ["a<b>&\"c\"": 12, "load": 3]
    report.total_cpu_percent = 15
    return LoadSession.Outcome(report: report, latencies: latencies)
  }

  private final class Elements: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var characters = ""
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) { counts[name, default: 0] += 1 }
    func parser(_ parser: XMLParser, foundCharacters string: String) { characters += string }
  }

  private static func parse(_ svg: String) throws -> Elements {
    let elements = Elements()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = elements
    try #require(parser.parse(), "not well-formed: \(parser.parserError.map { "\($0)" } ?? "")")
    return elements
  }

  @Test func onePictureIsWellFormed() throws {
    let elements = try Self.parse(LoadPlots.svg([Self.outcome(1_000, Array(1...5_000))]))
    #expect(elements.counts["svg"] == 1)
    #expect(elements.characters.contains("99.9 %"))
    #expect(elements.characters.contains("1000 orders/s"))
  }

  @Test func aSweepHasThreePicturesAndItsNamesAreEscaped() throws {
    let elements = try Self.parse(
      LoadPlots.svg([Self.outcome(1_000, [100, 2_000]), Self.outcome(2_000, [100, 90_000])]))
    #expect(elements.characters.contains("CPU against offered rate"))
    #expect(elements.characters.contains("a<b>&\"c\""))
    // A dot for each of four latencies and three processes, the sum included, at two rates.
    #expect(elements.counts["circle"] == 14)
  }

  @Test func aLoadWithoutAnswersCanBeDrawn() throws {
    _ = try Self.parse(LoadPlots.svg([Self.outcome(1_000, [])]))
    _ = try Self.parse(LoadPlots.svg([Self.outcome(1_000, []), Self.outcome(2_000, [])]))
  }

  @Test func coordinatesStayInThePicture() throws {
    let axis = PlotAxis.linear("x", upTo: 42_000)
    #expect(axis.place(0) == 0 && axis.place(axis.range.upperBound) == 1)
    #expect(axis.range.upperBound >= 42_000)
    #expect(axis.place(1e12) == 1 && axis.place(-5) == 0)
    let decades = PlotAxis.logarithmic("ms", from: 0.3, to: 250)
    #expect(decades.range == 0.1...1_000)
    #expect(abs(decades.place(10) - 0.5) < 1e-9)
  }

  @Test func eachNineTakesTheSameRoom() {
    let axis = PlotAxis.percentiles(upTo: 50_000)
    #expect(axis.ticks.map(\.label) == ["0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"])
    #expect(abs(axis.place(10) - 0.2) < 1e-9)
    #expect(abs(axis.place(1_000) - 0.6) < 1e-9)
  }

  @Test func controlCharactersAreNotWritten() throws {
    #expect(SVGText.escaped("a\u{01}b<") == "a b&lt;")
  }

  /// HdrHistogram's plotters split on white space and want value, percentile, count, 1/(1-percentile).
  @Test func thePercentileTextIsHdrHistograms() throws {
    let text = PercentileDistribution.text(Self.outcome(1, Array(1...100_000)).latencies)
    let lines = text.split(separator: "\n")
    #expect(lines[0].split(separator: " ") == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"])
    let rows = lines.dropFirst().filter { !$0.hasPrefix("#") }.map {
      $0.split(separator: " ").compactMap { Double($0) }
    }
    #expect(rows.count > 50)
    #expect(rows.dropLast().allSatisfy { $0.count == 4 })
    let median = try #require(rows.first { $0[1] >= 0.5 })
    #expect(abs(median[0] - 50) < 0.5)
    #expect(rows.last?[2] == 100_000)
    #expect(text.contains("#[Mean"))
  }

  @Test func aTableHasALineForEachRate() {
    let text = LoadTable.text([Self.outcome(1_000, [5]).report, Self.outcome(2_000, [5]).report])
    #expect(text.split(separator: "\n").count == 7)
    #expect(text.contains("achieved/s"))
  }

  @Test func theBarSaysWhatIsGoingOn() {
    var progress = LoadGenerator.Progress(share: 0.5, rate: 900, isWarmup: false, sent: 10, acknowledged: 9)
    #expect(ProgressBar.line(progress).contains("50 %") && ProgressBar.line(progress).contains("9 of 10"))
    progress.isWarmup = true
    progress.share = 1
    #expect(ProgressBar.line(progress).contains("warming up"))
  }
}
