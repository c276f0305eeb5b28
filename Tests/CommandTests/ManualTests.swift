import Foundation
import Testing

/// Commands that need no cluster, and the manual.
struct ManualTests {
  static let commands = [
    "run", "status", "stop", "epoch", "config", "prepare", "shard", "node", "restart", "backup", "restore", "load",
    "replay", "drill", "simulate", "account", "deposit", "withdraw", "instruments", "instrument", "journal", "book",
    "order", "cancel", "amend", "replace", "quote", "protection",
    "dead-man", "kill-switch", "outcomes", "signature-debug", "proof", "verify-proof", "version",
  ]

  @Test func theOverviewNamesEveryCommandByWhoUsesIt() throws {
    let alone = try Program.run()
    let help = try Program.run("help")
    #expect(alone.code == 0)
    #expect(help.code == 0)
    #expect(alone.output == help.output)
    #expect(try Program.run("--help").output == help.output)
    for group in ["OPERATORS", "LOAD GENERATORS", "DRILLS", "TRADERS", "AUDITORS"] {
      #expect(help.output.uppercased().contains(group), "\(group)")
    }
    for command in Self.commands { #expect(help.output.contains("\n  \(command) "), "\(command)") }
  }

  @Test(arguments: commands) func everyCommandHasAPage(_ command: String) throws {
    let page = try Program.run("help", command)
    #expect(page.code == 0)
    #expect(page.output.hasPrefix("OVERVIEW: "))
    #expect(page.output.contains("USAGE: novation \(command)"))
  }

  @Test func aMistypedCommandOrOptionIsOneLineWithWhatWasMeant() throws {
    try Program.run("stauts").expectRefusal(2, "unknown command 'stauts'", "did you mean status")
    try Program.run("frobnicate").expectRefusal(2, "unknown command 'frobnicate'", "novation help")
    try Program.run("status", "--jsn").expectRefusal(2, "--jsn", "--json", "novation help status")
    try Program.run("order", "--account", "1").expectRefusal(2, "Missing expected argument", "novation help order")
    try Program.run("stop", "--seconds", "soon").expectRefusal(2, "'soon' is invalid", "novation help stop")
  }

  @Test func whereNoClusterLivesIsSaid() throws {
    let scratch = ScratchDirectory()
    for command in [["status"], ["book", "BTC-PERPETUAL"], ["account", "show", "1"], ["instruments", "list"]] {
      try Program.run(command + ["--data", scratch.path]).expectRefusal(2, scratch.path, "no cluster lives here")
    }
    try Program.run("stop", "--data", scratch.path).expectRefusal(2, scratch.path, "no such directory")
    let map = try scratch.write("{", to: "cluster.json")
    try Program.run("status", "--data", scratch.path).expectRefusal(2, map, "not a cluster map")
  }

  @Test func everyOutcomeIsListedWithWhoCanMendIt() throws {
    let listed = try Program.run("outcomes", "--json").json()["outcomes"] as? [[String: Any]] ?? []
    #expect(listed.count > 60)
    let band = try #require(listed.first { $0["code"] as? Int == 118 })
    #expect(Set(band.keys) == ["code", "name", "text", "is_accepted", "remedy"])
    #expect(band["name"] as? String == "outside_band" && band["remedy"] as? String == "client")
    let lines = try Program.run("outcomes").output.split(separator: "\n")
    #expect(lines.count == listed.count)
  }

  @Test func safeguardsThatMakeNoSenseAreRefused() throws {
    try Program.run("dead-man", "soon", "--account", "1").expectRefusal(2, "soon", "or off")
    try Program.run("dead-man", "86401", "--account", "1").expectRefusal(2, "1 to 86400")
    try Program.run("kill-switch", "maybe", "--account", "1").expectRefusal(2, "'maybe' is invalid")
    try Program.run("protection", "set", "--account", "1", "--underlying", "BTC").expectRefusal(2, "a limit is missing")
    try Program.run("protection", "set", "--account", "1", "--underlying", "BTC", "--delta=-1")
      .expectRefusal(2, "--delta -1", "must not be negative")
    try Program.run("book", "BTC-PERPETUAL", "--seconds", "3").expectRefusal(2, "--follow")
  }

  @Test func theVersionTellsEveryFormat() throws {
    let version = try Program.run("version", "--json").json()
    #expect(
      Set(version.keys) == [
        "version", "journal_entry", "shard_snapshot", "risk_snapshot", "settlement_snapshot", "wire_frame", "listing",
        "instrument_file", "ledger", "cluster_map",
      ])
    let text = try #require(version["version"] as? String)
    #expect(text.split(separator: ".").count == 3)
    #expect(try Program.run("version").output.hasPrefix("novation \(text)\n"))
    #expect(try Program.run("--version").output == "\(text)\n")
  }

  @Test func theShippedConfigurationIsSound() throws {
    let check = try Program.run("config", "check", "--json")
    #expect(check.code == 0, "\(check.errors)")
    let files = try check.json()["files"] as? [[String: String]] ?? []
    #expect(files.map { $0["kind"] } == ["cluster", "instruments"])
  }

