import Bytes
import Machine
import Market

extension NaiveEngine {
  /// Adds a job behind the others, to run later.
  mutating func add(_ job: NaiveJob) {
    var job = job
    jobsStarted += 1
    job.id = jobsStarted
    jobs.append(job)
  }

  /// Adds a job behind the others and runs it at once; what a job starts runs after that.
  mutating func start(_ job: NaiveJob, into output: inout OutputBuffer) {
    add(job)
    if !isWorking { runJobs(into: &output) }
  }

  /// Runs jobs while units are left: always the first that can go on.
  mutating func runJobs(into output: inout OutputBuffer) {
    isWorking = true
    while budget > 0, let job = jobs.first(where: { canGoOn($0) }) {
      let isDone = advance(job, into: &output)
      lookAtLastPrices(into: &output)
      if isDone { jobs.removeAll { $0.id == job.id } }
    }
    isWorking = false
  }

  /// Looks at the last prices, then runs jobs.
  mutating func goOn(into output: inout OutputBuffer) {
    lookAtLastPrices(into: &output)
    runJobs(into: &output)
  }

  func canGoOn(_ job: NaiveJob) -> Bool {
    if job.kind == .queue { return queue.isEmpty || queue.indices.contains { canBeTakenUp($0) } }
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
      return endSession(job, into: &output)
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

  private func lives(_ stop: NaiveStop, with session: UInt64) -> Bool {
    stop.ticket.operation.flags.contains(.cancelOnDisconnect) && stop.ticket.session == session
  }

  mutating func endSession(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard let end = try? SessionEnd(decoding: payload) else { return }
    let isKnown =
      orders.contains { $0.diesWithSession && $0.session == end.session }
      || stops.contains { lives($0, with: end.session) }
    if !isKnown { return }
    start(
      NaiveJob(kind: .sessionEnd, arrival: arrivals, number: end.session, generation: end.generation), into: &output)
  }

  /// Cancels orders and stops that live with the session, newest first; later generations of it stay.
  private mutating func endSession(_ job: NaiveJob, into output: inout OutputBuffer) -> Bool {
    while true {
      let order = orders.indices.filter {
        orders[$0].diesWithSession && orders[$0].session == job.number && orders[$0].generation <= job.generation
          && orders[$0].arrival <= job.arrival
      }.max { orders[$0].arrival < orders[$1].arrival }
      let stop = stops.lastIndex {
        lives($0, with: job.number) && $0.ticket.generation <= job.generation && $0.arrival <= job.arrival
      }
      if order == nil && stop == nil { return true }
      if budget == 0 { return false }
      budget -= 1
      let newestStop = stop.map { stops[$0].arrival } ?? 0
      if let order, orders[order].arrival > newestStop {
        remove(order, because: .cancelledByDisconnect, into: &output)
      } else if let stop {
        removeStop(stop, because: .cancelledByDisconnect, into: &output)
      }
    }
  }
}
