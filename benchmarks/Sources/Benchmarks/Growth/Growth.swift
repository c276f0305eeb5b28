import Foundation
import Market

/// How the cost of an order grows with the orders at rest and with the instruments of a shard; and what a mass cancel
/// and a long sweep cost an order.
struct Growth {
  private let options: Options

  init(_ options: Options) { self.options = options }

  private struct Row {
    var resting: Int
    var instruments: Int
    /// Of an order that comes to rest, and of its cancel, each under a signature of its own.
    var place: Double
    var cancel: Double
    /// Resident memory of the process, MiB.
    var memory: Int
  }

  /// A row's costs as multiples of the first row's, and what they would be if cost were a logarithm: no cost grows
  /// faster than one whose multiple is not above it.
  private struct RowGrowth {
    var place: Double
    var cancel: Double
    var logarithm: Double
  }

  private static func growth(_ rows: [Row], _ value: (Row) -> Int) -> [RowGrowth] {
    guard let first = rows.first else { return [] }
    // Of one more, since the logarithm of one book is none.
    func logarithm(_ row: Row) -> Double { log2(Double(value(row) + 1)) }
    return rows.map {
      RowGrowth(
        place: $0.place / first.place, cancel: $0.cancel / first.cancel, logarithm: logarithm($0) / logarithm(first))
    }
  }

  /// Orders placed and cancelled for each figure.
  private static let sample = 100_000

  func run() throws {
    print("growth: one shard in-process; ns an operation (medians), one signature each")
    var byOrders: [Row] = []
    for resting in [1_000, 10_000, 100_000, 1_000_000, 10_000_000] { byOrders.append(measure(resting, 1)) }
    var byInstruments: [Row] = []
    for instruments in [1, 10, 100, 1_000, 10_000] { byInstruments.append(measure(100_000, instruments)) }
    let orderGrowth = Self.growth(byOrders, \.resting)
    let instrumentGrowth = Self.growth(byInstruments, \.instruments)
    for (title, rows, growths) in [
      ("by orders at rest", byOrders, orderGrowth), ("by instruments", byInstruments, instrumentGrowth),
    ] {
      print("  \(title): place and cancel in ns and as multiples of the first row; what a logarithm would be")
      for (row, growth) in zip(rows, growths) {
        print(
          "    \(row.resting) at rest in \(row.instruments): place "
            + String(format: "%.0f (%.2f), cancel %.0f (%.2f); ", row.place, growth.place, row.cancel, growth.cancel)
            + String(format: "logarithm %.2f; ", growth.logarithm) + "\(row.memory) MiB resident")
      }
    }
    let massCancel = self.massCancel()
    print("  mass cancel of 10,000: \(Int(massCancel)) ns an order")
    let sweep = self.sweep()
    print("  sweep of 5,000 levels: \(Int(sweep)) ns a fill")
    let plot = options.here + "/growth.svg"
    try Self.plot(byOrders, byInstruments).write(toFile: plot, atomically: true, encoding: .utf8)
    print("  plot: \(plot)")
    func figures(_ rows: [Row], _ growths: [RowGrowth]) -> [[String: Any]] {
      zip(rows, growths).map {
        [
          "resting": $0.resting, "instruments": $0.instruments, "place_ns": $0.place, "cancel_ns": $0.cancel,
          "resident_mib": $0.memory, "place_ratio": $1.place, "cancel_ratio": $1.cancel, "log_ratio": $1.logarithm,
        ]
      }
    }
    try Benchmarks.print(
      json: [
        "benchmark": "growth", "by_orders": figures(byOrders, orderGrowth),
        "by_instruments": figures(byInstruments, instrumentGrowth),
        "mass_cancel_ns_per_order": massCancel, "sweep_ns_per_fill": sweep,
      ], options)
  }

  private static func order(_ side: Side, _ tick: Int64, _ instrument: Int, _ lots: Int64 = 1) -> Market.Operation {
    Market.Operation(
      kind: .new, side: side, instrument: InstrumentID(UInt32(instrument)), price: Price(units: tick),
      quantity: Quantity(units: lots))
  }

