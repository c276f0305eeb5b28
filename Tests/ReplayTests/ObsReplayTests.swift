import Bytes
import Foundation
import Testing

@testable import Replay

/// A small generator of order streams, and a plain matcher that says what they come to.
struct SmallStream {
  struct Resting {
    var order: UInt64
    var instrument: UInt32
    var side: UInt8
    var price: Int64
    var lots: UInt32
  }

  private var state: UInt64
  var open: [Resting] = []
  var writer = [UInt8]()
  var tape = Tape()
  private var orders: UInt64 = 0

  init(seed: UInt64, records: Int, warmUp: Int, instruments: UInt32) {
    state = seed
    append("OBSTRM01".utf8)
    append(1 as UInt32)
    append(32 as UInt32)
    append(UInt64(records))
    append(UInt64(warmUp))
    append(instruments)
    append(1 as UInt32)
    append(seed)
    append(1 as Int64)
    append(4_000 as Int64)
    for _ in 0..<records { add(instruments) }
  }

  private mutating func random(_ bound: UInt64) -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state % bound
  }

  private mutating func append(_ bytes: some Sequence<UInt8>) { writer.append(contentsOf: bytes) }
  private mutating func append<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { writer.append(contentsOf: $0) }
  }

  private mutating func record(_ kind: UInt8, _ resting: Resting) {
    append(resting.order)
    append(resting.price)
    append(resting.lots)
    append(resting.instrument)
    writer += [kind, resting.side, 0, 0, 0, 0, 0, 0]
  }

  private mutating func add(_ instruments: UInt32) {
    let dice = random(100)
    let side = UInt8(random(2))
    let price = Int64(2_000 + random(30)) - (side == 0 ? 20 : 10)
    let lots = UInt32(1 + random(50))
    if dice < 60 || open.isEmpty {
      orders += 1
      let kind: UInt8 = dice < 50 ? 1 : 2
      let order = Resting(
        order: orders, instrument: UInt32(random(UInt64(instruments))), side: side, price: price, lots: lots)
      record(kind, order)
      match(order, rests: kind == 1)
      return
    }
    let place = Int(random(UInt64(open.count)))
    var target = open[place]
    if dice < 80 {
      target.price = 0
      target.lots = 0
      record(3, target)
      open.remove(at: place)
    } else if dice < 90 {
      target.price = price
      target.lots = lots
      record(4, target)
      open.remove(at: place)
      match(target, rests: true)
    } else if dice < 98, target.lots > 1 {
      target.price = 0
      target.lots = 1 + UInt32(random(UInt64(target.lots - 1)))
      record(5, target)
      open[place].lots -= target.lots
    } else {
      // A cancel of what is long gone.
      target.order = orders + 1_000_000
      record(3, target)
    }
  }

  private mutating func match(_ taker: Resting, rests: Bool) {
    var taker = taker
    while taker.lots > 0 {
      let crossing = open.indices.filter {
        open[$0].instrument == taker.instrument && open[$0].side != taker.side
          && (taker.side == 0 ? open[$0].price <= taker.price : open[$0].price >= taker.price)
      }
      // The first of the best, because `min` keeps the first of equals.
      guard
        let best = crossing.min(by: {
          taker.side == 0 ? open[$0].price < open[$1].price : open[$0].price > open[$1].price
        })
      else { break }
      let lots = min(taker.lots, open[best].lots)
      tape.add(maker: open[best].order, taker: taker.order, price: open[best].price, lots: UInt64(lots))
      taker.lots -= lots
      open[best].lots -= lots
      if open[best].lots == 0 { open.remove(at: best) }
    }
    if rests, taker.lots > 0 { open.append(taker) }
  }
}

@Suite struct ObsReplayTests {
  @Test(arguments: [(UInt64(7), UInt32(1)), (8, 5), (9, 2)])
  func theShardTellsThePlainMatchersTape(seed: UInt64, instruments: UInt32) throws {
    let stream = SmallStream(seed: seed, records: 6_000, warmUp: 500, instruments: instruments)
    let result = try stream.writer.withUnsafeBytes { try ObsReplay.run($0) }
    let hash = String(stream.tape.hash, radix: 16)
    #expect(result.operations == 6_000)
    #expect(result.trades == stream.tape.trades && result.trades > 500)
    #expect(result.volume == stream.tape.volume)
    #expect(result.notional == stream.tape.notional)
    #expect(result.tapeHash == String(repeating: "0", count: 16 - hash.count) + hash)
    #expect(result.finalOrders == stream.open.count)
    #expect(result.finalQuantity == stream.open.reduce(0) { $0 + UInt64($1.lots) })
    #expect(result.finalPriceQuantity == stream.open.reduce(0) { $0 + UInt64($1.lots) * UInt64($1.price) })
    #expect(result.finalLevels == Set(stream.open.map { [Int64($0.instrument), Int64($0.side), $0.price] }).count)
  }

