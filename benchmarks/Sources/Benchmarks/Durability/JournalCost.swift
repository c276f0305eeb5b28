import Bytes
import Foundation
import Journal
import Machine
import Market
import Replay

/// What the journal's checksums, chain and trees cost over LMDB itself: records of the same size, in commits of as
/// many, on the same disk, in turn.
struct JournalCost {
  private let options: Options
  private static let batches = [1, 32, 256, 1_024]
  static let goalRatio = 1.5
  /// As an order's entry.
  private static let payload = [UInt8](repeating: 7, count: RecordedMarket.actionBytes)
  private static let recordBytes = EntryCodec.byteCount(payloadCount: RecordedMarket.actionBytes)

  init(_ options: Options) { self.options = options }

  /// Time a record, in microseconds.
  private struct Cost {
    var wall: Double
    var processor: Double
  }

  func run() throws {
    let runs = options.runs > 0 ? options.runs : 5
    let seconds = Double(options.seconds > 0 ? options.seconds : 2)
    print(
      """
      journalling: records of \(Self.recordBytes) bytes, medians of \(runs) runs of \(Int(seconds)) s, raw LMDB in \
      turn (goal: at most \(Self.goalRatio) times it)
        a commit   raw records/s   journal records/s   time ratio   raw CPU µs   journal CPU µs
      """)
    var rows: [[String: Any]] = []
    for batch in Self.batches {
      var raw: [Cost] = []
      var kept: [Cost] = []
      for _ in 0..<runs {
        raw.append(try measureRaw(batch, seconds))
        kept.append(try measureJournal(batch, seconds))
      }
      let ratio = zip(raw, kept).map { $1.wall / $0.wall }.median
      let (rawRate, keptRate) = (1e6 / raw.map(\.wall).median, 1e6 / kept.map(\.wall).median)
      let (rawCPU, keptCPU) = (raw.map(\.processor).median, kept.map(\.processor).median)
      print(
        String(
          format: "  %8d  %14.0f  %18.0f  %11.2f  %11.2f  %15.2f", batch, rawRate, keptRate, ratio, rawCPU, keptCPU))
      rows.append([
        "records_per_commit": batch, "raw_per_second": rawRate, "journal_per_second": keptRate, "ratio": ratio,
        "raw_cpu_us": rawCPU, "journal_cpu_us": keptCPU,
      ])
    }
    try Benchmarks.print(
      json: ["benchmark": "journal", "runs": runs, "record_bytes": Self.recordBytes, "batches": rows], options)
  }

  private func measureRaw(_ batch: Int, _ seconds: Double) throws -> Cost {
    try inDirectory { directory in
      let environment = try LMDBEnvironment(directory: directory, configuration: LMDBConfiguration(mapSize: 32 << 30))
      let database = try environment.database(named: "records", keys: UInt64.self)
      let record = [UInt8](repeating: 7, count: Self.recordBytes)
      var key: UInt64 = 0
      return try measure(batch, seconds) {
        var transaction = try environment.beginWriting()
        for _ in 0..<batch {
          key += 1
          _ = try record.withUnsafeBytes { try transaction.put($0, at: key, in: database, .append) }
        }
        try transaction.commit()
      }
    }
  }

  /// As a host does it: entries are laid out as they come, and copied into the transaction that makes them durable.
  private func measureJournal(_ batch: Int, _ seconds: Double) throws -> Cost {
    try inDirectory { directory in
      let journal = try Journal(directory: directory, machine: .shard(ShardID(0)))
      var header = InputHeader(sequence: journal.lastSequence, stamp: .zero, term: Term(1), kind: .action)
      var entries = ByteWriter(capacity: batch * Self.recordBytes)
      return try measure(batch, seconds) {
        entries.clear()
        for _ in 0..<batch {
          header.sequence = header.sequence.next
          let place = UnsafeMutableRawBufferPointer(
            start: entries.extend(by: Self.recordBytes), count: Self.recordBytes)
          Self.payload.withUnsafeBytes { EntryCodec.write(header, $0, over: place) }
        }
        try journal.begin()
        for entry in 0..<batch {
          let place = entry * Self.recordBytes
          try journal.append(UnsafeRawBufferPointer(rebasing: entries.bytes[place..<place + Self.recordBytes]))
        }
        try journal.commit()
      }
    }
  }

  private func measure(_ batch: Int, _ seconds: Double, _ commit: () throws -> Void) throws -> Cost {
    for _ in 0..<8 { try commit() }
    let start = MonotonicSpan()
    var commits = 0
    repeat {
      try commit()
      commits += 1
    } while start.wall < seconds
    let records = Double(commits * batch)
    return Cost(wall: start.wall * 1e6 / records, processor: start.processor * 1e6 / records)
  }

  private func inDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let directory = "\(options.here)/.build/journal-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try body(directory)
  }
}
