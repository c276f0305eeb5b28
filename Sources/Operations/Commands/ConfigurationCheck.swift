import Cluster
import Foundation
import Listing
import Market

/// Files that were read, found sound, and do not contradict each other.
public struct ConfigurationCheck: CommandReport {
  public struct File: Encodable, Sendable {
    public var file: String
    /// `cluster` or `instruments`.
    public var kind: String
    public var summary: String
  }
  public var files: [File]

  /// Reads each file by what it holds, then opens every market on every cluster among them as a first start would.
  public init(paths: [String]) throws {
    var clusters: [ClusterConfiguration] = []
    var markets: [ListingFile] = []
    files = []
    for path in paths {
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw CommandMistake("\(path): cannot be read; it must be a TOML file of a cluster or of instruments")
      }
      if Self.isInstrumentFile(text) {
        let file = try ListingFile.load(path)
        let listing = try file.open(at: MachineClock.wall())
        markets.append(file)
        files.append(
          File(
            file: path, kind: "instruments",
            summary: "\(listing.market.instruments.count) instruments of "
              + listing.market.underlyings.map(\.name).joined(separator: ", ")))
      } else {
        let configuration = try ClusterConfiguration.load(path: path)
        clusters.append(configuration)
        files.append(
          File(
            file: path, kind: "cluster",
            summary: "\(configuration.matcherNodes) matcher nodes, \(configuration.shards) shards, "
              + "\(configuration.verifiers) verifiers, \(configuration.transport.rawValue)"))
      }
    }
    for market in markets {
      for cluster in clusters { _ = try market.open(at: MachineClock.wall(), shards: cluster.shards) }
    }
  }

  /// An instrument file begins with a version and has tables of underlyings and currencies; a cluster's has neither.
  private static func isInstrumentFile(_ text: String) -> Bool {
    text.split(separator: "\n").contains { line in
      let line = line.drop { $0 == " " || $0 == "\t" }
      return line.hasPrefix("[[") || line.hasPrefix("version")
    }
  }

  public var text: String { files.map { "\($0.file): sound; \($0.summary)" }.joined(separator: "\n") }
}
