import Foundation
import Market

/// What a load's clients were answered, slice by slice of time, in a file of JSON Lines that others read as it grows.
final class LoadTimeline {
  /// One slice of time.
  struct Slice: Codable, Sendable {
    /// Its end, in milliseconds of the monotonic clock, which all processes of a machine share.
    var at_ms: Int64
    /// Orders accepted and durable, by shard.
    var accepted: [Int]
    var rejected: Int
    /// Told to come back later, before any journal.
    var deferred: Int
    /// The answers' latencies in microseconds; 0 where nothing was answered.
    var p50_us: Int64
    var p99_us: Int64
    var max_us: Int64
    /// Highest journal sequence acknowledged so far, by shard.
    var acknowledged_through: [UInt64]

    var total: Int { accepted.reduce(0, +) }
  }

  private let file: FileHandle
  private let sliceNanoseconds: Int64
  private var end: Int64
  private var accepted: [Int]
  private var rejected = 0
  private var deferred = 0
  private var latencies: [Int64] = []
  private var acknowledgedThrough: [UInt64]
  private let encoder = JSONEncoder()

  /// A new file at `path`; the first slice begins now.
  init(path: String, sliceMilliseconds: Int, shards: Int, now: Int64) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o640]) else {
      throw ClientError(reason: "--timeline \(path): it cannot be written")
    }
    file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    sliceNanoseconds = Int64(sliceMilliseconds) * 1_000_000
    end = now + sliceNanoseconds
    accepted = Array(repeating: 0, count: shards)
    acknowledgedThrough = Array(repeating: 0, count: shards)
    encoder.outputFormatting = [.sortedKeys]
  }

  /// The answer to an action that was due at `intended`.
  func answered(_ reply: ActionReply, intended: Int64, now: Int64) throws {
    try advance(to: now)
    guard let shard = reply.machine.shard.map({ Int($0.rawValue) }), accepted.indices.contains(shard) else { return }
    let good = reply.results.count { $0.outcome.isAccepted }
    accepted[shard] += good
    rejected += reply.results.count - good
    latencies.append(max(1, (now - intended) / 1_000))
    acknowledgedThrough[shard] = max(acknowledgedThrough[shard], reply.sequence.rawValue)
  }

  /// Orders refused before any journal.
  func refused(_ orders: Int, now: Int64) throws {
    try advance(to: now)
    rejected += orders
  }

  /// Orders that were told to come back later.
  func deferred(_ orders: Int, now: Int64) throws {
    try advance(to: now)
    deferred += orders
  }

  /// Writes the slices that are over.
  func advance(to now: Int64) throws {
    guard now >= end else { return }
    var lines = Data()
    while now >= end {
      latencies.sort()
      let slice = Slice(
        at_ms: end / 1_000_000, accepted: accepted, rejected: rejected, deferred: deferred, p50_us: percentile(50),
        p99_us: percentile(99), max_us: latencies.last ?? 0, acknowledged_through: acknowledgedThrough)
      lines.append(try encoder.encode(slice))
      lines.append(0x0A)
      for shard in accepted.indices { accepted[shard] = 0 }
      rejected = 0
      deferred = 0
      latencies.removeAll(keepingCapacity: true)
      end += sliceNanoseconds
    }
    try file.write(contentsOf: lines)
  }

  private func percentile(_ percent: Int) -> Int64 {
    latencies.isEmpty ? 0 : latencies[min(latencies.count - 1, latencies.count * percent / 100)]
  }
}
