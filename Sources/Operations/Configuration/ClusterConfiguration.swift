import Authority
import Foundation
import Logging
import TOMLKit

/// Everything an operator may set about a local cluster, with its unit, default and limits. One loader reads it.
public struct ClusterConfiguration: Sendable, Hashable {
  public enum TransportKind: String, Sendable, CaseIterable {
    case ipc, tcp
  }

  /// Processes that host shards.
  public var matcherNodes = 2
  /// Shards in all.
  public var shards = 4
  /// Copies of each shard, of risk and of settlement that follow their owner.
  public var standbys = 0
  /// Verifier processes.
  public var verifiers = 1
  /// Deaths of processes at the same input after which it is kept from its machine.
  public var quarantineAfter = 3
  /// Attestations needed to post an epoch.
  public var quorum = 1
  public var transport = TransportKind.ipc
  /// Address to bind and connect to (tcp), or `serviceHost`.
  public var host = "127.0.0.1"
  /// As `host`: each node is a host of its own, reached by its name, and binds to all its addresses (containers).
  public static let serviceHost = "service"
  /// First port (tcp); 0 picks free ones.
  public var basePort = 0
  public var logLevel = Logger.Level.info
  public var logRotateMegabytes = 16
  public var logKeepFiles = 4
  public var journalMapGigabytes = 64
  public var snapshotEvery = 250_000
  /// Bytes of disk and of map that a journal keeps free.
  public var journalHeadroomBytes = 256 << 20
  /// What a journal keeps for auditors: at least the last so many entries, and those of the last so many hours.
  public var journalRetainEntries = 10_000_000
  public var journalRetainHours = 168
  public var marksIntervalMilliseconds = 500
  public var marksSeed = 1
  /// Silence after which a client's session is over, and those of all clients of a gateway.
  public var clientSilenceMilliseconds = 3_000
  public var gatewaySilenceMilliseconds = 5_000

  /// Who says which node owns which machine.
  public var authority = AuthoritySettings()
  /// Where each process tells Prometheus about itself: the address, and the first of a row of ports; 0 for nowhere.
  public var metricsHost = "127.0.0.1"
  public var metricsBasePort = 0

  public init() {}

  /// Checks that the values agree with each other.
  public func validate(source: String) throws(ConfigurationError) {
    if quorum > verifiers {
      throw ConfigurationError(
        source: source, key: "cluster.quorum", value: "\(quorum)",
        rule: "it cannot exceed cluster.verifiers, which is \(verifiers)")
    }
    if matcherNodes > shards {
      throw ConfigurationError(
        source: source, key: "cluster.matcher_nodes", value: "\(matcherNodes)",
        rule: "a node without a shard is of no use: there are \(shards) shards")
    }
    if standbys >= matcherNodes, standbys > 0 {
      throw ConfigurationError(
        source: source, key: "cluster.standbys", value: "\(standbys)",
        rule: "copies of a shard are on different nodes: with \(matcherNodes) matcher nodes there are at most "
          + "\(matcherNodes - 1) standbys")
    }
    if transport == .tcp, host == Self.serviceHost, basePort == 0 {
      throw ConfigurationError(
        source: source, key: "transport.base_port", value: "0",
        rule: "with transport.host = \"\(Self.serviceHost)\" it must be from 1024 to 65000: nobody can look for free "
          + "ports on another host")
    }
    // The default gives way to a small map; a value that was set does not.
    if journalHeadroomBytes != Self().journalHeadroomBytes, journalHeadroomBytes > journalMapGigabytes << 30 / 8 {
      throw ConfigurationError(
        source: source, key: "journal.headroom_bytes", value: "\(journalHeadroomBytes)",
        rule: "it cannot exceed an eighth of journal.map_gigabytes, which is \(journalMapGigabytes << 30 / 8) bytes")
    }
    if let problem = authority.problem {
      throw ConfigurationError(
        source: source, key: "authority.\(problem.key)", value: authority.text(of: problem.key), rule: problem.reason)
    }
    if metricsBasePort != 0, metricsBasePort < 1_024 {
      throw ConfigurationError(
        source: source, key: "metrics.base_port", value: "\(metricsBasePort)",
        rule: "it must be 0 or from 1024 to 65000")
    }
    if transport == .tcp, basePort != 0, basePort < 1_024 {
      throw ConfigurationError(
        source: source, key: "transport.base_port", value: "\(basePort)", rule: "it must be 0 or from 1024 to 65000")
    }
  }
}

/// A configuration that cannot be used: where, what, and what would be right.
public struct ConfigurationError: Error, CustomStringConvertible {
  public var source: String
  public var key: String
  public var value: String
  public var rule: String
  public var description: String { "\(source): \(key) = \(value): \(rule)" }
}

