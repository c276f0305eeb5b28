import Foundation

/// Matching alone: recorded order streams through one shard in-process.
struct Streams {
  private let options: Options

  init(_ options: Options) { self.options = options }

  private struct Replay: Decodable {
    var operations: Int
    var trades: Int
    var tape_hash: String
    var ns_per_op: Double
  }

  func run() throws {
    guard !options.files.isEmpty else {
      throw UsageError(reason: "streams wants the files of order streams (the obs format)")
    }
    let runs = options.runs > 0 ? options.runs : 3
    print("matching: one shard in-process, medians of \(runs) runs")
    var rows: [[String: Any]] = []
    for file in options.files {
      let replays = try (0..<runs).map { _ in
        let program = try Program(options.novation, ["replay", "--format", "obs", file, "--json"], keepsErrors: true)
        return try JSONDecoder().decode(Replay.self, from: Data(program.lastLine().utf8))
      }
      guard let first = replays.first, replays.allSatisfy({ $0.tape_hash == first.tape_hash }) else {
        throw ClusterError(reason: "\(file): two replays of one stream gave different tapes")
      }
      let cost = replays.map(\.ns_per_op).median
      print(
        "  \(URL(fileURLWithPath: file).lastPathComponent): \(String(format: "%.1f", cost)) ns an operation, "
          + "\(first.operations) operations, \(first.trades) trades")
      rows.append(["file": file, "operations": first.operations, "trades": first.trades, "ns_per_op": cost])
    }
    try Benchmarks.print(json: ["benchmark": "streams", "runs": runs, "streams": rows], options)
  }
}
