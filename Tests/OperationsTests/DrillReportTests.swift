import Foundation
import FoundationXML
import Testing

@testable import Operations

/// When a drill has passed, and when it has not.
struct DrillReportTests {
  /// One that has passed.
  private static func report() -> DrillReport {
    var report = DrillReport(drill: "example", what: "nothing", seed: 1)
    report.injections = [
      DrillReport.Injection(
        at_seconds: 1, what: "a fault", proof: ["bites": 3], traffic_before: 100, traffic_after: 90, recovery_ms: 40),
      DrillReport.Injection(
        at_seconds: 2, what: "another", proof: ["bites": 1], traffic_before: 90, traffic_after: 80, recovery_ms: 60),
    ]
    report.invariants = [AuditReport.Invariant(name: "credit", checks: 5, breaches: 0)]
    return report
  }

  private static func judged(wasAudited: Bool = true, _ change: (inout DrillReport) -> Void) -> DrillReport {
    var report = report()
    change(&report)
    report.judge(wasAudited: wasAudited)
    return report
  }

  @Test func aProvenDrillOnWhichNothingBrokePasses() {
    let report = Self.judged { _ in }
    #expect(report.passed)
    #expect(report.problems.isEmpty)
    #expect(report.traffic_before == 100)
    #expect(report.traffic_after == 80)
    #expect(report.recovery_ms == [40, 60])
    #expect(report.recovery_ms_median == 60)
  }

  @Test func aDrillThatInjectedNothingFails() {
    let report = Self.judged { $0.injections = [] }
    #expect(!report.passed)
    #expect(report.problems == ["nothing was injected"])
  }

  @Test func aFaultThatDidNotBiteFails() {
    #expect(Self.judged { $0.injections[1].proof["bites"] = 0 }.problems.count == 1)
    #expect(!Self.judged { $0.injections[0].proof["other"] = 0 }.passed)
    #expect(!Self.judged { $0.injections[0].proof["fewer"] = -4 }.passed)
    #expect(!Self.judged { $0.injections[0].proof = [:] }.passed)
  }

  @Test func aFaultWithoutTrafficAroundItFails() {
    #expect(!Self.judged { $0.injections[0].traffic_before = 0 }.passed)
    #expect(!Self.judged { $0.injections[1].traffic_after = 0 }.passed)
  }

  @Test func anOutcomeThatWasNotAuditedOrNotSoundFails() {
    #expect(!Self.judged(wasAudited: false) { _ in }.passed)
    #expect(!Self.judged { $0.invariants[0].breaches = 1 }.passed)
    #expect(!Self.judged { $0.invariants[0].checks = 0 }.passed)
    #expect(
      !Self.judged {
        var load = LoadReport()
        load.unanswered = 1
        $0.load = load
      }.passed)
  }

  @Test func theSeriesIsWellFormedForBuildServers() throws {
    var failed = Self.judged { $0.injections = [] }
    failed.problems.append("a <tag> & \"quotes\"")
    let series = DrillSeries.Report(
      passed: false, seed: 1, seconds: 12, failed: ["example"], drills: [Self.judged { _ in }, failed])
    let parser = XMLParser(data: Data(series.junit.utf8))
    #expect(parser.parse(), "\(series.junit)")
    #expect(series.junit.contains("tests=\"2\" failures=\"1\""))
    #expect(series.junit.contains("<failure message=\"nothing was injected\">"))
  }

  @Test func theTimelineIsDrawnWithEveryFaultMarked() throws {
    let slices = (0..<30).map { number in
      LoadTimeline.Slice(
        at_ms: 1_000 + Int64(number) * 100, accepted: [10, number], rejected: 0, deferred: 0, p50_us: 900,
        p99_us: 2_000,
        max_us: 5_000, acknowledged_through: [1, 2])
    }
    let svg = DrillPlot.svg(Self.judged { $0.injections[0].healed_seconds = 1.7 }, slices, start: 1_000)
    #expect(XMLParser(data: Data(svg.utf8)).parse())
    // A box and a name for each fault, in both charts.
    #expect(svg.components(separatedBy: "fill-opacity").count - 1 == 4)
    #expect(svg.components(separatedBy: ">another<").count - 1 == 2)
    #expect(svg.contains("shard 1"))
  }

  @Test func everyDrillHasANameOfItsOwnAndSaysWhatItDoes() throws {
    let drills = DrillTable.drills
    #expect(drills.count >= 24)
    #expect(Set(drills.map(\.name)).count == drills.count)
    let form = try Regex("[a-z0-9]+(-[a-z0-9]+)*")
    for drill in drills {
      #expect(drill.name.wholeMatch(of: form) != nil, "\(drill.name)")
      #expect(drill.what.count > 30 && !drill.what.contains("\n"), "\(drill.name): \(drill.what)")
    }
  }

  @Test func whatADrillLacksIsNamedWithThePackageThatBringsIt() {
    #expect(DrillNeed.program("sh", package: "dash").complaint == nil)
    #expect(DrillNeed.program("no-such-program", package: "its-package").complaint?.contains("its-package") == true)
    #expect(DrillNeed.file("/no/such/file", package: "its-package").complaint?.contains("its-package") == true)
    #expect(DrillNeed.file("/no/such/device", package: "").complaint?.contains("kernel") == true)
  }

  @Test func aDrillThatTheMachineCannotDoFailsWithTheReason() {
    struct Impossible: Drill {
      let name = "impossible"
      let what = "needs what no machine has"
      let needs: [DrillNeed] = [.file("/no/such/device", package: "")]
      func run(in stage: DrillStage) throws {}
    }
    let report = DrillRunner(Impossible(), DrillOptions(), executable: "/bin/false").run()
    #expect(!report.passed)
    #expect(report.problems == ["it needs /no/such/device, which this kernel lacks"])
  }
}
