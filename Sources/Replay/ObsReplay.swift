import Bytes
import Foundation
import Machine
import Market
import Matching

/// Replays a neutral order stream (`OBSTRM01`) through one matching shard: an action a record.
public enum ObsReplay {
  /// What the stream came to, warm-up included, and how long its records took.
  public struct Result: Encodable, Sendable, Equatable {
    /// Records applied.
    public var operations: Int
    public var trades: UInt64
    /// Σ lots traded.
    public var volume: UInt64
    /// Σ price · lots, modulo 2^64.
    public var notional: UInt64
    /// FNV-1a-like fold over (maker, taker, lots) of every trade; 16 lower-case hexadecimal digits.
    public var tapeHash: String
    public var finalOrders: Int
    public var finalLevels: Int
    public var finalQuantity: UInt64
    /// Σ price · lots over both sides of the final books, modulo 2^64.
    public var finalPriceQuantity: UInt64
    /// Processor time in `apply` a record, after the warm-up.
    public var nanosecondsPerOperation: Double
    /// The shard's state hash at the end; not part of the printed result.
    public var stateHash: UInt64
    /// How long single operations after the warm-up took, if asked for; encoded by itself.
    public var latency: Latency?

    enum CodingKeys: String, CodingKey {
      case operations, trades, volume, notional
      case tapeHash = "tape_hash"
      case finalOrders = "final_orders"
      case finalLevels = "final_levels"
      case finalQuantity = "final_qty"
      case finalPriceQuantity = "final_pq"
      case nanosecondsPerOperation = "ns_per_op"
    }
  }

  /// Replays a file; see `run(_:limit:timesEach:)`.
  public static func run(file: URL, limit: Int? = nil, timesEach: Bool = false) throws -> Result {
    let data: Data
    do { data = try Data(contentsOf: file, options: .mappedIfSafe) } catch {
      throw ReplayError("\(file.path): \(error.localizedDescription)")
    }
    return try data.withUnsafeBytes { try run($0, limit: limit, timesEach: timesEach) }
  }

  /// Replays a stream in memory.
  /// - Parameters:
  ///   - limit: replays only the first so many records, warm-up included; at least 1.
  ///   - timesEach: whether each single operation after the warm-up is timed. The clock then weighs on
  ///     `nanosecondsPerOperation` too.
  /// - Throws: `ReplayError` for what is no stream, and if nothing is left to time.
  public static func run(_ bytes: UnsafeRawBufferPointer, limit: Int? = nil, timesEach: Bool = false) throws -> Result {
    let stream = try ObsStream(bytes, limit: limit)
    if timesEach, stream.count == stream.warmUp {
      throw ReplayError("all \(stream.count) records are warm-up: no operation is left to time")
    }
    var replay = Replay(stream, timesEach: timesEach)
    var next = 0
    while next < stream.count { next = try replay.step(from: next) }
    return replay.result()
  }

  /// Records encoded ahead of each timed run.
  private static let chunk = 256
  /// Records of an epoch; seals lie outside the timed runs.
  private static let epoch = 100_000
  private struct Replay: ~Copyable {
    let stream: ObsStream
    var shard: LoneShard
    var tape = Tape()
    var nanoseconds: UInt64 = 0
    var encoded = ByteWriter(capacity: ObsReplay.chunk * RecordedMarket.actionBytes)
    var samples: LatencySamples?

    init(_ stream: ObsStream, timesEach: Bool) {
      self.stream = stream
      if timesEach { samples = LatencySamples(capacity: stream.count - stream.warmUp) }
      shard = LoneShard(stream.market)
    }

    /// Encodes records, applies them, reads what they did; returns the first record not applied. A reduction needs the
    /// open quantity of its order, so it begins a run of its own, and so do the records after the warm-up.
    mutating func step(from first: Int) throws -> Int {
      encoded.clear()
      var next = first
      while next < stream.count, next - first < ObsReplay.chunk {
        let record = try stream.record(next)
        if next > first, record.kind == .reduce || next == stream.warmUp { break }
        encode(record, next)
        next += 1
      }
      let start = processorTime()
      if first >= stream.warmUp, let times = samples?.extend(by: next - first) {
        shard.apply(actions: encoded.bytes, times: times)
      } else {
        shard.apply(actions: encoded.bytes)
      }
      let end = processorTime()
      if first >= stream.warmUp { nanoseconds += end - start }
      tape.read(shard.output)
      shard.output.clear()
      if next / ObsReplay.epoch != first / ObsReplay.epoch { shard.seal() }
      return next
    }

    private mutating func encode(_ record: ObsStream.Record, _ place: Int) {
      var action = record.action(at: place)
      if record.kind == .reduce {
        let name = OrderID(account: AccountID(action.account), key: .owner, nonce: record.order, index: 0)
        let open = shard.machine.openOrder(name)?.lots.count ?? 0
        action.operation.quantity = Quantity(units: open - Int64(record.quantity))
      }
      shard.encode(action.operation, account: action.account, nonce: action.nonce, into: &encoded)
    }

    mutating func result() -> Result {
      var orders = 0
      var levels = 0
      var quantity: UInt64 = 0
      var priceQuantity: UInt64 = 0
      for instrument in 0..<stream.instruments {
        guard let book = shard.machine.bookSnapshot(InstrumentID(UInt32(instrument))) else { continue }
        for level in book.bids + book.asks {
          orders += level.orders
          levels += 1
          quantity &+= UInt64(level.lots.count)
          priceQuantity &+= UInt64(level.price.units) &* UInt64(level.lots.count)
        }
      }
      let hash = String(tape.hash, radix: 16)
      return Result(
        operations: stream.count, trades: tape.trades, volume: tape.volume, notional: tape.notional,
        tapeHash: String(repeating: "0", count: 16 - hash.count) + hash, finalOrders: orders, finalLevels: levels,
        finalQuantity: quantity, finalPriceQuantity: priceQuantity,
        nanosecondsPerOperation: Double(nanoseconds) / Double(max(1, stream.count - stream.warmUp)),
        stateHash: shard.machine.stateHash(), latency: samples?.latency())
    }
  }
}
