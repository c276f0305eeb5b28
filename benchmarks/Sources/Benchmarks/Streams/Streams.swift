import Foundation

/// Matching alone: order streams through one shard in-process, and beside it, in turn, through the bare matcher.
struct Streams {
  private let options: Options

  init(_ options: Options) { self.options = options }

  /// What `novation replay` says.
  private struct Replay: Decodable {
    var operations: Int
    var trades: Int
    var tape_hash: String
    var ns_per_op: Double
    var clock_ns: Int?
    var p50_ns: Int?
    var p99_ns: Int?
    var p999_ns: Int?
    var max_ns: Int?
  }

  func run() throws {
    let files = try StreamFiles(options)
    if options.countsInstructions { return try InstructionCount(options).run(files) }
    let runs = options.runs > 0 ? options.runs : 3
    print(
      """
      matching: one shard in-process, ns an operation, medians of \(runs) runs, the bare floor in turn with it;
      then the time of one operation, the clock's own in it
        stream         shard   floor   ratio     p50     p99   p99.9       max   clock
      """)
    var rows: [[String: Any]] = []
    try files.forEach { file, name, tape in rows.append(try measure(file, name, tape, runs)) }
    try Benchmarks.print(json: ["benchmark": "streams", "runs": runs, "streams": rows], options)
  }

  private func measure(_ file: URL, _ name: String, _ tape: String?, _ runs: Int) throws -> [String: Any] {
    let stream = try BareRun.Stream(file)
    var replays: [Replay] = []
    var floors: [BareRun] = []
    for _ in 0..<runs {
      replays.append(try replay(file, []))
      floors.append(try BareRun(stream))
    }
    let timed = try replay(file, ["--latency"])
    let tapes = Set(replays.map(\.tape_hash) + floors.map(\.tapeHash) + [timed.tape_hash] + (tape.map { [$0] } ?? []))
    guard tapes.count == 1 else {
      throw StreamError(reason: "\(name): shard, floor and what is known of the stream disagree: \(tapes.sorted())")
    }
    let shard = replays.map(\.ns_per_op).median
    let floor = floors.map(\.nanosecondsPerOperation).median
    let ratio = zip(replays, floors).map { $0.ns_per_op / $1.nanosecondsPerOperation }.median
    let latency = [timed.p50_ns, timed.p99_ns, timed.p999_ns, timed.max_ns, timed.clock_ns].map { $0 ?? 0 }
    print(
      "  " + name.padding(toLength: max(12, name.count), withPad: " ", startingAt: 0)
        + String(format: "%8.1f%8.1f%8.2f", shard, floor, ratio)
        + String(format: "%8d%8d%8d%10d%8d", latency[0], latency[1], latency[2], latency[3], latency[4]))
    return [
      "stream": name, "operations": timed.operations, "trades": timed.trades, "tape_hash": timed.tape_hash,
      "ns_per_op": shard, "floor_ns_per_op": floor, "ratio": ratio, "p50_ns": latency[0], "p99_ns": latency[1],
      "p999_ns": latency[2], "max_ns": latency[3], "clock_ns": latency[4],
    ]
  }

  private func replay(_ file: URL, _ more: [String]) throws -> Replay {
    let program = try Program(
      options.novation, ["replay", "--format", "obs", file.path, "--json"] + more, keepsErrors: true)
    return try JSONDecoder().decode(Replay.self, from: Data(program.lastLine().utf8))
  }
}

/// A stream that does not come to what it should.
struct StreamError: Error, CustomStringConvertible {
  var reason: String
  var description: String { reason }
}
