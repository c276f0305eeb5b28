import Testing

@testable import Cluster

struct CommitPaceTests {
  private let configuration = HostConfiguration()
  private let now: Int64 = 1_000_000_000_000

  @Test func anActionAfterQuietIsDueAtOnce() {
    var pace = CommitPace()
    pace.appended(isUrgent: true, at: now)
    #expect(pace.dueAt(configuration) <= now)
  }

  @Test func anActionSoonAfterACommitWaitsForCompanyButNotLong() {
    var pace = CommitPace()
    pace.appended(isUrgent: true, at: now)
    pace.committed(at: now)
    pace.appended(isUrgent: true, at: now)
    let wait = pace.dueAt(configuration) - now
    #expect(wait > 0)
    #expect(wait <= configuration.urgentCommitNanoseconds)
  }

  @Test func othersWaitLongerAndAnActionTakesThemAlong() {
    var pace = CommitPace()
    pace.committed(at: now)
    pace.appended(isUrgent: false, at: now)
    let relaxed = pace.dueAt(configuration)
    pace.appended(isUrgent: true, at: now)
    #expect(pace.dueAt(configuration) < relaxed)
  }
}
