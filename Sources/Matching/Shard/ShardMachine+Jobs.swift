import Bytes
import Machine
import Market

// Work in bounded steps: each input first carries on with what earlier ones left.
extension ShardMachine {
  /// Queues a job and does as much of the queue as this step allows.
  mutating func start(_ job: Job, into output: inout OutputBuffer) {
    jobs.append(job)
    continueJobs(into: &output)
  }

  /// Whether some job could go on now; a settlement ordered before the expiry waits for it.
  var hasRunnableJob: Bool { jobs.contains { isRunnable($0) } }

  private func isRunnable(_ job: Job) -> Bool {
    job.kind != .settle || books[Int(job.book)].contract.expiry <= now
  }

  mutating func continueJobs(into output: inout OutputBuffer) {
    var place = 0
    while place < jobs.count, budget > 0 {
      if !isRunnable(jobs[place]) {
        place += 1
        continue
      }
      if !advance(place, into: &output) { return }
      jobs.remove(at: place)
    }
  }

  /// Does what the budget allows; true when the job is done.
  private mutating func advance(_ place: Int, into output: inout OutputBuffer) -> Bool {
    let job = jobs[place]
    switch job.kind {
    case .cancelAll: return cancelOrders(job, .cancelled, into: &output)
    case .recall: return recall(job, into: &output)
    case .freeze:
      let account = accounts[job.accountSlot]
      guard account.isFrozen, account.freezeID == job.number else { return true }
      let isDone = cancelOrders(job, .cancelledByFreeze, into: &output)
      accounts[job.accountSlot].ceiling = accounts[job.accountSlot].used
      if isDone { acknowledgeFreeze(job.accountSlot, into: &output) }
      return isDone
    case .sessionEnd: return cancelOrders(ofSession: job, into: &output)
    case .settle: return settle(Int(job.book), into: &output)
    }
  }

  /// Cancels the account's orders that had arrived when the job began, newest first.
  private mutating func cancelOrders(_ job: Job, _ outcome: Outcome, into output: inout OutputBuffer) -> Bool {
    var slot = accounts[job.accountSlot].newestOrder
    while slot != 0 {
      let order = orders[slot]
      if order.arrival <= job.arrival, job.book == Job.everyBook || UInt32(order.book) == job.book {
        if budget == 0 { return false }
        budget -= 1
        withdraw(slot, because: outcome, into: &output)
      }
      slot = order.older
    }
    return true
  }

  /// Cancels the account's newest orders until it fits; a newer credit makes the job void.
  private mutating func recall(_ job: Job, into output: inout OutputBuffer) -> Bool {
    let slot = job.accountSlot
    guard accounts[slot].creditVersion == job.number else { return true }
    var isDone = true
    while accounts[slot].used > job.amount, accounts[slot].newestOrder != 0 {
      if budget == 0 {
        isDone = false
        break
      }
      budget -= 1
      withdraw(accounts[slot].newestOrder, because: .cancelledByRecall, into: &output)
    }
    accounts[slot].ceiling = max(job.amount, accounts[slot].used)
    if isDone { acknowledgeCredit(slot, into: &output) }
    return isDone
  }

  /// Cancels the orders that live with the session; later generations of it stay.
  private mutating func cancelOrders(ofSession job: Job, into output: inout OutputBuffer) -> Bool {
    var slot = newestOfSession(job.number)
    while slot != 0 {
      let extra = extras[slot]
      if extra.generation <= job.generation, orders[extra.order].arrival <= job.arrival {
        if budget == 0 { return false }
        budget -= 1
        withdraw(extra.order, because: .cancelledByDisconnect, into: &output)
      }
      slot = extra.olderInSession
    }
    return true
  }
}
