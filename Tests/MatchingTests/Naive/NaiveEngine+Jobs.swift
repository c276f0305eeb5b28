import Bytes
import Machine
import Market

extension NaiveEngine {
  /// Adds a job behind the others; it runs when what started it is done.
  mutating func start(_ job: NaiveJob) {
    var job = job
    jobsStarted += 1
    job.id = jobsStarted
    jobs.append(job)
  }

  /// Looks at the last prices, then runs jobs while units are left: always the first that can go on.
  mutating func goOn(into output: inout OutputBuffer) {
    lookAtLastPrices()
    while budget > 0, let job = jobs.first(where: { canGoOn($0) }) {
      if advance(job, into: &output) { jobs.removeAll { $0.id == job.id } }
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
  private mutating func advance(_ job: NaiveJob, into output: inout OutputBuffer) -> Bool {
    switch job.kind {
    case .cancelAll:
      let books = books
      return cancelMany(job, .cancelled, into: &output) { engine, order in
        Self.matches(job, books[order.book].instrument, order.book, order.label, isQuote: order.isQuote)
      } andStops: { stop in
        Self.matches(job, books[stop.book].instrument, stop.book, stop.ticket.operation.label, isQuote: false)
      }
    case .recall: return recall(job, into: &output)
    case .freeze: return freeze(job, into: &output)
    case .sessionEnd:
      return cancelMany(job, .cancelledByDisconnect, into: &output) { _, order in
        order.diesWithSession && order.session == job.number && order.generation <= job.generation
      } andStops: { stop in
        stop.ticket.operation.flags.contains(.cancelOnDisconnect) && stop.ticket.session == job.number
          && stop.ticket.generation <= job.generation
      }
    case .settle: return job.book.map { settle($0, into: &output) } ?? true
    case .deadMan: return cancelMany(job, .cancelledByDeadMan, into: &output)
    case .killSwitch: return cancelMany(job, .cancelledByKillSwitch, into: &output)
    case .protection:
      return cancelMany(job, .cancelledByProtection, into: &output) { _, order in
        order.isOut
      } andStops: { _ in
        false
      }
    case .firedStops: return job.book.map { takeUpStops($0, into: &output) } ?? true
    case .sweep: return job.book.map { goOn(sweeping: $0, into: &output) } ?? true
    case .uncrossing: return job.book.map { uncross($0, into: &output) } ?? true
    case .queue: return takeUpQueue(into: &output)
    }
  }

  /// Cancels resting orders, newest first, then stops, newest first: those of the job's account, if it names one, that
  /// had arrived when it started and are meant.
  mutating func cancelMany(
    _ job: NaiveJob, _ outcome: Outcome, into output: inout OutputBuffer,
    orders isMeant: (NaiveEngine, NaiveOrder) -> Bool = { _, _ in true },
    andStops isMeantStop: (NaiveStop) -> Bool = { _ in true }
  ) -> Bool {
    while true {
      var newest: Int?
      for (place, order) in orders.enumerated() {
        if order.arrival > job.arrival || job.account != nil && order.account != job.account { continue }
        if let newest, orders[newest].arrival > order.arrival { continue }
        if isMeant(self, order) { newest = place }
      }
      guard let newest else { break }
      if budget == 0 { return false }
      budget -= 1
      remove(newest, because: outcome, into: &output)
    }
    while let newest = stops.lastIndex(where: {
      $0.arrival <= job.arrival && (job.account == nil || $0.ticket.account == job.account) && isMeantStop($0)
    }) {
      if budget == 0 { return false }
      budget -= 1
      removeStop(newest, because: outcome, into: &output)
    }
    return true
  }

  mutating func endSession(_ payload: UnsafeRawBufferPointer) {
    guard let end = try? SessionEnd(decoding: payload) else { return }
    start(NaiveJob(kind: .sessionEnd, arrival: arrivals, number: end.session, generation: end.generation))
  }
}
