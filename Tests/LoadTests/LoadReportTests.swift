import Foundation
import Market
import Testing

@testable import Operations

struct LoadReportTests {
  private static let second: Int64 = 1_000_000_000
  private static func results(_ accepted: Int, _ refused: [Outcome] = []) -> [ActionReply.Result] {
    (0..<accepted).map { _ in ActionReply.Result(outcome: .resting) }
      + refused.map { ActionReply.Result(outcome: $0) }
  }

  private static func report(_ tally: LoadTally, end: Int64 = 10 * second) -> LoadReport {
    tally.report(LoadConfiguration(), rate: 100, end: end)
  }

  @Test func everyOrderSentIsAccountedFor() {
    var tally = LoadTally(window: 0..<(10 * Self.second))
    for _ in 0..<4 { tally.submitted(32, intended: 5) }
    tally.answered(Self.results(30, [.unknownOrder, .unknownOrder]), intended: 5, now: 2_000_000)
    tally.answered(Self.results(32), intended: 5, now: 2_000_000)
    tally.refused(.badSignature, orders: 32, intended: 5)
    tally.abandoned(32, intended: 5, now: Self.second)
    let report = Self.report(tally)
    #expect(report.sent == 128)
    #expect(report.acknowledged == 62)
    #expect(report.rejected == ["unknown_order": 2, "bad_signature": 32])
    #expect(report.unanswered == 1 && report.unanswered_orders == 32)
    #expect(report.sent == report.acknowledged + report.rejected.values.reduce(0, +) + report.unanswered_orders)
    #expect(report.rejectedShare == 34.0 / 128)
  }

  @Test func latencyRunsFromTheIntendedTime() {
    var tally = LoadTally(window: 0..<(10 * Self.second))
    // Due at 1 s, answered at 1.25 s, whenever it was sent.
    tally.submitted(32, intended: Self.second)
    tally.answered(Self.results(32), intended: Self.second, now: Self.second + 250_000_000)
    let latency = Self.report(tally).ack_latency_us
    #expect(abs(latency.p50 - 250_000) < 250)
    #expect(abs(latency.max - 250_000) < 250)
  }

  @Test func anOrderWithoutAnswerCountsWithTheTimeItWasWaitedFor() {
    var tally = LoadTally(window: 0..<(10 * Self.second))
    for _ in 0..<98 { tally.answered(Self.results(1), intended: 0, now: 1_000_000) }
    for _ in 0..<2 { tally.abandoned(1, intended: 0, now: 20 * Self.second) }
    let latency = Self.report(tally).ack_latency_us
    #expect(latency.p50 < 1_100)
    #expect(latency.p99 > 19_000_000)
  }

  @Test func warmUpIsNotMeasured() {
    var tally = LoadTally(window: Self.second..<(2 * Self.second))
    tally.submitted(32, intended: 5)
    tally.answered(Self.results(31, [.unknownOrder]), intended: 5, now: 10)
    tally.refused(.expired, orders: 32, intended: 5)
    let report = Self.report(tally, end: 2 * Self.second)
    #expect(report.sent == 0 && report.acknowledged == 0 && report.rejected.isEmpty)
    #expect(report.ack_latency_us.max == 0)
  }

  @Test func whatIsAnsweredAfterTheWindowIsNotAchievedInIt() {
    var tally = LoadTally(window: 0..<Self.second)
    tally.submitted(100, intended: 1)
    tally.answered(Self.results(40), intended: 1, now: Self.second / 2)
    tally.answered(Self.results(60), intended: 1, now: Self.second + 1)
    let report = Self.report(tally, end: Self.second)
    #expect(report.acknowledged == 100)
    #expect(report.offered_per_second == 100)
    #expect(report.achieved_per_second == 40)
  }

  @Test func aWindowCutShortIsReportedAtItsOwnLength() {
    var tally = LoadTally(window: 0..<(10 * Self.second))
    tally.submitted(100, intended: 1)
    let report = Self.report(tally, end: 4 * Self.second)
    #expect(report.seconds == 4)
    #expect(report.offered_per_second == 25)
    let none = Self.report(LoadTally(window: Self.second..<(2 * Self.second)), end: 5)
    #expect(none.seconds == 0 && none.offered_per_second == 0)
  }

  @Test func theReportSurvivesItsJSON() throws {
    var tally = LoadTally(window: 0..<Self.second)
    tally.submitted(3, intended: 1)
    tally.traded(now: 5)
    var report = Self.report(tally)
    report.cpu_percent = ["risk": 12.5]
    let decoded = try JSONDecoder().decode(LoadReport.self, from: JSONEncoder().encode(report))
    #expect(decoded.sent == 3 && decoded.filled == 1 && decoded.cpu_percent == ["risk": 12.5])
  }

  @Test func theLimitIsWhatIsFull() {
    func limit(_ cpu: [String: Double], disk: Double? = nil) -> LoadLimit {
      LoadLimit(cpuPercent: cpu, diskBusyPercent: disk, cores: 2, offered: 100, achieved: 50)
    }
    #expect(limit(["risk": 97, "gateway-0": 20]).name == "risk")
    #expect(limit(["risk": 60, "gateway-0": 65, "load": 60]).name == "cpu")
    #expect(limit(["risk": 20, "gateway-0": 25], disk: 95).name == "disk")
    let idle = limit(["risk": 20, "gateway-0": 25], disk: 10)
    #expect(idle.name == "gateway-0" && idle.reason.contains("nothing is full"))
    #expect(idle.reason.contains("not kept"))
    #expect(limit([:]).name.isEmpty)
  }
}
