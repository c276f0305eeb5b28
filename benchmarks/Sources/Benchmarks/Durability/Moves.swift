import Foundation

/// What a shard with a million open orders does to its clients while its snapshots are made, and while it moves.
struct Moves {
  private let options: Options
  private static let shard = 0
  private static let accounts = 64
  static let goalPause = 100.0

  init(_ options: Options) { self.options = options }

  private struct Move: Decodable {
    var pause_ms: Double
    var seconds: Double
  }

  func run() throws {
    let runs = options.runs > 0 ? options.runs : 3
    let orders = options.operations ?? 1_000_000
    let cluster = try Cluster(
      options,
      // Snapshots so often that one is nearly always being made.
      configuration: "[cluster]\nmatcher_nodes = 2\nshards = 2\n[journal]\nsnapshot_every = 1000\n", [])
    defer { cluster.stop() }
    let quiet = try cluster.load(probe)
    try fill(cluster, orders)
    let open = try cluster.status().owner(of: Self.shard).open
    let snapshots = try cluster.load(probe)
    var moves: [Move] = []
    var waits: [Double] = []
    for _ in 0..<runs {
      let node = try cluster.status().owner(of: Self.shard).node
      let load = try cluster.startLoad(probe)
      usleep(2_000_000)
      let move = try cluster.command([
        "shard", "move", "\(Self.shard)", "--to", node == "matcher-0" ? "matcher-1" : "matcher-0", "--json",
      ])
      moves.append(try JSONDecoder().decode(Move.self, from: Data(move.utf8)))
      waits.append(try Cluster.result(of: load).ack_latency_us.max / 1_000)
    }
    let pause = moves.map(\.pause_ms).median
    func text(_ load: Cluster.Load) -> String {
      String(
        format: "p50 %.2f ms, p99.9 %.2f, longest %.2f", load.ack_latency_us.p50 / 1_000,
        load.ack_latency_us.p999 / 1_000, load.ack_latency_us.max / 1_000)
    }
    print(
      """
      moves: a shard with \(open) open orders, \(runs) moves under a light load
        an order's wait, books empty            \(text(quiet))
        books full, snapshots being made        \(text(snapshots))
        pause of a move                         median \(String(format: "%.0f", pause)) ms \
      (goal: at most \(String(format: "%.0f", Self.goalPause)))
        longest wait of a client meanwhile      median \(String(format: "%.0f", waits.median)) ms
        a move in all                           median \(String(format: "%.2f", moves.map(\.seconds).median)) s
      """)
    try Benchmarks.print(
      json: [
        "benchmark": "moves", "runs": runs, "open_orders": open, "pause_ms": pause, "client_wait_ms": waits.median,
        "quiet_max_us": quiet.ack_latency_us.max, "snapshots_max_us": snapshots.ack_latency_us.max,
        "quiet_p999_us": quiet.ack_latency_us.p999, "snapshots_p999_us": snapshots.ack_latency_us.p999,
      ], options)
  }

  private var probe: [String] {
    let seconds = options.seconds > 0 ? options.seconds : 10
    return ["--shard", "\(Self.shard)", "--rate", "400", "--batch", "1", "--warmup", "1", "--seconds", "\(seconds)"]
  }

  /// Places orders until so many rest in the shard's books.
  private func fill(_ cluster: Cluster, _ orders: Int) throws {
    let rate = 20_000
    while true {
      let missing = orders - (try cluster.status().owner(of: Self.shard).open)
      guard missing > 0 else { return }
      _ = try cluster.load([
        "--shard", "\(Self.shard)", "--rate", "\(rate)", "--batch", "256", "--accounts", "\(Self.accounts)", "--mix",
        "new=100", "--open", "\(2 * orders / Self.accounts + 1)", "--warmup", "0", "--seconds",
        "\(max(1, missing / rate))",
      ])
    }
  }
}