extension ClusterConfiguration {
  /// Reads a TOML file; unknown tables and keys are refused, so that a typing error never passes for a default.
  public static func load(path: String) throws(ConfigurationError) -> ClusterConfiguration {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw ConfigurationError(source: path, key: "file", value: "missing", rule: "it must be a readable TOML file")
    }
    let table: TOMLTable
    do {
      table = try TOMLTable(string: text)
    } catch {
      throw ConfigurationError(source: path, key: "file", value: "malformed", rule: "\(error)")
    }
    var configuration = ClusterConfiguration()
    for section in table.keys {
      guard let inner = table[section]?.table else {
        throw ConfigurationError(source: path, key: section, value: "a value", rule: "it must be a table")
      }
      for key in inner.keys {
        guard let setting = settings["\(section).\(key)"] else {
          throw ConfigurationError(
            source: path, key: "\(section).\(key)", value: "unknown",
            rule: "the keys are \(settings.keys.sorted().joined(separator: ", "))")
        }
        if let problem = setting(&configuration, inner[key]) {
          throw ConfigurationError(
            source: path, key: "\(section).\(key)", value: inner[key].map { "\($0)" } ?? "", rule: problem)
        }
      }
    }
    try configuration.validate(source: path)
    return configuration
  }

  /// Sets one key from its TOML value; the text says what would be right, `nil` when it was.
  private typealias Setting = @Sendable (inout ClusterConfiguration, (any TOMLValueConvertible)?) -> String?

  private static func number(
    _ path: any WritableKeyPath<ClusterConfiguration, Int> & Sendable, _ range: ClosedRange<Int>
  ) -> Setting {
    { configuration, value in
      guard let number = value?.int, range.contains(number) else {
        return "it must be a whole number from \(range.lowerBound) to \(range.upperBound)"
      }
      configuration[keyPath: path] = number
      return nil
    }
  }

  private static func text(_ path: any WritableKeyPath<ClusterConfiguration, String> & Sendable) -> Setting {
    { configuration, value in
      guard let text = value?.string else { return "it must be a text" }
      configuration[keyPath: path] = text
      return nil
    }
  }

  private static let settings: [String: Setting] = [
    "authority.kind": { configuration, value in
      guard let kind = value?.string.flatMap(AuthoritySettings.Kind.init(rawValue:)) else {
        return "it must be supervisor or etcd"
      }
      configuration.authority.kind = kind
      return nil
    },
    "authority.endpoints": { configuration, value in
      let texts = value?.array.map { list in list.map { $0.string } } ?? [nil]
      guard texts.allSatisfy({ $0 != nil }) else { return "it must be a list of addresses" }
      configuration.authority.endpoints = texts.compactMap { $0 }
      return nil
    },
    "authority.cluster": text(\.authority.cluster),
    "authority.user": text(\.authority.user),
    "authority.password_file": text(\.authority.passwordFile),
    "authority.ca_file": text(\.authority.authorityFile),
    "authority.certificate_file": text(\.authority.certificateFile),
    "authority.key_file": text(\.authority.keyFile),
    "authority.lease_ms": number(\.authority.leaseMilliseconds, AuthoritySettings.leaseLimits),
    "metrics.host": text(\.metricsHost),
    "metrics.base_port": number(\.metricsBasePort, 0...65_000),
    "cluster.matcher_nodes": number(\.matcherNodes, 1...64),
    "cluster.shards": number(\.shards, 1...1_024),
    "cluster.standbys": number(\.standbys, 0...4),
    "cluster.verifiers": number(\.verifiers, 1...16),
    "cluster.quorum": number(\.quorum, 1...16),
    "cluster.quarantine_after": number(\.quarantineAfter, 1...100),
    "transport.kind": { configuration, value in
      guard let kind = value?.string.flatMap(TransportKind.init(rawValue:)) else { return "it must be ipc or tcp" }
      configuration.transport = kind
      return nil
    },
    "transport.host": { configuration, value in
      guard let host = value?.string, !host.isEmpty else { return "it must be an address" }
      configuration.host = host
      return nil
    },
    "transport.base_port": number(\.basePort, 0...65_000),
    "log.level": { configuration, value in
      guard let level = value?.string.flatMap(Logger.Level.init(rawValue:)) else {
        return "it must be one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"
      }
      configuration.logLevel = level
      return nil
    },
    "log.rotate_megabytes": number(\.logRotateMegabytes, 1...1_024),
    "log.keep_files": number(\.logKeepFiles, 1...64),
    "journal.map_gigabytes": number(\.journalMapGigabytes, 1...4_096),
    "journal.snapshot_every": number(\.snapshotEvery, 1_000...1_000_000_000),
    "journal.headroom_bytes": number(\.journalHeadroomBytes, 16 << 20...1 << 40),
    "journal.retain_entries": number(\.journalRetainEntries, 0...1_000_000_000_000),
    "journal.retain_hours": number(\.journalRetainHours, 0...87_600),
    "marks.interval_milliseconds": number(\.marksIntervalMilliseconds, 50...10_000),
    "marks.seed": number(\.marksSeed, 0...Int.max),
    "sessions.client_silence_milliseconds": number(\.clientSilenceMilliseconds, 500...600_000),
    "sessions.gateway_silence_milliseconds": number(\.gatewaySilenceMilliseconds, 1_000...600_000),
  ]
}

extension AuthoritySettings {
  /// A setting as it is, for a message about it.
  fileprivate func text(of key: String) -> String {
    switch key {
    case "endpoints": endpoints.isEmpty ? "none" : endpoints.joined(separator: ", ")
    case "cluster": cluster
    case "lease_ms": "\(leaseMilliseconds)"
    case "user": user
    case "password_file": passwordFile
    default: certificateFile
    }
  }
}
