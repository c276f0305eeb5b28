/// When the pending inputs of a host are due to be committed.
///
/// A client's action that finds its machine quiet is committed at once. One that comes soon after a commit waits for
/// company, since a commit costs about as much with thirty actions as with one. Other machines' messages, marks and
/// ticks wait for whichever comes first, an action or their own bound. Times are monotonic nanoseconds.
struct CommitPace {
  private var lastCommit: Int64 = 0
  private var firstPending: Int64 = 0
  private var hasUrgent = false
  private var hasPending = false

  mutating func appended(isUrgent: Bool, at now: Int64) {
    if !hasPending {
      hasPending = true
      firstPending = now
    }
    if isUrgent { hasUrgent = true }
  }

  mutating func committed(at now: Int64) {
    lastCommit = now
    hasPending = false
    hasUrgent = false
  }

  func dueAt(_ configuration: HostConfiguration) -> Int64 {
    let relaxed = firstPending + configuration.relaxedCommitNanoseconds
    return hasUrgent ? min(relaxed, lastCommit + configuration.urgentCommitNanoseconds) : relaxed
  }
}
