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
    start(job, into: &output)
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
    waiting = firstQueued
    while waiting != 0 {
      let next = queue[waiting].next
      if queue[waiting].deferral.isOrder, matches(queue[waiting].deferral, job) {
        dequeue(waiting, job.outcome, into: &output)
      }
      waiting = next
    }
    for slot in sweepSlots where sweeps[slot].liquidation == 0 && matches(sweeps[slot].deferral, job) {
      endSweep(slot, because: job.outcome, into: &output)
    }
  }

  private mutating func matches(_ deferral: Deferral, _ job: Job) -> Bool {
    if deferral.origin.accountSlot != job.accountSlot { return false }
    let (book, absent) = book(of: deferral.operation.instrument)
    if absent != nil { return false }
    return matches(
      job, book, deferral.operation.label, isQuote: deferral.operation.rawKind == OperationCode.quote)
  }
  private mutating func matches(_ job: Job, _ book: Int, _ label: UInt32, isQuote: Bool) -> Bool {
    (job.book == Job.everyBook || job.book == UInt32(book)) && job.scope.contains(books[book].contract.kind)
      && (job.flags & OperationCode.byLabel == 0 || label == job.label)
      && (job.flags & OperationCode.quotesOnly == 0 || isQuote)
  }

  /// Cancels what the account had when the job began and what matches: orders, newest first, then stops.
  mutating func cancelAll(_ job: Job, into output: inout OutputBuffer) -> Bool {
    var slot = accounts[job.accountSlot].newestOrder
    while slot != 0 {
      let order = orders[slot]
      let label = order.extra == 0 ? 0 : extras[order.extra].label
      if arrival(of: order) <= job.arrival, matches(job, Int(order.book), label, isQuote: order.isQuote) {
        if budget == 0 { return false }
        budget -= 1
        withdraw(slot, because: job.outcome, into: &output)
      }
      slot = order.older
    }
    slot = accounts[job.accountSlot].newestStop
    while slot != 0 {
      let stop = stops[slot]
      if stop.arrival <= job.arrival,
        matches(job, Int(stop.book), stop.deferral.operation.label, isQuote: false)
      {
        if budget == 0 { return false }
        budget -= 1
        dropStop(slot)
        conclude(stop: stop.deferral, job.outcome, into: &output)
      }
      slot = stop.older
    }
    return true
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

  /// Cancels the orders and stops that live with the session; later generations of it stay.
  mutating func cancelAll(ofSession job: Job, into output: inout OutputBuffer) -> Bool {
    var slot = newestOfSession(job.number)
    while slot != 0 {
      let extra = extras[slot]
      if extra.generation <= job.generation {
        let isStop = extra.stop != 0
        let came = isStop ? stops[extra.stop].arrival : arrival(of: orders[extra.order])
        if came <= job.arrival {
          if budget == 0 { return false }
          budget -= 1
          if isStop {
            let deferral = stops[extra.stop].deferral
            dropStop(extra.stop)
            conclude(stop: deferral, .cancelledByDisconnect, into: &output)
          } else {
            withdraw(extra.order, because: .cancelledByDisconnect, into: &output)
          }
        }
      }
      slot = extra.olderInSession
    }
    return true
  }
}
