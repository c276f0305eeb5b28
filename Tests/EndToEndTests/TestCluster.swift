import Bytes
import Foundation
import Market
import Operations
import Testing
import Wire

/// A small cluster of real processes with a little load, up for one test.
final class TestCluster {
  let data: String
  private let scratch = ScratchDirectory()
  private var run = Process()
  private var clients: [Process] = []
  private let nodes: Int
  private let configuration: String
  private let ordersPerSecond: Int

  /// Starts it, and waits until everything answers.
  /// - Parameters:
  ///   - standbys: copies of each machine beside its owner's.
  ///   - journal: lines of the configuration's table of that name.
  init(nodes: Int = 1, standbys: Int = 0, ordersPerSecond: Int = 100, journal: String = "") throws {
    data = "\(scratch.path)/d"
    self.nodes = nodes
    self.ordersPerSecond = ordersPerSecond
    configuration = "\(scratch.path)/cluster.toml"
    try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
    let text = "[cluster]\nmatcher_nodes = \(nodes)\nshards = 2\nstandbys = \(standbys)\n[journal]\n\(journal)\n"
    try text.write(toFile: configuration, atomically: true, encoding: .utf8)
    try startAgain()
  }

  /// Starts it once more, after it has ended.
  func startAgain() throws {
    run = Process()
    let log = "\(scratch.path)/run.log"
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    run.executableURL = NovationProgram.executable
    // It ends by itself, should this process be killed.
    run.arguments =
      [
        "run", "--data", data, "--load", "\(ordersPerSecond)", "--batch", "4", "--accounts", "2", "--config",
        configuration,
        "--seconds", "600", "--json",
      ]
    run.currentDirectoryURL = NovationProgram.packageRoot
    run.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    run.standardError = run.standardOutput
    try run.run()
    try waitUntil("the cluster serves", seconds: 60) {
      try #require(run.isRunning, "\((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
      return try NovationProgram.run(["status", "--data", data]).code == 0
    }
  }

  deinit {
    for client in clients where client.isRunning { kill(client.processIdentifier, SIGKILL) }
    if run.isRunning {
      kill(run.processIdentifier, SIGCONT)
      run.terminate()
      run.waitUntilExit()
    }
  }

  /// Stops it in order.
  func stop() throws {
    let stopped = try novation("stop")
    #expect(stopped.code == 0, "\(stopped.errors)")
    run.waitUntilExit()
  }

  /// Stops it in order and has it audited.
  func expectCleanEnd(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try stop()
    let audit = try novation("audit")
    #expect(audit.code == 0, "\(audit.output)\(audit.errors)", sourceLocation: sourceLocation)
  }

  /// Runs a command on it.
  @discardableResult
  func novation(_ arguments: String...) throws -> NovationProgram.Result {
    try NovationProgram.run(arguments + ["--data", data, "--json"])
  }

  /// Starts a command on it that stays.
  func start(_ arguments: String...) throws -> Process {
    let client = Process()
    client.executableURL = NovationProgram.executable
    client.arguments = arguments + ["--data", data, "--json"]
    client.currentDirectoryURL = NovationProgram.packageRoot
    client.standardOutput = FileHandle.nullDevice
    client.standardError = FileHandle.nullDevice
    try client.run()
    clients.append(client)
    return client
  }

  /// An account with a million.
  func account() throws -> Int {
    let created = try novation("account", "create")
    return try #require(created.json["account"] as? Int, "\(created.errors)")
  }

  /// Client ids of the account's open orders, asked of the shard itself, gateway or not.
  func openOrders(_ account: Int, shard: UInt16) throws -> [Int] {
    let client = try ClusterClient(dataDirectory: data)
    let answer = try client.query(.openOrders, .shard(ShardID(shard)), AccountID(UInt32(account)).encoded)
    let orders = try JSONSerialization.jsonObject(with: Data(answer)) as? [[String: Any]]
    return (orders ?? []).compactMap { $0["clientId"] as? Int }.sorted()
  }

  /// Kills a node without a word.
  func killNode(_ name: String) throws { kill(try process(of: name), SIGKILL) }

  /// Stops a node where it is, unheard and unhearing. - Returns: what lets it go on.
  func freezeNode(_ name: String) throws -> () -> Void {
    let process = try process(of: name)
    kill(process, SIGSTOP)
    return { kill(process, SIGCONT) }
  }

  private func process(of name: String) throws -> pid_t {
    let client = try ClusterClient(dataDirectory: data)
    return try #require(client.processes()[name], "\(name) does not answer")
  }
}

/// Asks again and again; a time-out is a failure.
func waitUntil(
  _ what: @autoclosure () -> String, seconds: Double, sourceLocation: SourceLocation = #_sourceLocation,
  _ isSo: () throws -> Bool
) throws {
  let deadline = Date().addingTimeInterval(seconds)
  while try !isSo() {
    try #require(Date() < deadline, "not within \(seconds) s: \(what())", sourceLocation: sourceLocation)
    usleep(50_000)
  }
}
