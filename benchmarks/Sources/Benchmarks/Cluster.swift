import Foundation

/// A local cluster in a directory of its own, for as long as a benchmark wants it.
final class Cluster {
  let directory: String
  private let novation: String
  private let program: Program

  /// Seconds until it must take orders.
  private static let startSeconds = 90.0

  /// Starts it and waits until it takes orders.
  /// - Parameter arguments: more of `novation run`.
  init(_ options: Options, instruments: String = "../cluster/config/instruments.toml", _ arguments: [String] = [])
    throws
  {
    novation = options.novation
    directory = "\(options.here)/.build/cluster-\(getpid())"
    try? FileManager.default.removeItem(atPath: directory)
    let path = instruments.hasPrefix("/") ? instruments : "\(options.here)/\(instruments)"
    // Its own load is next to nothing: an order a second of one account.
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
    let program = try Program(
      novation,
      [
        "load", "--data", directory, "--rate", "\(rate)", "--batch", "\(batch)", "--accounts", "\(accounts)",
        "--seconds", "\(seconds)", "--warmup", "\(warmup)", "--json",
      ])
    return try JSONDecoder().decode(Load.self, from: Data(program.lastLine().utf8))
  }

  /// Stops it and removes what it left.
  func stop() {
    program.stop()
    try? FileManager.default.removeItem(atPath: directory)
  }
}

/// A cluster that does not come up.
struct ClusterError: Error, CustomStringConvertible {
  var reason: String
  var description: String { reason }
}
