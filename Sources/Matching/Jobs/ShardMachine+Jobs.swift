import Bytes
import Machine
import Market

// Work in bounded steps: each input first carries on with what earlier ones left.
extension ShardMachine {
  /// Queues a job and does as much of the queue as this step allows.
  mutating func start(_ job: Job, into output: inout OutputBuffer) {
    jobs.append(job)
    if !isWorking { continueJobs(into: &output) }
  }

  /// Whether some job could go on now.
  var hasRunnableJob: Bool { jobs.contains { isRunnable($0) } }

  private func isRunnable(_ job: Job) -> Bool {
    switch job.kind {
    case .settle: books[Int(job.book)].contract.expiry <= now
    case .fire: !books[Int(job.book)].isBlocked
    case .takeUp: !isQueueStuck
    default: true
    }
  }

  /// Runs jobs in order of their start; what a job starts comes behind all others.
  mutating func continueJobs(into output: inout OutputBuffer) {
    isWorking = true
    defer { isWorking = false }
    var place = 0
    while place < jobs.count, budget > 0 {
      if !isRunnable(jobs[place]) {
        place += 1
        continue
      }
      let isDone = advance(jobs[place], into: &output)
      lookAtLast(into: &output)
      if isDone {
        jobs.remove(at: place)
        // An earlier one may have become able to go on.
        place = 0
      } else if budget > 0 {
        place += 1
      }
    }
  }

  /// Does what the budget allows; true when the job is done.
  private mutating func advance(_ job: Job, into output: inout OutputBuffer) -> Bool {
    switch job.kind {
    case .cancel: return cancelAll(job, into: &output)
    case .recall: return recall(job, into: &output)
    case .freeze:
      let account = accounts[job.accountSlot]
      guard account.isFrozen, account.freezeID == job.number else { return true }
      let isDone = cancelAll(job, into: &output)
      accounts[job.accountSlot].ceiling = accounts[job.accountSlot].used
      if isDone { acknowledgeFreeze(job.accountSlot, into: &output) }
      return isDone
    case .sessionEnd: return cancelAll(ofSession: job, into: &output)
    case .settle: return settle(Int(job.book), into: &output)
    case .fire: return takeUpStops(Int(job.book), into: &output)
    case .sweep: return carryOn(Int(job.book), into: &output)
    case .uncross: return uncross(Int(job.book), into: &output)
    case .takeUp: return takeUpQueued(into: &output)
    }
  }

  /// Looks at the triggers on the last price of every book that has traded since.
  @inline(__always) mutating func lookAtLast(into output: inout OutputBuffer) {
    if hasNewLast { lookAtNewLast(into: &output) }
  }
  @inline(never) private mutating func lookAtNewLast(into output: inout OutputBuffer) {
    hasNewLast = false
    for book in 0..<books.count where books[book].isLastNew {
      books[book].isLastNew = false
      fireTriggers(book, 2, 2, into: &output)
    }
  }
}
