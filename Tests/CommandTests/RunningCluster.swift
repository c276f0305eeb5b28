import Foundation
import Testing

/// One small cluster for all commands that need one: started before the first test, stopped after the last.
struct RunningCluster: SuiteTrait, TestScoping {
  /// Its data directory.
  @TaskLocal static var data = ""

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let scratch = ScratchDirectory()
    let data = "\(scratch.path)/d"
    try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
    let cluster = Process()
    cluster.executableURL = URL(fileURLWithPath: Program.path)
    // It ends by itself, should this process be killed; other tests may keep these from running for minutes before.
    cluster.arguments = [
      "run", "--data", data, "--load", "100", "--batch", "4", "--accounts", "2", "--nodes", "1", "--shards", "2",
      "--seconds", "900", "--json",
    ]
    cluster.currentDirectoryURL = Program.packageRoot
    let log = "\(scratch.path)/run.log"
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    cluster.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    cluster.standardError = cluster.standardOutput
    try cluster.run()
    defer { if cluster.isRunning { cluster.terminate() } }
    let deadline = Date().addingTimeInterval(60)
    while try Program.run("status", "--data", data).code != 0 {
      try #require(
        Date() < deadline && cluster.isRunning, "\((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
      usleep(100_000)
    }
    try await Self.$data.withValue(data) { try await function() }
    try Self.expectOrderlyEnd(of: data)
  }

  /// What was proven stays provable when nothing runs any more.
  private static func expectOrderlyEnd(of data: String) throws {
    let proof = "\(data).proof"
    let number = try Program.run("account", "create", "--data", data, "--json").json()["account"] as? Int ?? 0
    var exported = try Program.run("proof", "\(number)", "--data", data, "--out", proof)
    for _ in 0..<100 where exported.code != 0 {
      usleep(100_000)
      exported = try Program.run("proof", "\(number)", "--data", data, "--out", proof)
    }
    #expect(exported.code == 0, "\(exported.errors)")
    let stopped = try Program.run("stop", "--data", data, "--json")
    #expect(stopped.code == 0, "\(stopped.errors)")
    let report = try stopped.json()
    #expect(report["was_running"] as? Bool == true)
    #expect(report["is_stopped"] as? Bool == true)
    let again = try Program.run("stop", "--data", data)
    #expect(again.code == 0)
    #expect(again.output.contains("nothing runs"))
    let verified = try Program.run("verify-proof", proof, "--data", data, "--json")
    #expect(verified.code == 0, "\(verified.output)\(verified.errors)")
    #expect(try verified.json()["against"] as? String == "ledger")
    let status = try Program.run("status", "--data", data)
    #expect(status.code == 1)
    #expect(status.output.contains("DOWN"))
    try Program.run("book", "BTC-PERPETUAL", "--data", data).expectRefusal(1, "did not answer")
  }
}

/// Commands that need a running cluster; one after the other, on the same one.
@Suite(.serialized, RunningCluster()) enum ClusterCommandTests {
  /// Runs a command against the cluster.
  static func novation(_ arguments: String..., input: String = "") throws -> Program.Result {
    try Program.run(arguments + ["--data", RunningCluster.data], input: input)
  }

  /// An account with a million.
  static func account() throws -> Int {
    let created = try novation("account", "create", "--json").json()
    return try #require(created["account"] as? Int)
  }

  /// The mark of the perpetual, moved by some percent and put on its tick, as text.
  static func price(percent: Int, of instrument: String = "BTC-PERPETUAL") throws -> String {
    let book = try novation("book", instrument, "--json").json()
    let listed = try novation("instruments", "show", instrument, "--json").json()
    let mark = try #require((book["mark"] as? String).flatMap(Double.init))
    let tick = try #require((listed["tick_size"] as? String).flatMap(Double.init))
    let ticks = (mark * Double(100 + percent) / 100 / tick).rounded()
    // A whole number of ticks, printed without the noise of binary fractions.
    return String(format: "%.4f", ticks * tick)
  }
}
