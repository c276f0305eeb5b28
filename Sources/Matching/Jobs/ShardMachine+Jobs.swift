import Bytes
import Machine
import Market

// Work in bounded steps: each input first carries on with what earlier ones left.
extension ShardMachine {
  /// Adds a job behind the others; it runs when what started it is done.
  mutating func start(_ job: Job) {
    var job = job
    jobsStarted &+= 1
    job.id = jobsStarted
    if job.isMassCancel {
      job.stopArrival = job.arrival
      job.order = newestOrder(of: job)
      job.stop = newestStop(of: job)
      awaitNext(job)
    }
    jobs.append(job)
    calmUntil = Self.noTime
  }

  /// Whether some job could go on now.
  var hasRunnableJob: Bool { jobs.contains { isRunnable($0) } }

  private func isRunnable(_ job: Job) -> Bool {
    switch job.kind {
    case .settle: books[Int(job.book)].contract.expiry <= now
    case .fire: !books[Int(job.book)].isBlocked
    default: true
    }
  }

  /// Looks at the last prices, then runs jobs while units are left: always the first that can go on.
  @inline(__always) mutating func goOn(into output: inout OutputBuffer) {
    if hasNewLast || !jobs.isEmpty { continueJobs(into: &output) }
  }

  @inline(never) private mutating func continueJobs(into output: inout OutputBuffer) {
    lookAtLast()
    while budget > 0, let place = jobs.firstIndex(where: { isRunnable($0) }) {
      var job = jobs[place]
      // While it runs it keeps its place itself.
      jobs[place].order = 0
      jobs[place].stop = 0
      let isDone = advance(&job, into: &output)
      // It may have ended others, and started some.
      if let place = jobs.firstIndex(where: { $0.id == job.id }) {
        if isDone { jobs.remove(at: place) } else { jobs[place] = job }
      }
      lookAtLast()
    }
  }

  /// Does what the budget allows; true when the job is done.
  private mutating func advance(_ job: inout Job, into output: inout OutputBuffer) -> Bool {
    switch job.kind {
    case .cancel, .sessionEnd: return cancelAll(&job, into: &output)
    case .recall: return recall(job, into: &output)
    case .freeze:
      let account = accounts[job.accountSlot]
      guard account.isFrozen, account.freezeID == job.number else { return true }
      let isDone = cancelAll(&job, into: &output)
      accounts[job.accountSlot].ceiling = accounts[job.accountSlot].used
      if isDone { acknowledgeFreeze(job.accountSlot, into: &output) }
      return isDone
    case .settle: return settle(Int(job.book), into: &output)
    case .fire: return takeUpStops(Int(job.book), into: &output)
    case .sweep: return carryOn(Int(job.book), into: &output)
    case .uncross: return uncross(Int(job.book), into: &output)
    case .takeUp: return takeUpQueued(into: &output)
    }
  }

  /// Notes that a book with stops has traded.
  mutating func noteNewLast(_ book: Int) {
    hasNewLast = true
    calmUntil = Self.noTime
    if books[book].isLastNew { return }
    books[book].isLastNew = true
    booksWithNewLast.append(book)
  }

  /// Looks at the triggers on the last price of every book that has traded since.
  mutating func lookAtLast() {
    if !hasNewLast { return }
    hasNewLast = false
    let traded = booksWithNewLast.sorted()
    booksWithNewLast.removeAll(keepingCapacity: true)
    for book in traded {
      books[book].isLastNew = false
      fireTriggers(book, 2, 2)
    }
  }
}
