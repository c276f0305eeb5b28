import Foundation
import Replay

/// Replays recorded order streams through one matching shard in this process.
public enum StreamReplay {
  /// A neutral order stream.
  /// - Parameters:
  ///   - limit: replays only the first so many records.
  ///   - latency: times every single operation after the warm-up.
  public static func obs(file: String, limit: Int? = nil, latency: Bool = false) throws -> ObsReplayReport {
    try require(file)
    return ObsReplayReport(try ObsReplay.run(file: URL(fileURLWithPath: file), limit: limit, timesEach: latency))
  }

  /// A LOBSTER recording: its messages, held against its book row by row.
  public static func lobster(messages: String, book: String) throws -> LobsterReplayReport {
    try require(messages)
    try require(book)
    return LobsterReplayReport(
      try LobsterReplay.run(messages: URL(fileURLWithPath: messages), book: URL(fileURLWithPath: book)))
  }

  private static func require(_ file: String) throws {
    guard FileManager.default.isReadableFile(atPath: file) else {
      throw CommandMistake("\(file): cannot be read; it must be a recorded stream")
    }
  }
}

/// What a neutral order stream came to. Keys as `ObsReplay.Result` and `ObsReplay.Latency` name them.
public struct ObsReplayReport: CommandReport {
  private let result: ObsReplay.Result

  init(_ result: ObsReplay.Result) { self.result = result }

  public func encode(to encoder: any Encoder) throws {
    try result.encode(to: encoder)
    try result.latency?.encode(to: encoder)
  }

  public var text: String {
    """
    \(result.operations) operations, \(result.trades) trades, volume \(result.volume), notional \(result.notional)
    tape \(result.tapeHash)
    final \(result.finalOrders) orders, \(result.finalLevels) levels, quantity \(result.finalQuantity), \
    price times quantity \(result.finalPriceQuantity)
    \(String(format: "%.1f", result.nanosecondsPerOperation)) ns an operation\(latency)
    """
  }

  private var latency: String {
    guard let latency = result.latency else { return "" }
    return """

      one operation: p50 \(latency.median) ns, p99 \(latency.p99) ns, p99.9 \(latency.p999) ns, \
      max \(latency.most) ns, the clock's own \(latency.clock) ns in each
      """
  }
}

/// What a LOBSTER recording came to. Keys as `LobsterReplay.Result` names them.
public struct LobsterReplayReport: CommandReport {
  private let result: LobsterReplay.Result

  init(_ result: LobsterReplay.Result) { self.result = result }

  /// Every row was the shard's own book.
  public var isGood: Bool { result.rowsChecked > 0 && result.rowsDisagreeing == 0 }

  public func encode(to encoder: any Encoder) throws { try result.encode(to: encoder) }

  public var text: String {
    let first = result.firstDisagreeing.isEmpty ? "" : ", the first in rows \(result.firstDisagreeing)"
    return "\(result.rowsChecked) rows checked, \(result.rowsDisagreeing) disagree\(first)"
  }
}
