import Bytes
import Foundation
import Machine
import Market
import Matching

/// Replays a neutral order stream (`OBSTRM01`) through one matching shard: an action a record. Buys belong to accounts
/// 1-64, sells to 65-128, by the order's id modulo 64; order N is named by nonce N.
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

  /// Replays a file.
  public static func run(file: URL) throws -> Result {
    let data: Data
    do { data = try Data(contentsOf: file, options: .mappedIfSafe) } catch {
      throw ReplayError("\(file.path): \(error.localizedDescription)")
    }
    return try data.withUnsafeBytes { try run($0) }
  }

  /// Replays a stream in memory.
  public static func run(_ bytes: UnsafeRawBufferPointer) throws -> Result {
    let stream = try ObsStream(bytes)
    var replay = Replay(stream)
    var next = 0
    while next < stream.count { next = try replay.step(from: next) }
    return replay.result()
  }

  /// Records encoded ahead of each timed run.
  private static let chunk = 256
  /// Records of an epoch; seals lie outside the timed runs.
  private static let epoch = 100_000
  /// Nonces of cancels, replacements and reductions: beyond every order's.
  private static let changes: UInt64 = 1 << 62

  private struct Replay: ~Copyable {
    let stream: ObsStream
    var shard: ReplayShard
    var tape = Tape()
    var nanoseconds: UInt64 = 0
    var encoded = ByteWriter(capacity: ObsReplay.chunk * ReplayShard.actionBytes)

    init(_ stream: ObsStream) {
      self.stream = stream
      shard = ReplayShard(
        instruments: stream.instruments, accounts: 128, mark: stream.minimumPrice / 2 + stream.maximumPrice / 2)
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
      shard.apply(actions: encoded.bytes)
      let end = processorTime()
      if first >= stream.warmUp { nanoseconds += end - start }
      tape.read(shard.output)
      shard.output.clear()
      if next / ObsReplay.epoch != first / ObsReplay.epoch { shard.seal() }
      return next
    }

    private mutating func encode(_ record: ObsStream.Record, _ place: Int) {
      let account = UInt32(record.order % 64) + (record.side == .buy ? 1 : 65)
      let instrument = InstrumentID(record.instrument)
      var operation = Market.Operation(
        kind: .new, side: record.side, instrument: instrument, price: Price(units: record.price),
        quantity: Quantity(units: Int64(record.quantity)))
      var nonce = ObsReplay.changes + UInt64(place)
      operation.targetNonce = record.order
      switch record.kind {
      case .new, .immediate:
        operation.targetNonce = 0
        nonce = record.order
        if record.kind == .immediate {
          operation.rawTimeInForce = Market.Operation.TimeInForce.immediateOrCancel.rawValue
        }
      case .cancel: operation.rawKind = Market.Operation.Kind.cancel.rawValue
      case .replace: operation.rawKind = Market.Operation.Kind.replace.rawValue
      case .reduce:
        let name = OrderID(account: AccountID(account), key: .owner, nonce: record.order, index: 0)
        let open = shard.machine.openOrder(name)?.lots.count ?? 0
        operation.rawKind = Market.Operation.Kind.amend.rawValue
        operation.quantity = Quantity(units: open - Int64(record.quantity))
      }
      shard.encode(operation, account: account, nonce: nonce, into: &encoded)
    }

    consuming func result() -> Result {
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
        stateHash: shard.machine.stateHash())
    }
  }
}

/// Processor time of this thread in nanoseconds: a busy machine does not show in it.
private func processorTime() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// The trades that a shard's outputs tell of: maker and taker fill follow each other.
struct Tape {
  var trades: UInt64 = 0
  var volume: UInt64 = 0
  var notional: UInt64 = 0
  var hash: UInt64 = 14_695_981_039_346_656_037
  private var maker: UInt64 = 0

  mutating func read(_ output: borrowing OutputBuffer) {
    output.forEach { record in
      guard record.kind == .stream else { return }
      var body = ByteReader(record.payload)
      guard body.u8() == MessageKind.fill.rawValue else { return }
      let fill = Fill(from: &body)
      if fill.kind == .maker {
        maker = fill.order.nonce
      } else {
        add(maker: maker, taker: fill.order.nonce, price: fill.price.units, lots: fill.lots.count.magnitude)
      }
    }
  }

  mutating func add(maker: UInt64, taker: UInt64, price: Int64, lots: UInt64) {
    let prime: UInt64 = 1_099_511_628_211
    trades += 1
    volume &+= lots
    notional &+= UInt64(bitPattern: price) &* lots
    for value in [maker, taker, lots] { hash = (hash ^ value) &* prime }
  }
}
