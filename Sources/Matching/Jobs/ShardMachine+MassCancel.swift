import Bytes
import Machine
import Market

// Cancels of many orders at once.
extension ShardMachine {
  mutating func cancelAll(_ operation: OperationView, _ origin: Origin, into output: inout OutputBuffer) -> Answer {
    let known = OperationCode.byLabel | OperationCode.quotesOnly
    guard operation.flags & ~known == 0, let scope = Operation.Scope(rawValue: operation.rawType) else {
      return Answer(outcome: .unsupportedCombination)
    }
    var which = Job.everyBook
    if operation.instrument != Operation.allInstruments {
      let (book, absent) = book(of: operation.instrument)
      if let absent { return Answer(outcome: absent) }
      which = UInt32(book)
    }
    cancelEverything(
      Job(
        kind: .cancel, accountSlot: origin.accountSlot, book: which, arrival: arrivals, scope: scope,
        flags: operation.flags, label: operation.label), into: &output)
    return Answer(outcome: .cancelled)
  }

  /// Ends what waits at once, and starts the job that takes the rest.
  mutating func cancelEverything(_ job: Job, into output: inout OutputBuffer) {
    let account = job.accountSlot
    if accounts[account].deferred != 0 { endDeferred(job, into: &output) }
    start(job)
  }

  /// Ends the account's held, queued and sweeping orders that match.
  mutating func endDeferred(_ job: Job, into output: inout OutputBuffer) {
    var waiting = accounts[job.accountSlot].firstHeld
    while waiting != 0 {
      let next = held[waiting].next
      if matches(held[waiting].deferral, job) {
        endHeld(waiting, Answer(outcome: job.outcome), into: &output)
      }
      waiting = next
    }
    waiting = accounts[job.accountSlot].firstQueued
    while waiting != 0 {
      let next = queue[waiting].nextOwn
      if queue[waiting].deferral.isOrder, matches(queue[waiting].deferral, job) {
        dequeue(waiting, job.outcome, into: &output)
      }
      waiting = next
    }
    for slot in sweepSlots where matches(sweeps[slot], job) {
      endSweep(slot, because: job.outcome, into: &output)
    }
  }

  private mutating func matches(_ deferral: Deferral, _ job: Job) -> Bool {
    if deferral.origin.accountSlot != job.accountSlot { return false }
    let (book, absent) = book(of: deferral.operation.instrument)
    // What is queued for no book of the shard matches no filter, but goes where everything goes.
    if absent != nil { return job.outcome != .cancelled }
    return matches(
      job, book, deferral.operation.label, isQuote: deferral.operation.rawKind == OperationCode.quote)
  }
  private mutating func matches(_ sweep: Sweep, _ job: Job) -> Bool {
    sweep.taker.accountSlot == job.accountSlot
      && matches(job, sweep.taker.book, sweep.deferral.operation.label, isQuote: sweep.candidate.isQuote)
  }
  private mutating func matches(_ job: Job, _ book: Int, _ label: UInt32, isQuote: Bool) -> Bool {
    (job.book == Job.everyBook || job.book == UInt32(book)) && job.scope.contains(books[book].contract.kind)
      && (job.flags & OperationCode.byLabel == 0 || label == job.label)
      && (job.flags & OperationCode.quotesOnly == 0 || isQuote)
  }

  /// Looks at what the account, or the session, had when the job began: orders, newest first, then stops. What matches
  /// is cancelled; what does not is passed over. True when all has been looked at.
  mutating func cancelAll(_ job: inout Job, into output: inout OutputBuffer) -> Bool {
    var spare = 0
    while job.order != 0 {
      let slot = job.order
      let order = orders[slot]
      let next = older(than: order, job)
      let looked = arrival(of: order)
      if matches(order, job) {
        if budget == 0 { return pause(job) }
        budget -= 1
        withdraw(slot, because: job.outcome, into: &output)
      } else if !passOver(&spare) {
        return pause(job)
      }
      job.arrival = looked &- 1
      job.order = next
    }
    job.arrival = 0
    if job.flags & OperationCode.quotesOnly != 0 { return true }
    while job.stop != 0 {
      let slot = job.stop
      let stop = stops[slot]
      let next = older(than: stop, job)
      if matches(stop, job) {
        if budget == 0 { return pause(job) }
        budget -= 1
        dropStop(slot)
        conclude(stop: stop.deferral, job.outcome, into: &output)
      } else if !passOver(&spare) {
        return pause(job)
      }
      job.stopArrival = stop.arrival &- 1
      job.stop = next
    }
    return true
  }

