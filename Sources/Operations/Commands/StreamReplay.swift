import Foundation
import Replay

/// Replays recorded order streams through one matching shard in this process.
public enum StreamReplay {
  /// A neutral order stream.
  public static func obs(file: String) throws -> ObsReplayReport {
    do {
      return ObsReplayReport(try ObsReplay.run(file: URL(fileURLWithPath: file)))
    } catch let error as ReplayError {
      throw CommandMistake("\(error)".hasPrefix(file) ? "\(error)" : "\(file): \(error)")
    }
  }
}

/// What a neutral order stream came to. Keys as `ObsReplay.Result` names them.
public struct ObsReplayReport: CommandReport {
  private let result: ObsReplay.Result

  init(_ result: ObsReplay.Result) { self.result = result }

  public func encode(to encoder: any Encoder) throws { try result.encode(to: encoder) }

  public var text: String {
    """
    \(result.operations) operations, \(result.trades) trades, volume \(result.volume), notional \(result.notional)
    tape \(result.tapeHash)
    final \(result.finalOrders) orders, \(result.finalLevels) levels, quantity \(result.finalQuantity), \
    price times quantity \(result.finalPriceQuantity)
    \(String(format: "%.1f", result.nanosecondsPerOperation)) ns an operation
    """
  }
}
