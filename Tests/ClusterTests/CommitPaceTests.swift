import Testing

@testable import Cluster

struct CommitPaceTests {
  private let configuration = HostConfiguration()

  @Test func anActionAfterQuietIsDueAtOnce() {
    var pace = CommitPace()
    pace.appended(isUrgent: true)
    #expect(pace.dueAt(configuration) <= MachineClock.monotonic())
  }

  @Test func anActionSoonAfterACommitWaitsForCompanyButNotLong() {
    var pace = CommitPace()
    pace.appended(isUrgent: true)
    pace.committed()
    let committed = MachineClock.monotonic()
    pace.appended(isUrgent: true)
    let wait = pace.dueAt(configuration) - committed
    #expect(wait > 0)
    #expect(wait <= configuration.urgentCommitNanoseconds)
  }

  @Test func othersWaitLongerAndAnActionTakesThemAlong() {
    var pace = CommitPace()
    pace.committed()
    pace.appended(isUrgent: false)
    let relaxed = pace.dueAt(configuration)
    pace.appended(isUrgent: true)
    #expect(pace.dueAt(configuration) < relaxed)
  }
}