  /// Orders that a mass cancel passes over for one unit.
  private static var passedForOne: Int { 8 }

  /// Passes over one order, for a unit if the last one is used up; false if none is left.
  private mutating func passOver(_ spare: inout Int) -> Bool {
    if spare == 0 {
      if budget == 0 { return false }
      budget -= 1
      spare = Self.passedForOne
    }
    spare -= 1
    return true
  }

  /// Leaves a job where it stands; never done.
  private mutating func pause(_ job: Job) -> Bool {
    awaitNext(job)
    return false
  }

  private mutating func matches(_ order: RestingOrder, _ job: Job) -> Bool {
    let extra = order.extra == 0 ? OrderExtra() : extras[order.extra]
    if job.kind == .sessionEnd { return extra.generation <= job.generation }
    return matches(job, Int(order.book), extra.label, isQuote: order.isQuote)
  }
  private mutating func matches(_ stop: ArmedStop, _ job: Job) -> Bool {
    if job.kind == .sessionEnd { return stop.deferral.origin.generation <= job.generation }
    return matches(job, Int(stop.book), stop.deferral.operation.label, isQuote: false)
  }

  /// Cancels the account's newest orders until it fits; a newer credit makes the job void.
  mutating func recall(_ job: Job, into output: inout OutputBuffer) -> Bool {
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
}

// Where a mass cancel stands: it is to look at one order, and one stop, next. If that leaves first, the one before it
// takes its place; so that the others need not know, those two carry a mark.
extension ShardMachine {
  /// The newest order that the job is still to look at, or 0.
  mutating func newestOrder(of job: Job) -> Slot {
    if job.kind != .sessionEnd {
      var slot = accounts[job.accountSlot].newestOrder
      while slot != 0, arrival(of: orders[slot]) > job.arrival { slot = orders[slot].older }
      return slot
    }
    var extra = newestOfSession(job.number, isStop: false)
    while extra != 0, arrival(of: orders[extras[extra].order]) > job.arrival { extra = extras[extra].olderInSession }
    return extra == 0 ? 0 : extras[extra].order
  }
  /// The newest stop that the job is still to look at, or 0.
  mutating func newestStop(of job: Job) -> Slot {
    if job.kind != .sessionEnd {
      var slot = accounts[job.accountSlot].newestStop
      while slot != 0, stops[slot].arrival > job.stopArrival { slot = stops[slot].older }
      return slot
    }
    var extra = newestOfSession(job.number, isStop: true)
    while extra != 0, stops[extras[extra].stop].arrival > job.stopArrival { extra = extras[extra].olderInSession }
    return extra == 0 ? 0 : extras[extra].stop
  }

  private mutating func older(than order: RestingOrder, _ job: Job) -> Slot {
    if job.kind != .sessionEnd { return order.older }
    let older = extras[order.extra].olderInSession
    return older == 0 ? 0 : extras[older].order
  }
  private mutating func older(than stop: ArmedStop, _ job: Job) -> Slot {
    if job.kind != .sessionEnd { return stop.older }
    let older = extras[stop.extra].olderInSession
    return older == 0 ? 0 : extras[older].stop
  }

  /// Marks what the job is to look at next.
  mutating func awaitNext(_ job: Job) {
    if job.order != 0 {
      if orders[job.order].extra == 0 { attach(OrderExtra(order: job.order), to: job.order) }
      extras[orders[job.order].extra].isAwaited = true
    }
    if job.stop != 0 { stops[job.stop].isAwaited = true }
  }

  /// A marked order leaves: jobs that were to look at it look at the one before it.
  mutating func moveOn(fromOrder slot: Slot, _ order: RestingOrder) {
    for place in jobs.indices where jobs[place].isMassCancel && jobs[place].order == slot {
      jobs[place].order = older(than: order, jobs[place])
      awaitNext(jobs[place])
    }
  }
  /// A marked stop leaves.
  mutating func moveOn(fromStop slot: Slot) {
    for place in jobs.indices where jobs[place].isMassCancel && jobs[place].stop == slot {
      jobs[place].stop = older(than: stops[slot], jobs[place])
      awaitNext(jobs[place])
    }
  }
}
