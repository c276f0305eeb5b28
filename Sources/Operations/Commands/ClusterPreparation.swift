import Cluster
import Foundation
import Listing
import Market

/// A data directory that is ready to be started: keys, market and map, and no process.
public struct ClusterPreparation: CommandReport {
  public var dataDirectory: String
  public var nodes: [String]
  public var shards: Int
  public var instruments: Int
  public var endpoints: [String: String]

  /// Prepares the directory, or brings an earlier one up to date with the configuration.
  public init(dataDirectory: String, configuration: ClusterConfiguration, instrumentsPath: String) throws {
    let directory = ClusterDirectory(
      path: dataDirectory, configuration: configuration, instrumentsPath: instrumentsPath)
    try FileManager.default.createDirectory(
      atPath: directory.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    // Not under the feet of a cluster that runs there.
    let lock = try SupervisorLock(dataDirectory: directory.path)
    let (map, listing) = try withExtendedLifetime(lock) { try directory.prepare() }
    self.dataDirectory = map.dataDirectory
    nodes = map.nodes.map(\.name)
    shards = map.shardCount
    instruments = listing.market.instruments.count
    endpoints = map.endpoints
  }

  public var text: String {
    """
    \(dataDirectory): \(instruments) instruments in \(shards) shards
    start each of these as novation node NAME --data \(dataDirectory):
      \(nodes.joined(separator: " "))
    """
  }
}