  @Test func theSameStreamGivesTheSameStateHash() throws {
    let stream = SmallStream(seed: 3, records: 2_000, warmUp: 0, instruments: 3)
    let first = try stream.writer.withUnsafeBytes { try ObsReplay.run($0) }
    let second = try stream.writer.withUnsafeBytes { try ObsReplay.run($0) }
    #expect(first.stateHash == second.stateHash)
  }

  @Test func resultsCarryTheirPublishedNames() throws {
    let stream = SmallStream(seed: 3, records: 10, warmUp: 0, instruments: 1)
    let result = try stream.writer.withUnsafeBytes { try ObsReplay.run($0) }
    let keys = try JSONSerialization.jsonObject(with: JSONEncoder().encode(result)) as? [String: Any] ?? [:]
    #expect(
      Set(keys.keys) == [
        "operations", "trades", "volume", "notional", "tape_hash", "final_orders", "final_levels", "final_qty",
        "final_pq", "ns_per_op",
      ])
  }

  private func refusal(_ bytes: [UInt8], limit: Int? = nil, timesEach: Bool = false) -> String? {
    do {
      _ = try bytes.withUnsafeBytes { try ObsReplay.run($0, limit: limit, timesEach: timesEach) }
      return nil
    } catch { return "\(error)" }
  }

  @Test func aLimitReplaysTheFirstRecordsAndNoOther() throws {
    let whole = SmallStream(seed: 11, records: 3_000, warmUp: 100, instruments: 2)
    let first = SmallStream(seed: 11, records: 1_000, warmUp: 100, instruments: 2)
    var limited = try whole.writer.withUnsafeBytes { try ObsReplay.run($0, limit: 1_000) }
    var alone = try first.writer.withUnsafeBytes { try ObsReplay.run($0) }
    #expect(limited.nanosecondsPerOperation > 0)
    limited.nanosecondsPerOperation = 0
    alone.nanosecondsPerOperation = 0
    #expect(limited == alone && limited.operations == 1_000)
    let beyond = try first.writer.withUnsafeBytes { try ObsReplay.run($0, limit: 1_000_000) }
    #expect(beyond.stateHash == alone.stateHash && beyond.operations == 1_000)
  }

  @Test func aLimitCutsTheWarmUpToo() throws {
    let stream = SmallStream(seed: 11, records: 1_000, warmUp: 500, instruments: 1).writer
    let result = try stream.withUnsafeBytes { try ObsReplay.run($0, limit: 400) }
    #expect(result.operations == 400 && result.nanosecondsPerOperation == 0)
    for limit in [400, 500] {
      #expect(
        refusal(stream, limit: limit, timesEach: true)
          == "all \(limit) records are warm-up: no operation is left to time")
    }
    #expect(refusal(stream, limit: 501, timesEach: true) == nil)
    for limit in [0, -1, .min] { #expect(refusal(stream, limit: limit)?.contains("leaves nothing to replay") == true) }
  }

  @Test func timingEachOperationChangesNothingThatTheStreamComesTo() throws {
    let stream = SmallStream(seed: 5, records: 2_000, warmUp: 300, instruments: 3).writer
    let plain = try stream.withUnsafeBytes { try ObsReplay.run($0) }
    var timed = try stream.withUnsafeBytes { try ObsReplay.run($0, timesEach: true) }
    #expect(plain.latency == nil)
    let latency = try #require(timed.latency)
    #expect(latency.median > 0 && latency.median <= latency.p99)
    #expect(latency.p99 <= latency.p999 && latency.p999 <= latency.most)
    timed.latency = nil
    timed.nanosecondsPerOperation = plain.nanosecondsPerOperation
    #expect(timed == plain)
  }

  @Test func latencyCarriesItsPublishedNames() throws {
    let latency = ObsReplay.Latency(clock: 1, median: 2, p99: 3, p999: 4, most: 5)
    let keys = try JSONSerialization.jsonObject(with: JSONEncoder().encode(latency)) as? [String: Int]
    #expect(keys == ["clock_ns": 1, "p50_ns": 2, "p99_ns": 3, "p999_ns": 4, "max_ns": 5])
  }

  @Test func unreadableStreamsAreRefused() {
    #expect(refusal([1, 2, 3]) == "not an order stream: it does not begin with OBSTRM01")
    var stream = SmallStream(seed: 3, records: 10, warmUp: 0, instruments: 1).writer
    #expect(refusal(stream) == nil)
    #expect(refusal([UInt8](stream.dropLast()))?.contains("claims 10 records") == true)
    stream[64 + 24] = 9
    #expect(refusal(stream)?.contains("record 0: unknown operation 9") == true)
  }
}
