/// How to reach an etcd, and as whom.
public struct EtcdConfiguration: Sendable, Hashable {
  /// Base addresses of its members, tried in turn: "http://10.0.0.1:2379".
  public var endpoints: [String]
  /// The cluster's name there: all keys begin with `/novation/CLUSTER/`.
  public var cluster: String
  /// User and password, where etcd asks for them; empty otherwise.
  public var user = ""
  public var password = ""
  /// PEM files, where `https` needs them: the certificates believed, one's own, and its key.
  public var authorityFile = ""
  public var certificateFile = ""
  public var keyFile = ""
  /// Milliseconds in which a call has its answer, or none.
  public var timeLimitMilliseconds = 3_000
  /// Milliseconds after which another member is asked instead.
  public var patienceMilliseconds = 1_000

  public init(endpoints: [String], cluster: String) {
    self.endpoints = endpoints
    self.cluster = cluster
  }

  /// What keeps it from being used; `nil` if nothing does.
  public var problem: String? {
    if endpoints.isEmpty { return "etcd has no endpoint" }
    for endpoint in endpoints {
      guard ["http://", "https://"].contains(where: { endpoint.hasPrefix($0) && endpoint.count > $0.count }) else {
        return "etcd's endpoint '\(endpoint)' must begin with http:// or https://"
      }
      // Addresses are logged.
      if endpoint.contains("@") { return "etcd's endpoints hold no user and password: they have settings of their own" }
    }
    if !Ownership.isName(cluster) { return "'\(cluster)' cannot be a cluster's name" }
    if user.isEmpty != password.isEmpty { return "etcd's user and password go together" }
    if certificateFile.isEmpty != keyFile.isEmpty { return "a certificate and its key go together" }
    return nil
  }
}
