import Cluster
import Foundation
import Journal
import Machine
import Market
import Matching
import Replay

/// How long a shard with a long journal takes from its opening to its first durable answer, and how fast it replays:
/// in-process, so without the start of a process and the words with its peers.
struct Restart {
  private let options: Options
  static let goalSeconds = 1.0
  static let goalReplay = 3e6
  /// Inputs since the snapshot: the most that the goal allows for.
  private static let tail = 1_000_000

  init(_ options: Options) { self.options = options }

  func run() throws {
    let runs = options.runs > 0 ? options.runs : 5
    let directory = "\(options.here)/.build/restart-\(getpid())"
    try? FileManager.default.removeItem(atPath: directory)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let operations = options.operations ?? 10_000_000
    let file = URL(fileURLWithPath: "\(directory)/single.obs")
    try StreamGenerator.write(.single, seed: options.seed ?? StreamFiles.seed, operations: operations + runs, to: file)
    let data = try Data(contentsOf: file, options: .mappedIfSafe)
    let (inputs, openings, rates) = try data.withUnsafeBytes { bytes in
      let stream = try ObsStream(bytes)
      let journal = "\(directory)/shard"
      let filled = try fill(stream, stream.count - runs, journal)
      var openings: [Double] = []
      var rates: [(wall: Double, processor: Double)] = []
      for run in 0..<runs {
        rates.append(try replayRate(journal))
        let span = MonotonicSpan()
        var shard = try JournalledShard(stream.market, directory: journal)
        let place = stream.count - runs + run
        try shard.act(stream.record(place).action(at: place))
        try shard.commit()
        openings.append(span.wall)
      }
      return (filled, openings, rates)
    }
    let (wall, processor) = (rates.map(\.wall).median, rates.map(\.processor).median)
    print(
      """
      restart: \(inputs) inputs in the journal, \(min(Self.tail, operations)) since the snapshot, \
      medians of \(runs) runs
        to the first durable answer   \(String(format: "%.3f", openings.median)) s (goal: at most \(Self.goalSeconds) s)
        replay                        \(millions(wall)) million inputs/s, \(millions(processor)) a second of processor \
      time (goal: \(millions(Self.goalReplay)))
      """)
    try Benchmarks.print(
      json: [
        "benchmark": "restart", "runs": runs, "inputs": inputs, "first_answer_seconds": openings.median,
        "replay_per_second": wall,
        "replay_per_cpu_second": processor,
      ], options)
  }

  private func millions(_ rate: Double) -> String { String(format: "%.2f", rate / 1e6) }

  /// Journals the first `count` records; returns how many inputs there are then.
  private func fill(_ stream: ObsStream, _ count: Int, _ directory: String) throws -> UInt64 {
    var shard = try JournalledShard(stream.market, directory: directory)
    for place in 0..<count {
      if place == count - Self.tail { try shard.takeSnapshot() }
      try shard.act(stream.record(place).action(at: place))
    }
    try shard.commit()
    return shard.inputs
  }

  /// Inputs a second, from the snapshot to the end: reading, checking and applying each.
  private func replayRate(_ directory: String) throws -> (wall: Double, processor: Double) {
    let id = MachineID.shard(ShardID(0))
    let reader = try JournalReader(directory: directory, machine: id)
    var span = MonotonicSpan()
    var inputs = 0
    let machine: ShardMachine = try MachineRecovery.recover(id, snapshot: reader.latestSnapshot()) { first, each in
      span = MonotonicSpan()
      try reader.forEachEntry(from: first) { header, payload in
        inputs += 1
        return try each(header, payload)
      }
    }
    let rate = (wall: Double(inputs) / span.wall, processor: Double(inputs) / span.processor)
    withExtendedLifetime(machine.epoch) {}
    return rate
  }
}
