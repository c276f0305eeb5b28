import Cluster
import Foundation
import Histogram
import Market

/// One load against a running cluster, from its accounts to its report; or several, at one rate after the other.
public struct LoadSession {
  public var target: LoadTarget
  public var configuration: LoadConfiguration
  /// Keep a log for the auditor among the cluster's client logs.
  public var keepsLog = true

  public init(target: LoadTarget, configuration: LoadConfiguration) {
    self.target = target
    self.configuration = configuration
  }

  /// A load on a cluster of this machine.
  public init(dataDirectory: String, configuration: LoadConfiguration) {
    self.init(target: LoadTarget(dataDirectory: dataDirectory), configuration: configuration)
  }

  /// What a finished load leaves besides its report.
  public struct Outcome {
    public var report: LoadReport
    /// In microseconds.
    public var latencies: Histogram<UInt64>
  }

  public func run(
    progress: (LoadGenerator.Progress) -> Void = { _ in },
    shouldStop: () -> Bool = { Interruption.wasRequested }
  ) throws -> Outcome {
    let outcomes = try sweep([configuration.rate], progress: progress, shouldStop: shouldStop)
    guard let outcome = outcomes.first else { throw ClientError(reason: "stopped before it began") }
    return outcome
  }

  /// The rates one after the other on one connection, each with its own warm-up. Stopped early, it gives what there is,
  /// the rate under way included.
  public func sweep(
    _ rates: [Int], progress: (LoadGenerator.Progress) -> Void = { _ in },
    shouldStop: () -> Bool = { Interruption.wasRequested }
  ) throws -> [Outcome] {
    let connection = try target.connect()
    if let shard = configuration.onlyShard, shard >= Int(connection.market.shardCount) {
      throw ClientError(reason: "--shard \(shard): the market has \(connection.market.shardCount) shards")
    }
    let funding = AccountFunding(
      client: connection.clients[0], store: connection.store, market: connection.market)
    let accounts = try funding.traders(configuration.accounts)
    try funding.waitForCredit(accounts, seconds: 60)
    let logPath = connection.logDirectory.map { "\($0)/load-\(getpid()).log" }
    let log = try keepsLog ? logPath.map { try ClientLog(path: $0) } : nil
    let generator = LoadGenerator(
      clients: connection.clients, market: connection.market, accounts: accounts, configuration: configuration,
      log: log)
    var outcomes: [Outcome] = []
    for rate in rates {
      let report = try generator.run(
        rate: rate, processes: connection.processes, progress: progress, shouldStop: shouldStop)
      outcomes.append(Outcome(report: report, latencies: generator.latencies))
      if shouldStop() { break }
    }
    try log?.close()
    return outcomes
  }
}
