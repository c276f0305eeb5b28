import Cluster
import Foundation
import Histogram
import Market

/// One load against a running cluster, from its accounts to its report.
public struct LoadSession {
  public var dataDirectory: String
  public var configuration: LoadConfiguration
  /// Keep a log for the auditor among the cluster's client logs.
  public var keepsLog = true

  public init(dataDirectory: String, configuration: LoadConfiguration) {
    self.dataDirectory = dataDirectory
    self.configuration = configuration
  }

  /// What a finished load leaves besides its report.
  public struct Outcome {
    public var report: LoadReport
    /// In microseconds.
    public var latencies: Histogram<UInt64>
  }

  public func run(
    progress: (Double, Int) -> Void = { _, _ in }, shouldStop: () -> Bool = { Interruption.wasRequested }
  ) throws -> Outcome {
    let cluster = try ClusterClient(dataDirectory: dataDirectory)
    let market = try cluster.market()
    let client = try cluster.gateway()
    let funding = AccountFunding(
      client: client, store: AccountStore(directory: cluster.map.accountDirectory), market: market)
    let accounts = try funding.traders(configuration.accounts)
    try funding.waitForCredit(accounts, seconds: 60)
    let log = try keepsLog ? ClientLog(path: "\(cluster.map.clientLogDirectory)/load-\(getpid()).log") : nil
    let generator = LoadGenerator(
      client: client, market: market, accounts: accounts, configuration: configuration, log: log)
    let report = try generator.run(processes: cluster.processes(), progress: progress, shouldStop: shouldStop)
    try log?.close()
    return Outcome(report: report, latencies: generator.latencies)
  }
}
