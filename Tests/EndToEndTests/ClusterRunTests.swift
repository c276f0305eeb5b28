import Foundation
import Testing

/// Whole clusters of real processes: each test starts one, drives it and has it audited.
@Suite(.serialized) struct ClusterRunTests {
  static let invariants = [
    "acknowledged_once", "deterministic", "credit", "conservation", "one_owner", "root_chain", "exit", "solvency",
    "order_terms", "streams", "positions", "liveness",
  ]

  /// cluster/test --long: heavier load, more kills.
  static let isLong = ProcessInfo.processInfo.environment["NOVATION_LONG_TESTS"] != nil

  @Test func aRunSettlesWhatItAcknowledgedAndBreachesNothing() throws {
    let scratch = ScratchDirectory()
    let run = try NovationProgram.run([
      "run", "--data", scratch.path, "--seconds", Self.isLong ? "30" : "5", "--load", Self.isLong ? "20000" : "2000",
      "--batch", "16", "--accounts", "16", "--json",
    ])
    #expect(run.code == 0, "\(run.errors)\n\(run.output)")
    let report = run.json
    #expect(!run.output.contains("\u{1b}"))
    #expect((report["sent"] as? Int ?? 0) > 8_000)
    let acknowledged = report["acknowledged"] as? Int ?? 0
    // A cancel that comes after its order was filled is the market's doing; how many there are, the index decides.
    let refused = report["rejected"] as? [String: Int] ?? [:]
    let late = refused["unknown_order"] ?? 0
    #expect(acknowledged > 8_000)
    #expect(Double(refused.values.reduce(0, +) - late) < 0.02 * Double(acknowledged))
    #expect(Double(late) < 0.2 * Double(acknowledged))
    #expect((report["filled"] as? Int ?? 0) > 0)
    #expect((report["epochs"] as? Int ?? 0) >= 5)
    let found = report["invariants"] as? [[String: Any]] ?? []
    #expect(found.map { $0["name"] as? String ?? "" } == Self.invariants)
    for invariant in found {
      #expect((invariant["checks"] as? Int ?? 0) > 0, "\(invariant)")
      #expect(invariant["breaches"] as? Int == 0, "\(invariant)")
    }
  }

  /// Without a load the built-in makers quote, in sets and under protection.
  @Test func marketMakersQuoteAndBreachNothing() throws {
    let scratch = ScratchDirectory()
    let run = try NovationProgram.run([
      "run", "--data", scratch.path, "--seconds", Self.isLong ? "30" : "4", "--json",
    ])
    #expect(run.code == 0, "\(run.errors)\n\(run.output)")
    let report = run.json
    let acknowledged = report["acknowledged"] as? Int ?? 0
    let rejected = (report["rejected"] as? [String: Int] ?? [:]).values.reduce(0, +)
    #expect(acknowledged > 2_000 && Double(rejected) < 0.02 * Double(acknowledged), "\(run.output)")
    #expect((report["filled"] as? Int ?? 0) > 0)
  }

  @Test func aClusterStartedAgainGoesOnWhereItWas() throws {
    let scratch = ScratchDirectory()
    let arguments = [
      "run", "--data", scratch.path, "--seconds", "2", "--load", "1000", "--accounts", "8", "--json",
    ]
    let first = try NovationProgram.run(arguments)
    #expect(first.code == 0, "\(first.errors)")
    let second = try NovationProgram.run(arguments)
    #expect(second.code == 0, "\(second.errors)")
    #expect((second.json["epochs"] as? Int ?? 0) > (first.json["epochs"] as? Int ?? 0))
  }

  @Test func aSecondSupervisorOnTheSameDataIsRefused() throws {
    let scratch = ScratchDirectory()
    try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
    let lock = open("\(scratch.path)/supervisor.pid", O_RDWR | O_CREAT, 0o600)
    defer { close(lock) }
    #expect(flock(lock, LOCK_EX) == 0)
    let refused = try NovationProgram.run(["run", "--data", scratch.path, "--seconds", "1", "--json"])
    #expect(refused.code == 2)
    #expect(refused.errors.contains("a cluster runs here already"))
  }

  @Test(arguments: ["matcher", "risk", "settlement", "gateway", "marks", "verifier"])
  func aKilledProcessIsStartedAgainAndNothingIsLost(role: String) throws {
    let drill = try NovationProgram.run([
      "drill", "kill", "--role", role, "--times", Self.isLong ? "4" : "1", "--seconds", Self.isLong ? "24" : "3",
      "--load", "1000", "--json",
    ])
    #expect(drill.code == 0, "\(drill.errors)\n\(drill.output)")
    #expect(drill.json["passed"] as? Bool == true)
    let kills = drill.json["kills"] as? [[String: Any]] ?? []
    #expect(kills.count == (Self.isLong ? 4 : 1))
    for kill in kills {
      #expect((kill["orders_before"] as? Int ?? 0) > 0)
      #expect((kill["orders_after"] as? Int ?? 0) > 0)
    }
  }

  #if NOVATION_PLANT
    /// Each planted bug, and the invariant that must report it.
    @Test(arguments: [
      ("mint-unit", "conservation"), ("break-priority", "order_terms"), ("drop-fill", "positions"),
    ])
    func aPlantedBugIsReported(bug: String, invariant: String) throws {
      let scratch = ScratchDirectory()
      let run = try NovationProgram.run([
        "run", "--data", scratch.path, "--seconds", "2", "--load", "1000", "--accounts", "8", "--json", "--plant", bug,
      ])
      #expect(run.code == 1, "\(run.errors)")
      let found = run.json["invariants"] as? [[String: Any]] ?? []
      let breaches = found.first { $0["name"] as? String == invariant }?["breaches"] as? Int ?? 0
      #expect(breaches > 0, "\(bug) was not seen by \(invariant): \(run.output)")
    }

    @Test func anAcknowledgementBeforeTheSyncIsCaughtByAKill() throws {
      let scratch = ScratchDirectory()
      let drill = try NovationProgram.run([
        "drill", "kill", "--role", "matcher", "--times", "2", "--seconds", "4", "--load", "1000", "--json", "--data",
        scratch.path, "--plant", "acknowledge-before-sync",
      ])
      #expect(drill.code == 1)
      let found = drill.json["invariants"] as? [[String: Any]] ?? []
      let breaches = found.first { $0["name"] as? String == "acknowledged_once" }?["breaches"] as? Int ?? 0
      #expect(breaches > 0, "\(drill.output)")
    }
  #endif
}
