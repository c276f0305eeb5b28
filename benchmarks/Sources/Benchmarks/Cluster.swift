import Foundation

/// A local cluster in a directory of its own, for as long as a benchmark wants it.
final class Cluster {
  let directory: String
  private let novation: String
  private let program: Program

  /// Seconds until it must take orders.
  private static let startSeconds = 90.0

  /// Starts it and waits until it takes orders.
  /// - Parameters:
  ///   - configuration: a `cluster.toml`; the defaults without one.
  ///   - arguments: more of `novation run`.
  init(
    _ options: Options, instruments: String = "../cluster/config/instruments.toml", configuration: String? = nil,
    _ arguments: [String] = []
  ) throws {
    novation = options.novation
    directory = "\(options.here)/.build/cluster-\(getpid())"
    try? FileManager.default.removeItem(atPath: directory)
    let path = instruments.hasPrefix("/") ? instruments : "\(options.here)/\(instruments)"
    // Its own load is next to nothing: an order a second of one account.
    var arguments = arguments
    if let configuration {
      let file = "\(directory).toml"
      try configuration.write(toFile: file, atomically: true, encoding: .utf8)
      arguments += ["--config", file]
    }
    program = try Program(
      novation,
      [
        "run", "--data", directory, "--instruments", path, "--load", "1", "--batch", "1", "--accounts", "1", "--json",
      ] + arguments)
    let deadline = Date().addingTimeInterval(Self.startSeconds)
    while true {
      if (try? load(rate: 1, batch: 1, accounts: 1, seconds: 0.1, warmup: 0)) != nil { return }
      guard program.isRunning, Date() < deadline else {
        program.stop()
        throw ClusterError(reason: "the cluster does not take orders; see \(directory)/logs")
      }
      usleep(500_000)
    }
  }

  /// What `novation load` reports.
  struct Load: Decodable {
    struct Latency: Decodable {
      var p50: Double
      var p99: Double
      var p999: Double
      var max: Double
    }
    var seconds: Double
    var offered_per_second: Double
    var achieved_per_second: Double
    var sent: Int
    var acknowledged: Int
    var rejected: [String: Int]
    var ack_latency_us: Latency
    var unanswered_orders: Int
    var cpu_percent: [String: Double]
    var total_cpu_percent: Double
    var resident_bytes: [String: Int]
    var rejectedShare: Double { sent > 0 ? Double(rejected.values.reduce(0, +)) / Double(sent) : 0 }
  }

  func load(rate: Int, batch: Int, accounts: Int = 64, seconds: Double, warmup: Double = 2) throws -> Load {
    try load([
      "--rate", "\(rate)", "--batch", "\(batch)", "--accounts", "\(accounts)", "--seconds", "\(seconds)", "--warmup",
      "\(warmup)",
    ])
  }

  func load(_ arguments: [String]) throws -> Load { try Self.result(of: startLoad(arguments)) }

  /// A load in the background; `result` waits for its end.
  func startLoad(_ arguments: [String]) throws -> Program {
    try Program(novation, ["load", "--data", directory, "--json"] + arguments)
  }

  static func result(of load: Program) throws -> Load {
    try JSONDecoder().decode(Load.self, from: Data(load.lastLine().utf8))
  }

  /// Runs a command on the cluster and returns its last line.
  func command(_ arguments: [String]) throws -> String {
    try Program(novation, arguments + ["--data", directory], keepsErrors: true).lastLine()
  }

  /// What `novation status` says.
  struct Status: Decodable {
    struct Process: Decodable {
      var name: String
      var pid: Int32?
    }
    struct Shard: Decodable {
      var shard: Int
      var node: String
      var open: Int
      var in_sync: [String]
      var commits: Int
      var copy_commits: Int
    }
    var processes: [Process]
    var shards: [Shard]

    /// Group commits of shards' owners, and of all their copies.
    var ownerCommits: Int { shards.map(\.commits).reduce(0, +) }
    var commits: Int { ownerCommits + shards.map(\.copy_commits).reduce(0, +) }

    /// Who owns a shard, how many copies fence it, and how many orders are open there.
    func owner(of shard: Int) throws -> (node: String, pid: Int32, standbys: Int, open: Int) {
      guard let found = shards.first(where: { $0.shard == shard }),
        let pid = processes.first(where: { $0.name == found.node })?.pid
      else { throw ClusterError(reason: "shard \(shard) does not answer") }
      return (found.node, pid, found.in_sync.count, found.open)
    }
  }

  func status() throws -> Status {
    try JSONDecoder().decode(Status.self, from: Data(command(["status", "--json"]).utf8))
  }

  /// Stops it and removes what it left.
  func stop() {
    program.stop()
    try? FileManager.default.removeItem(atPath: directory)
    try? FileManager.default.removeItem(atPath: "\(directory).toml")
  }
}

/// A cluster that does not come up.
struct ClusterError: Error, CustomStringConvertible {
  var reason: String
  var description: String { reason }
}