  /// Fills the books evenly on both sides of the middle, at most 100,000 levels a side, then places and cancels.
  private func measure(_ resting: Int, _ instruments: Int) -> Row {
    var shard = TimedShard(instruments: instruments)
    var random = SystemRandomNumberGenerator()
    let depth = Int64(min(100_000, max(10, resting / instruments / 8)))
    func randomOrder() -> Market.Operation {
      let side: Side = Bool.random(using: &random) ? .buy : .sell
      let away = Int64.random(in: 1...depth, using: &random)
      return Self.order(
        side, TimedShard.middle + (side == .buy ? -away : away), Int.random(in: 0..<instruments, using: &random))
    }
    var placed = 0
    while placed < resting {
      let count = min(256, resting - placed)
      shard.act(
        UInt32.random(in: 1...TimedShard.accounts, using: &random), (0..<count).map { _ in randomOrder() })
      placed += count
      if placed % 65_536 < 256 { shard.seal() }
    }
    var places: [Double] = []
    var cancels: [Double] = []
    var open: [(account: UInt32, nonce: UInt64, instrument: InstrumentID)] = []
    for _ in 0..<Self.sample {
      let account = UInt32.random(in: 1...TimedShard.accounts, using: &random)
      let operation = randomOrder()
      let (nonce, time) = shard.act(account, [operation])
      places.append(Double(time))
      open.append((account, nonce, operation.instrument))
      if open.count < 1_000 { continue }
      let place = Int.random(in: 0..<open.count, using: &random)
      let target = open[place]
      open.swapAt(place, open.count - 1)
      open.removeLast()
      let cancel = Market.Operation(kind: .cancel, instrument: target.instrument, targetNonce: target.nonce)
      cancels.append(Double(shard.act(target.account, [cancel]).nanoseconds))
    }
    return Row(
      resting: resting, instruments: instruments, place: places.median, cancel: cancels.median,
      memory: Self.residentMebibytes())
  }

  private static func residentMebibytes() -> Int {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
    return (pages.flatMap { $0.count > 1 ? Int($0[1]) : nil } ?? 0) * 4 / 1_024
  }

  /// An account's 10,000 orders under one cancel-all, its bounded steps included.
  private func massCancel() -> Double {
    let times = (0..<5).map { _ in
      var shard = TimedShard(instruments: 1)
      for batch in 0..<50 {
        shard.act(1, (0..<200).map { Self.order(.buy, TimedShard.middle - Int64(batch * 200 + $0) - 1, 0) })
      }
      let first = shard.act(1, [Market.Operation(kind: .cancelAll, instrument: Market.Operation.allInstruments)])
      return Double(first.nanoseconds + shard.finish()) / 10_000
    }
    return times.median
  }

  /// One order through 5,000 levels of one order each.
  private func sweep() -> Double {
    let times = (0..<5).map { _ in
      var shard = TimedShard(instruments: 1)
      for batch in 0..<25 {
        shard.act(1, (0..<200).map { Self.order(.sell, TimedShard.middle + Int64(batch * 200 + $0), 0) })
      }
      let first = shard.act(2, [Self.order(.buy, TimedShard.middle + 5_000, 0, 5_000)])
      return Double(first.nanoseconds + shard.finish()) / 5_000
    }
    return times.median
  }

  /// Two panels, logarithmic across, linear upwards.
  private static func plot(_ byOrders: [Row], _ byInstruments: [Row]) -> String {
    let most = (byOrders + byInstruments).flatMap { [$0.place, $0.cancel] }.max() ?? 1
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="820" height="340" font-family="sans-serif" font-size="12">
      <rect width="820" height="340" fill="white"/>

      """
    func panel(_ left: Double, _ title: String, _ rows: [Row], _ value: (Row) -> Int) {
      let (width, top, bottom) = (330.0, 50.0, 290.0)
      let logs = rows.map { log10(Double(value($0))) }
      guard let low = logs.first, let high = logs.last, high > low else { return }
      func x(_ row: Row) -> Double { left + (log10(Double(value(row))) - low) / (high - low) * width }
      func y(_ nanoseconds: Double) -> Double { bottom - nanoseconds / most * (bottom - top) }
      text += "<text x=\"\(left)\" y=\"30\" font-weight=\"bold\">\(title)</text>\n"
      for share in [0, 0.5, 1] {
        let height = y(most * share)
        text += "<line x1=\"\(left)\" x2=\"\(left + width)\" y1=\"\(height)\" y2=\"\(height)\" stroke=\"#ddd\"/>\n"
        text += "<text x=\"\(left - 6)\" y=\"\(height + 4)\" text-anchor=\"end\">\(Int(most * share))</text>\n"
      }
      for row in rows { text += "<text x=\"\(x(row))\" y=\"310\" text-anchor=\"middle\">\(value(row))</text>\n" }
      for (color, cost) in [("#1f77b4", \Row.place), ("#d62728", \Row.cancel)] {
        let points = rows.map { "\(x($0)),\(y($0[keyPath: cost]))" }.joined(separator: " ")
        text += "<polyline points=\"\(points)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"/>\n"
      }
    }
    panel(60, "ns an operation by orders at rest", byOrders) { $0.resting }
    panel(470, "ns an operation by instruments (100,000 at rest)", byInstruments) { $0.instruments }
    text +=
      "<text x=\"60\" y=\"332\" fill=\"#1f77b4\">place</text><text x=\"110\" y=\"332\" fill=\"#d62728\">cancel</text>\n"
    return text + "</svg>\n"
  }
}
