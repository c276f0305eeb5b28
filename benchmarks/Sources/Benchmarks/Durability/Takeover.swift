import Foundation

/// How long a shard answers nobody when its owner is gone and its standby takes over: the longest that a client waits
/// for an answer, from when its order was due. The owners go in turn, under a light load.
///
/// Under the supervisor, which sees a process die, the owner is killed with -9. With etcd it falls silent (SIGSTOP), as
/// when its host dies: one that is only killed is often back in its place before its lease is over.
struct Takeover {
  private let options: Options
  private static let shard = 0
  private static let leaseMilliseconds = 2_000
  static let goalMilliseconds = 250.0

  init(_ options: Options) { self.options = options }

  func run() throws {
    let runs = options.runs > 0 ? options.runs : 10
    let etcd = try options.etcd.map { try EtcdProcess(path: $0, here: options.here) }
    defer { etcd?.stop() }
    let cluster = try Cluster(options, configuration: configuration(etcd), [])
    defer { cluster.stop() }
    var waits: [Double] = []
    try waitForStandby(cluster)
    for _ in 0..<runs {
      let owner = try cluster.status().owner(of: Self.shard)
      let load = try cluster.startLoad([
        "--shard", "\(Self.shard)", "--rate", "\(options.rate > 0 ? options.rate : 500)", "--batch", "1",
        "--warmup", "1", "--seconds", "\(etcd == nil ? 3 : 6)",
      ])
      usleep(2_000_000)
      kill(owner.pid, etcd == nil ? SIGKILL : SIGSTOP)
      let result = try Cluster.result(of: load)
      if etcd != nil { kill(owner.pid, SIGKILL) }
      try waitForStandby(cluster)
      guard result.unanswered_orders == 0 else {
        throw ClusterError(reason: "\(result.unanswered_orders) orders were never answered")
      }
      guard try cluster.status().owner(of: Self.shard).node != owner.node else {
        throw ClusterError(reason: "\(owner.node) was killed and still owns the shard: its standby did not take over")
      }
      waits.append(result.ack_latency_us.max / 1_000)
    }
    let goal = Self.goalMilliseconds + (etcd == nil ? 0 : Double(Self.leaseMilliseconds))
    let end = etcd == nil ? "kill -9" : "SIGSTOP"
    let authority = etcd == nil ? "the supervisor" : "etcd, with a lease of \(Self.leaseMilliseconds) ms"
    print(
      """
      takeover: \(end) of a shard's owner, \(runs) times, under \(authority)
        longest wait of a client   median \(String(format: "%.0f", waits.median)) ms, \
      \(String(format: "%.0f", waits.min() ?? 0)) to \(String(format: "%.0f", waits.max() ?? 0)) \
      (goal: median at most \(String(format: "%.0f", goal)))
      """)
    try Benchmarks.print(
      json: [
        "benchmark": "takeover", "runs": runs, "authority": etcd == nil ? "supervisor" : "etcd",
        "median_ms": waits.median, "waits_ms": waits,
      ], options)
  }

  private func configuration(_ etcd: EtcdProcess?) -> String {
    """
    [cluster]
    matcher_nodes = 2
    shards = 2
    standbys = 1
    [authority]
    lease_ms = \(Self.leaseMilliseconds)
    """ + (etcd.map { "\nkind = \"etcd\"\nendpoints = [\"\($0.endpoint)\"]" } ?? "")
  }

  /// Waits until the shard's other copy is the owner's fence again.
  private func waitForStandby(_ cluster: Cluster) throws {
    let deadline = Date().addingTimeInterval(60)
    // A process that is not back yet makes the command fail.
    while (try? cluster.status().owner(of: Self.shard).standbys) ?? 0 == 0 {
      guard Date() < deadline else { throw ClusterError(reason: "the shard has no standby in sync") }
      usleep(300_000)
    }
    usleep(500_000)
  }
}

/// An etcd of one member in a directory of its own.
final class EtcdProcess {
  let endpoint: String
  private let directory: String
  private let program: Program

  init(path: String, here: String) throws {
    let port = 20_000 + Int(getpid()) % 20_000
    endpoint = "http://127.0.0.1:\(port)"
    directory = "\(here)/.build/etcd-\(getpid())"
    try? FileManager.default.removeItem(atPath: directory)
    let peer = "http://127.0.0.1:\(port + 1)"
    program = try Program(
      path,
      [
        "--data-dir", directory, "--listen-client-urls", endpoint, "--advertise-client-urls", endpoint,
        "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=\(peer)",
        "--log-level", "error",
      ])
    usleep(2_000_000)
    guard program.isRunning else { throw ClusterError(reason: "\(path) does not start") }
  }

  func stop() {
    program.stop()
    try? FileManager.default.removeItem(atPath: directory)
  }
}
