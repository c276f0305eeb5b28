import Authority

/// A real etcd, with or without TLS and authentication.
final class EtcdStage: AuthorityStage {
  let leaseMilliseconds = 1_000
  let noticeMilliseconds = 3_000
  let etcd: EtcdProcess
  private let proxy: TCPProxy

  init(isSecured: Bool) async throws {
    etcd = try await EtcdProcess(isSecured: isSecured)
    proxy = try TCPProxy(to: etcd.port)
  }

  func client() throws -> any Authority { try EtcdAuthority(configuration(port: etcd.port)) }
  func disturbedClient() throws -> any Authority { try EtcdAuthority(configuration(port: proxy.port)) }

  func configuration(port: Int) -> EtcdConfiguration {
    var configuration = EtcdConfiguration(endpoints: ["\(etcd.scheme)://127.0.0.1:\(port)"], cluster: "test")
    configuration.timeLimitMilliseconds = 1_500
    configuration.patienceMilliseconds = 700
    if etcd.isSecured {
      (configuration.user, configuration.password) = ("novation", EtcdProcess.password)
      configuration.authorityFile = etcd.file("ca.pem")
      configuration.certificateFile = etcd.file("client.pem")
      configuration.keyFile = etcd.file("client.key")
    }
    return configuration
  }

  func disturb(_ disturbance: TCPProxy.Mode) {
    if disturbance == .open { proxy.heal() } else { proxy.set(disturbance) }
  }
  var lost: Int { proxy.lost }

  func restart() async throws {
    etcd.kill()
    try await etcd.start()
  }

  func end() {
    etcd.kill()
    proxy.end()
  }
}
