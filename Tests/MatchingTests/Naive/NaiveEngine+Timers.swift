import Machine
import Market

// Deadlines, in order of (deadline, kind, id).
extension NaiveEngine {
  private enum Timer {
    case heartbeat
    case held(UInt64)
    case order(UInt64)
    case stop(UInt64)
    case deadMan(Int)
    case indicative(Int)
    case auctionEnd(Int)
    case nonces(Int64)
  }

  /// The earliest deadline with its timer; of equal ones the first by kind, then by id.
  private func earliest(withNonces: Bool) -> (deadline: Timestamp, timer: Timer) {
    var first = (deadline: nextHeartbeat, timer: Timer.heartbeat)
    func consider(_ deadline: Timestamp, _ timer: @autoclosure () -> Timer) {
      if deadline < first.deadline { first = (deadline, timer()) }
    }
    for order in held { consider(order.deadline, .held(order.request)) }
    var age = UInt64.max
    var expiry = UInt32.max
    var expiring: Timer?
    for order in orders where order.expiry != 0 {
      if (order.expiry, order.arrival) < (expiry, age) {
        (expiry, age, expiring) = (order.expiry, order.arrival, .order(order.arrival))
      }
    }
    for stop in stops where stop.expiry != 0 {
      if (stop.expiry, stop.arrival) < (expiry, age) {
        (expiry, age, expiring) = (stop.expiry, stop.arrival, .stop(stop.arrival))
      }
    }
    if let expiring { consider(Timestamp(seconds: Int64(expiry)), expiring) }
    for place in accounts.indices.sorted(by: { accounts[$0].id < accounts[$1].id }) {
      consider(accounts[place].deadMan, .deadMan(place))
    }
    for book in books.indices { consider(books[book].nextIndicative, .indicative(book)) }
    for book in books.indices where books[book].state == .auction { consider(books[book].until, .auctionEnd(book)) }
    if withNonces, let second = nonces.lazy.map(\.expiry).min() {
      consider(Self.forgetting(second), .nonces(second))
    }
    return first
  }

  /// When a signature that expires in `second` can be forgotten.
  private static func forgetting(_ second: Int64) -> Timestamp {
    let nanoseconds = (Int128(second) + 1) * 1_000_000_000
    return Timestamp(nanoseconds: Int64(clamping: nanoseconds))
  }

  /// Fires what is due; what spends a unit waits when none is left, and all behind it.
  mutating func fireTimers(_ kind: InputKind, into output: inout OutputBuffer) {
    var forgettable = kind == .tick || kind == .continuation ? stepBound : min(stepBound, 4)
    while true {
      let (deadline, timer) = earliest(withNonces: forgettable > 0)
      if deadline > now { return }
      switch timer {
      case .heartbeat, .nonces: break
      case .held, .order, .stop, .deadMan, .indicative, .auctionEnd:
        if budget == 0 { return }
        budget -= 1
      }
      switch timer {
      case .heartbeat: beat(into: &output)
      case .held(let request):
        guard let place = held.firstIndex(where: { $0.request == request }) else { return }
        let order = held.remove(at: place)
        conclude(order.ticket, order.name, NaiveAnswer(outcome: .creditTimeout), into: &output)
      case .order(let arrival):
        guard let place = orders.firstIndex(where: { $0.arrival == arrival }) else { return }
        remove(place, because: .expiredOrder, into: &output)
      case .stop(let arrival):
        guard let place = stops.firstIndex(where: { $0.arrival == arrival }) else { return }
        removeStop(place, because: .expiredOrder, into: &output)
      case .deadMan(let account):
        accounts[account].deadMan = .never
        _ = endWaiting(account, .cancelledByDeadMan, into: &output)
        start(NaiveJob(kind: .deadMan, account: account, arrival: arrivals))
      case .indicative(let book):
        books[book].nextIndicative = now + indicativeInterval
        emitIndicative(book, into: &output)
      case .auctionEnd(let book): startUncrossing(book)
      case .nonces(let second):
        while forgettable > 0, let place = nonces.firstIndex(where: { $0.expiry == second }) {
          nonces.remove(at: place)
          forgettable -= 1
        }
      }
    }
  }

  var indicativeInterval: Interval { max(parameters.indicativeInterval, .milliseconds(1)) }

  private mutating func beat(into output: inout OutputBuffer) {
    heartbeats += 1
    let heartbeat = Heartbeat(number: heartbeats, stamp: now)
    output.send(heartbeat, to: .risk, &streams)
    output.send(heartbeat, to: .settlement, &streams)
    nextHeartbeat = now + heartbeatInterval
  }

  /// When a tick is wanted next.
  var nextDeadline: Timestamp {
    if !isOpened { return .never }
    if jobs.contains(where: { canGoOn($0) }) { return now }
    var earliest = earliest(withNonces: true).deadline
    for job in jobs where job.kind == .settle {
      if let book = job.book { earliest = min(earliest, books[book].instrument.expiry) }
    }
    return max(now, earliest)
  }
}
