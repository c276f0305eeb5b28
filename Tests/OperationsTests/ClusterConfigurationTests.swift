import Authority
import Foundation
import Testing

@testable import Operations

@Suite struct ClusterConfigurationTests {
  private func load(_ text: String) throws -> ClusterConfiguration {
    let path = NSTemporaryDirectory() + "/cluster-\(UInt64.random(in: 0 ... .max)).toml"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try ClusterConfiguration.load(path: path)
  }

  @Test func everySettingOfAnAuthorityIsRead() throws {
    let authority = try load(
      """
      [authority]
      kind = "etcd"
      endpoints = ["https://10.0.0.1:2379", "https://10.0.0.2:2379"]
      cluster = "north"
      user = "novation"
      password_file = "/run/secrets/etcd"
      ca_file = "ca.pem"
      certificate_file = "own.pem"
      key_file = "own.key"
      lease_ms = 3000
      """
    ).authority
    #expect(authority.kind == .etcd && authority.cluster == "north" && authority.leaseMilliseconds == 3_000)
    #expect(authority.endpoints == ["https://10.0.0.1:2379", "https://10.0.0.2:2379"])
    #expect(authority.user == "novation" && authority.passwordFile == "/run/secrets/etcd")
    #expect(
      [authority.authorityFile, authority.certificateFile, authority.keyFile] == ["ca.pem", "own.pem", "own.key"])
  }

  @Test(arguments: [
    ("kind = \"etcd\"", "authority.endpoints"),
    ("kind = \"zookeeper\"", "authority.kind"),
    ("endpoints = [\"http://a:1\"]", "authority.endpoints"),
    ("kind = \"etcd\"\nendpoints = [\"a:1\"]", "authority.endpoints"),
    ("kind = \"etcd\"\nendpoints = [7]", "authority.endpoints"),
    ("kind = \"etcd\"\nendpoints = [\"http://a:1\"]\nlease_ms = 500", "authority.lease_ms"),
    ("kind = \"etcd\"\nendpoints = [\"http://a:1\"]\nuser = \"u\"", "authority.password_file"),
    ("kind = \"etcd\"\nendpoints = [\"http://a:1\"]\npassword_file = \"p\"", "authority.user"),
    ("kind = \"etcd\"\nendpoints = [\"http://a:1\"]\ncertificate_file = \"c\"", "authority.certificate_file"),
    ("kind = \"etcd\"\nendpoints = [\"http://a:1\"]\ncluster = \"a/b\"", "authority.cluster"),
    ("lease_ms = 100", "authority.lease_ms"),
  ])
  func anAuthorityThatCannotBeIsRefusedWithItsKey(_ lines: String, _ key: String) throws {
    let error = #expect(throws: ConfigurationError.self) { try load("[authority]\n\(lines)\n") }
    #expect(error?.key == key, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func whatAJournalKeepsIsReadAndRefusedOutOfRangeWithItsKey() throws {
    let read = try load("[journal]\nheadroom_bytes = 33554432\nretain_entries = 5000\nretain_hours = 48")
    #expect(
      read.journalHeadroomBytes == 32 << 20 && read.journalRetainEntries == 5_000 && read.journalRetainHours == 48)
    let refused = [
      ("headroom_bytes = 1000", "journal.headroom_bytes"), ("headroom_bytes = \"much\"", "journal.headroom_bytes"),
      ("map_gigabytes = 1\nheadroom_bytes = 300000000", "journal.headroom_bytes"),
      ("retain_entries = -1", "journal.retain_entries"), ("retain_hours = 100000", "journal.retain_hours"),
    ]
    for (lines, key) in refused {
      let error = #expect(throws: ConfigurationError.self) { try load("[journal]\n\(lines)\n") }
      #expect(error?.key == key, "\(error.map { "\($0)" } ?? "")")
    }
  }

  @Test func aPortOfMetricsBelowTheUsersIsRefused() throws {
    #expect(try load("[metrics]\nbase_port = 9464\nhost = \"0.0.0.0\"").metricsBasePort == 9_464)
    let error = #expect(throws: ConfigurationError.self) { try load("[metrics]\nbase_port = 80") }
    #expect(error?.key == "metrics.base_port")
  }

  @Test func theShippedFileHoldsTheDefaults() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let shipped = try ClusterConfiguration.load(path: root.appendingPathComponent("cluster/config/cluster.toml").path)
    #expect(shipped == ClusterConfiguration())
  }
}
