import Bytes
import Machine
import Market

extension NaiveEngine {
  /// Adds a job behind the others; it runs when what started it is done.
  mutating func start(_ job: NaiveJob) {
    var job = job
    jobsStarted += 1
    job.id = jobsStarted
    let massCancels: [NaiveJob.Kind] = [.cancelAll, .freeze, .sessionEnd, .deadMan, .killSwitch, .protection]
    if massCancels.contains(job.kind) { job.stopArrival = job.arrival }
    jobs.append(job)
  }

  /// Looks at the last prices, then runs jobs while units are left: always the first that can go on.
  mutating func goOn(into output: inout OutputBuffer) {
    lookAtLastPrices()
    while budget > 0, var job = jobs.first(where: { canGoOn($0) }) {
      if advance(&job, into: &output) {
        jobs.removeAll { $0.id == job.id }
      } else if let place = jobs.firstIndex(where: { $0.id == job.id }) {
        jobs[place] = job
      }
      lookAtLastPrices()
    }
  }

  func canGoOn(_ job: NaiveJob) -> Bool {
    guard let book = job.book else { return true }
    return switch job.kind {
    case .settle: books[book].instrument.expiry <= now
    case .firedStops: !isBlocked(book)
    default: true
    }
  }

  /// Does what the units allow; true when the job is done.
  private mutating func advance(_ job: inout NaiveJob, into output: inout OutputBuffer) -> Bool {
    switch job.kind {
    case .cancelAll:
      let (books, filter) = (books, job)
      return cancelMany(&job, .cancelled, into: &output) { order in
        Self.matches(filter, books[order.book].instrument, order.book, order.label, isQuote: order.isQuote)
      } stops: { stop in
        Self.matches(filter, books[stop.book].instrument, stop.book, stop.ticket.operation.label, isQuote: false)
      }
    case .recall: return recall(job, into: &output)
    case .freeze: return freeze(&job, into: &output)
    case .sessionEnd:
      let generation = job.generation
      return cancelMany(&job, .cancelledByDisconnect, into: &output) { order in
        order.generation <= generation
      } stops: { stop in
        stop.ticket.generation <= generation
      }
    case .settle: return job.book.map { settle($0, into: &output) } ?? true
    case .deadMan: return cancelMany(&job, .cancelledByDeadMan, into: &output)
    case .killSwitch: return cancelMany(&job, .cancelledByKillSwitch, into: &output)
    case .protection:
      return cancelMany(&job, .cancelledByProtection, into: &output) { $0.isOut }
    case .firedStops: return job.book.map { takeUpStops($0, into: &output) } ?? true
    case .sweep: return job.book.map { goOn(sweeping: $0, into: &output) } ?? true
    case .uncrossing: return job.book.map { uncross($0, into: &output) } ?? true
    case .queue: return takeUpQueue(into: &output)
    }
  }

  /// Looks at resting orders, newest first, then at stops, newest first: those of the job's account, or of its session,
  /// that had arrived when it started. What is meant is cancelled for a unit, the rest passed over, eight for a unit.
  mutating func cancelMany(
    _ job: inout NaiveJob, _ outcome: Outcome, into output: inout OutputBuffer,
    orders isMeant: (NaiveOrder) -> Bool = { _ in true }, stops isMeantStop: (NaiveStop) -> Bool = { _ in true }
  ) -> Bool {
    var passed = 0
    func costsUnit(_ isMeant: Bool) -> Bool {
      if isMeant { return true }
      passed += 1
      return passed % 8 == 1
    }
    while let newest = newestOrder(job) {
      let isMeant = isMeant(orders[newest])
      let arrival = orders[newest].arrival
      if costsUnit(isMeant) {
        if budget == 0 { return false }
        budget -= 1
      }
      if isMeant { remove(newest, because: outcome, into: &output) }
      job.arrival = arrival - 1
    }
    job.arrival = 0
    if job.kind == .protection || job.kind == .cancelAll && job.flags.contains(.quote) { return true }
    while let newest = newestStop(job) {
      let isMeant = isMeantStop(stops[newest])
      let arrival = stops[newest].arrival
      if costsUnit(isMeant) {
        if budget == 0 { return false }
        budget -= 1
      }
      if isMeant { removeStop(newest, because: outcome, into: &output) }
      job.stopArrival = arrival - 1
    }
    return true
  }

  private func newestOrder(_ job: NaiveJob) -> Int? {
    orders.indices.filter {
      orders[$0].arrival <= job.arrival
        && (job.kind == .sessionEnd
          ? orders[$0].diesWithSession && orders[$0].session == job.number : orders[$0].account == job.account)
    }.max { orders[$0].arrival < orders[$1].arrival }
  }

  private func newestStop(_ job: NaiveJob) -> Int? {
    stops.lastIndex {
      $0.arrival <= job.stopArrival
        && (job.kind == .sessionEnd
          ? $0.ticket.operation.flags.contains(.cancelOnDisconnect) && $0.ticket.session == job.number
          : $0.ticket.account == job.account)
    }
  }

  mutating func endSession(_ payload: UnsafeRawBufferPointer) {
    guard let end = try? SessionEnd(decoding: payload) else { return }
    start(NaiveJob(kind: .sessionEnd, arrival: arrivals, number: end.session, generation: end.generation))
  }
}
