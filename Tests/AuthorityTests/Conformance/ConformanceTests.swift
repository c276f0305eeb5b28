import Authority
import Testing

/// The same table of promises, put to every authority.
@Suite(.serialized) struct ConformanceTests {
  @Test func theTableKeepsEveryPromise() async throws { try await keepsEveryPromise(TableStage()) }

  @Test func theSupervisorKeepsEveryPromise() async throws { try await keepsEveryPromise(try SupervisorStage()) }

  @Test func etcdKeepsEveryPromise() async throws { try await keepsEveryPromise(try await EtcdStage(isSecured: false)) }

  @Test func etcdBehindTLSAndPasswordsKeepsEveryPromise() async throws {
    try await keepsEveryPromise(try await EtcdStage(isSecured: true))
  }

  private func keepsEveryPromise(_ stage: any AuthorityStage) async throws {
    for promised in AuthorityCase.all {
      do {
        try await promised.check(stage)
      } catch {
        Issue.record(error, "\(promised.promise)")
      }
      stage.disturb(.open)
    }
    await stage.end()
  }
}
