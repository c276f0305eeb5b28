import Foundation
import Operations
import Testing

/// Drills on clusters of real processes. `novation drill all` runs them all; here is a short selection.
@Suite(.serialized) struct DrillTests {
  private static func drill(_ arguments: String...) throws -> NovationProgram.Result {
    try NovationProgram.run(["drill"] + arguments)
  }

  @Test func theListIsOneArrayOfNamesAndWords() throws {
    let list = try Self.drill("list", "--json")
    #expect(list.code == 0)
    let found = try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [[String: String]] ?? []
    #expect(found.count >= 24)
    for entry in found { #expect(Set(entry.keys) == ["name", "what"], "\(entry)") }
  }

  @Test func anUnknownDrillIsRefusedWithWhatItMayHaveMeant() throws {
    let refused = try Self.drill("run", "kill-matchr")
    #expect(refused.code == 2)
    #expect(refused.errors.contains("kill-matcher"), "\(refused.errors)")
  }

  @Test(arguments: [
    "stop-cont", "replayed-orders", "forged-node-keys", "damaged-record", "settlement-steps", "poison-input",
  ])
  func aDrillProvesItsFaultsAndNothingIsLost(name: String) throws {
    let scratch = ScratchDirectory()
    try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
    let svg = "\(scratch.path)/timeline.svg"
    let drill = try Self.drill("run", name, "--seconds", "3", "--json", "--svg", svg)
    #expect(drill.code == 0, "\(drill.errors)\n\(drill.output)")
    let report = drill.json
    #expect(report["drill"] as? String == name)
    #expect(report["passed"] as? Bool == true)
    #expect((report["problems"] as? [String])?.isEmpty == true)
    #expect((report["traffic_before"] as? Int ?? 0) > 0)
    #expect((report["traffic_after"] as? Int ?? 0) > 0)
    #expect((report["recovery_ms_median"] as? Double ?? 0) > 0)
    #expect((report["invariants"] as? [[String: Any]])?.count == 12)
    #expect((report["state_root"] as? String ?? "").hasPrefix("0x"))
    let injections = report["injections"] as? [[String: Any]] ?? []
    #expect(!injections.isEmpty)
    for injection in injections {
      let proof = injection["proof"] as? [String: Int] ?? [:]
      #expect(!proof.isEmpty && proof.values.allSatisfy { $0 > 0 }, "\(injection)")
    }
    #expect(try String(contentsOfFile: svg, encoding: .utf8).contains("fill-opacity"))
  }

  /// The same drills with their faults left out.
  @Test(arguments: ["kill-matcher", "stop-cont", "client-garbage"])
  func aDrillWithoutItsFaultFails(name: String) throws {
    let scratch = ScratchDirectory()
    let drill = try Self.drill("run", name, "--disarmed", "--seconds", "1", "--json", "--data", scratch.path)
    #expect(drill.code == 1, "\(drill.output)")
    #expect(drill.json["passed"] as? Bool == false)
    let problems = drill.json["problems"] as? [String] ?? []
    #expect(problems.contains { $0.contains("it did not bite") }, "\(problems)")
  }

  @Test func aRunningClusterCanBeDrilledAndGoesOn() throws {
    let cluster = try TestCluster()
    let drill = try cluster.novation("drill", "run", "kill-risk", "--seconds", "2")
    #expect(drill.code == 0, "\(drill.errors)\n\(drill.output)")
    let refused = try cluster.novation("drill", "run", "damaged-record")
    #expect(refused.code == 1)
    #expect("\(refused.json["problems"] ?? "")".contains("one of its own making"), "\(refused.output)")
    try cluster.expectCleanEnd()
  }

  private static let canMakeNetworks =
    geteuid() == 0 && ["ip", "iptables"].allSatisfy { DrillNeed.program($0, package: "").complaint == nil }

  @Test(.enabled(if: canMakeNetworks)) func anInterruptedDrillTakesItsNetworkAway() throws {
    let scratch = ScratchDirectory()
    try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
    let words = "\(scratch.path)/words"
    _ = FileManager.default.createFile(atPath: words, contents: nil)
    let process = Process()
    process.executableURL = NovationProgram.executable
    process.arguments = ["drill", "run", "network-cut", "--data", "\(scratch.path)/d", "--seconds", "60"]
    process.currentDirectoryURL = NovationProgram.packageRoot
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: words))
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    func namespaces() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: "/run/netns")
        .filter { $0.hasPrefix("novation-drill-\(process.processIdentifier)-") }
    }
    try waitUntil("the network is cut", seconds: 90) {
      try String(contentsOfFile: words, encoding: .utf8).contains("cut off")
    }
    #expect(try !namespaces().isEmpty)
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(try namespaces().isEmpty)
  }
}
