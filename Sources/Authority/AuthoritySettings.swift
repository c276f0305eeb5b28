import Glibc

/// Which authority a cluster has and how to reach it, as its configuration says.
public struct AuthoritySettings: Codable, Sendable, Hashable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// The supervisor: for clusters on one host.
    case supervisor
    case etcd
  }

  public var kind = Kind.supervisor
  /// etcd's members, by base address.
  public var endpoints: [String] = []
  /// The cluster's name in etcd.
  public var cluster = "main"
  public var user = ""
  /// Paths; empty where there is none.
  public var passwordFile = ""
  public var authorityFile = ""
  public var certificateFile = ""
  public var keyFile = ""
  /// For how long a node is taken for alive after its last sign of life.
  public var leaseMilliseconds = 2_000

  public init() {}

  /// Limits of a lease, in milliseconds.
  public static let leaseLimits = 250...60_000

  /// What keeps the settings from being used, with the setting; `nil` if nothing does. Looks into no file.
  public var problem: (key: String, reason: String)? {
    if kind == .supervisor {
      return endpoints.isEmpty ? nil : ("endpoints", "only kind = \"etcd\" has endpoints")
    }
    if leaseMilliseconds < 1_000 {
      return ("lease_ms", "etcd counts leases in whole seconds: it must be at least 1000")
    }
    if user.isEmpty != passwordFile.isEmpty {
      return (user.isEmpty ? "user" : "password_file", "user and password_file go together")
    }
    var configuration = EtcdConfiguration(endpoints: endpoints, cluster: cluster)
    configuration.certificateFile = certificateFile
    configuration.keyFile = keyFile
    return configuration.problem.map { (key(of: configuration), $0) }
  }

  private func key(of configuration: EtcdConfiguration) -> String {
    if !Ownership.isName(cluster) { return "cluster" }
    return configuration.certificateFile.isEmpty == configuration.keyFile.isEmpty ? "endpoints" : "certificate_file"
  }

  /// How to reach etcd, its password read from its file.
  /// - Throws: `refused` if the settings cannot be used, or the password's file is missing, empty or open to others.
  public func etcd() throws(AuthorityError) -> EtcdConfiguration {
    if let problem { throw .refused(authority: "etcd", reason: "authority.\(problem.key): \(problem.reason)") }
    var configuration = EtcdConfiguration(endpoints: endpoints, cluster: cluster)
    configuration.user = user
    if !user.isEmpty { configuration.password = try password() }
    configuration.authorityFile = authorityFile
    configuration.certificateFile = certificateFile
    configuration.keyFile = keyFile
    return configuration
  }

  /// The first line of the password's file.
  private func password() throws(AuthorityError) -> String {
    func refused(_ reason: String) -> AuthorityError {
      .refused(authority: "etcd", reason: "authority.password_file: \(passwordFile): \(reason)")
    }
    let descriptor = open(passwordFile, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw refused(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw refused(String(cString: strerror(errno))) }
    guard status.st_mode & 0o077 == 0 else {
      throw refused("mode 0\(String(status.st_mode & 0o777, radix: 8)) lets others at it; it must be 0600")
    }
    var bytes = [UInt8](repeating: 0, count: 1_024)
    let count = read(descriptor, &bytes, bytes.count)
    let line = bytes.prefix(max(0, count)).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    guard let text = String(validating: line, as: UTF8.self), !text.isEmpty else {
      throw refused("it holds no password")
    }
    return text
  }
}