  @Test func anUnsoundConfigurationIsOneLine() throws {
    let scratch = ScratchDirectory()
    func check(_ text: String) throws -> Program.Result {
      try Program.run(
        "config", "check", scratch.write(text, to: "c.toml"), "cluster/config/instruments.toml")
    }
    #expect(try check("[cluster]\nshards = 3\n").code == 0)
    try check("[cluster]\nshard = 3\n").expectRefusal(2, "c.toml", "cluster.shard", "cluster.shards")
    try check("[cluster]\nshards = 0\n").expectRefusal(2, "cluster.shards = 0", "1 to 1024")
    try check("[cluster]\nshards = 1000\n").expectRefusal(2, "shards", "1000")
    try check("[cluster]\nquorum = 2\n").expectRefusal(2, "cluster.quorum", "cluster.verifiers")
    try check("[transport]\nkind = \"tcp\"\nhost = \"service\"\n").expectRefusal(2, "transport.base_port", "service")
    try check("[cluster\n").expectRefusal(2, "c.toml")
    try Program.run("config", "check", "/nowhere.toml").expectRefusal(2, "/nowhere.toml: cannot be read")
  }

  @Test func aPreparedDirectoryStartsNothingAndKeepsItsKeys() throws {
    let scratch = ScratchDirectory()
    let config = try scratch.write(
      """
      [cluster]
      matcher_nodes = 2
      shards = 4
      [transport]
      kind = "tcp"
      host = "service"
      base_port = 7400
      """, to: "c.toml")
    let data = "\(scratch.path)/d"
    let prepared = try Program.run("prepare", "--data", data, "--config", config, "--json")
    #expect(prepared.code == 0, "\(prepared.errors)")
    let report = try prepared.json()
    #expect(Set(report.keys) == ["data_directory", "nodes", "shards", "instruments", "endpoints"])
    let endpoints = try #require(report["endpoints"] as? [String: String])
    #expect(endpoints["shard-3"]?.hasPrefix("tcp://matcher-1:74") == true)
    #expect(endpoints["risk"]?.hasPrefix("tcp://risk:74") == true)
    let map = try #require(FileManager.default.contents(atPath: "\(data)/cluster.json"))
    let object = try JSONSerialization.jsonObject(with: map) as? [String: Any] ?? [:]
    #expect(object["version"] as? Int == 1)
    #expect((object["bindings"] as? [String: String])?.values.allSatisfy { $0.hasPrefix("tcp://*:") } == true)
    #expect(try Program.run("prepare", "--data", data, "--config", config).code == 0)
    #expect(FileManager.default.contents(atPath: "\(data)/cluster.json") == map)
    #expect(try Program.run("stop", "--data", data).output.contains("nothing runs"))
  }

  @Test func aRecordingThatIsNotThereIsSaid() throws {
    try Program.run("replay", "--format", "obs", "/nowhere.obs").expectRefusal(2, "/nowhere.obs: cannot be read")
    try Program.run("replay", "--format", "lobster", "--messages", "/m").expectRefusal(2, "--messages and --book")
    let scratch = ScratchDirectory()
    let file = try scratch.write("not a stream", to: "x.obs")
    try Program.run("replay", "--format", "obs", file).expectRefusal(2)
    try Program.run("instruments", "import", "--deribit", "/nowhere.gz", "--out", "\(scratch.path)/o.toml")
      .expectRefusal(2, "/nowhere.gz")
    try Program.run("instruments", "import", "--deribit", file, "--out", "\(scratch.path)/o.toml")
      .expectRefusal(2, file)
  }

  /// A stream of two orders at rest and one that takes the first of them; one record of warm-up.
  private func smallStream(_ scratch: ScratchDirectory) throws -> String {
    func word(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(value >> (8 * $0) & 255) } }
    var bytes = Array("OBSTRM01".utf8)
    for (value, width) in [(1, 4), (32, 4), (3, 8), (1, 8), (1, 4), (0, 4), (7, 8), (100, 8), (110, 8)] {
      bytes += word(value, width)
    }
    for (order, price, side) in [(1, 100, 0), (2, 110, 1), (3, 100, 1)] {
      bytes += word(order, 8) + word(price, 8) + word(5, 4) + word(0, 4) + [1, UInt8(side), 0, 0, 0, 0, 0, 0]
    }
    return try scratch.write(String(decoding: bytes, as: UTF8.self), to: "small.obs")
  }

  @Test func aReplayTimesSingleOperationsIfAskedTo() throws {
    let scratch = ScratchDirectory()
    let file = try smallStream(scratch)
    let plain = try Program.run("replay", "--format", "obs", file, "--json").json()
    #expect(plain["operations"] as? Int == 3 && plain["trades"] as? Int == 1 && plain["final_orders"] as? Int == 1)
    let timed = try Program.run("replay", "--format", "obs", file, "--latency", "--json").json()
    #expect(timed["tape_hash"] as? String == plain["tape_hash"] as? String)
    #expect(
      Set(timed.keys).subtracting(plain.keys) == ["clock_ns", "p50_ns", "p99_ns", "p999_ns", "max_ns"])
    let text = try Program.run("replay", "--format", "obs", file, "--latency").output
    #expect(text.contains("one operation: p50 ") && text.contains("the clock's own "))
    #expect(try !Program.run("replay", "--format", "obs", file).output.contains("p50"))
  }

  @Test func aReplayStopsAtItsLimit() throws {
    let scratch = ScratchDirectory()
    let file = try smallStream(scratch)
    let limited = try Program.run("replay", "--format", "obs", file, "--limit", "2", "--json").json()
    #expect(limited["operations"] as? Int == 2 && limited["trades"] as? Int == 0)
    try Program.run("replay", "--format", "obs", file, "--limit", "0").expectRefusal(2, "--limit 0", "at least one")
    try Program.run("replay", "--format", "obs", file, "--limit=-3").expectRefusal(2, "--limit -3")
    try Program.run("replay", "--format", "obs", file, "--limit", "1", "--latency").expectRefusal(2, "warm-up")
    try Program.run("replay", "--format", "lobster", "--messages", "/m", "--book", "/b", "--limit", "1")
      .expectRefusal(2, "--limit", "--format obs")
  }
}
