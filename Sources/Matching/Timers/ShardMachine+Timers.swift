import Bytes
import Machine
import Market

// Deadlines: heartbeats, held orders, expiries, dead-man timers, auctions, forgotten nonces.
extension ShardMachine {
  /// Wants a tick no later than `deadline`.
  @inline(__always) mutating func wake(at deadline: Timestamp) {
    if deadline < wakeup { wakeup = deadline }
    if deadline < calmUntil { calmUntil = deadline }
  }

  /// Nonces that an input of somebody else's forgets in passing; a tick forgets a whole step's worth.
  private static var nonceShare: Int { 4 }

  /// Fires what is due, the earliest first, within the step's bound; the rest is due at the next input. Forgetting has
  /// a bound of its own, so that cancels never wait for it.
  @inline(never) mutating func fireTimers(_ kind: InputKind, into output: inout OutputBuffer) {
    isBehind = false
    var nonceBudget = kind == .tick || kind == .continuation ? stepBound : min(stepBound, Self.nonceShare)
    while true {
      dropStaleTimers()
      let nonce = nonceBudget == 0 ? .never : nonces.earliest
      let order = timers.first?.deadline ?? .never
      let due = min(nextHeartbeat, order, nonce)
      if due > now { break }
      if due == nextHeartbeat {
        beat(into: &output)
      } else if due == order, let timer = timers.first {
        if budget == 0 {
          isBehind = true
          break
        }
        budget -= 1
        timers.removeFirst()
        fire(timer, into: &output)
      } else {
        nonceBudget -= forgetNonces(before: due, limit: nonceBudget)
      }
    }
    updateWakeup()
  }

  private mutating func fire(_ timer: Timer, into output: inout OutputBuffer) {
    switch timer.kind {
    case .held: endHeld(timer.slot, Answer(outcome: .creditTimeout), into: &output)
    case .order: withdraw(timer.slot, because: .expiredOrder, into: &output)
    case .stop:
      let deferral = stops[timer.slot].deferral
      dropStop(timer.slot)
      conclude(stop: deferral, .expiredOrder, into: &output)
    case .deadMan:
      accounts[timer.slot].deadMan = .never
      timedOrders -= 1
      cancelEverything(
        Job(kind: .cancel, accountSlot: timer.slot, arrival: arrivals, outcome: .cancelledByDeadMan), into: &output)
    case .indicative: tellIndicative(Int(timer.slot), into: &output)
    case .auctionEnd: endAuction(Int(timer.slot))
    }
  }

  /// Does for an action, in place of `fireTimers`, what is due at that time, if that can be nothing but nonces to
  /// forget; false, with nothing done, if it may be anything else.
  @inline(never) mutating func forgetInPassing(_ header: InputHeader, at time: Timestamp) -> Bool {
    guard isOpened, jobs.isEmpty, !hasNewLast, timers.count == 0, time < min(nextHeartbeat, Self.latest) else {
      return false
    }
    now = time
    passed = header.sequence
    isBehind = false
    var left = min(stepBound, Self.nonceShare)
    while left > 0, nonces.earliest <= time { left &-= forgetNonces(before: nonces.earliest, limit: left) }
    wakeup = min(nextHeartbeat, nonces.earliest)
    updateCalm()
    return true
  }

  /// For `calmUntil`: no time lies before it.
  static var noTime: Timestamp { Timestamp(nanoseconds: .min) }

  /// Sets until when actions have nothing due before them; whatever brings that nearer lowers it by itself.
  mutating func updateCalm() {
    startSecond()
    calmUntil =
      isOpened && jobs.isEmpty && !hasNewLast
      ? min(wakeup, Timestamp(nanoseconds: secondEnd), Self.latest) : Self.noTime
  }

  /// Forgets the nonces of the earliest due second.
  private mutating func forgetNonces(before due: Timestamp, limit: Int) -> Int {
    let base = accounts.base
    return nonces.forget(expiredBefore: due.seconds, limit: limit) { base[Int($0)].liveNonces &-= 1 }
  }

  private mutating func beat(into output: inout OutputBuffer) {
    heartbeats &+= 1
    let heartbeat = Heartbeat(number: heartbeats, stamp: now)
    output.send(heartbeat, to: .risk, &streams)
    output.send(heartbeat, to: .settlement, &streams)
    nextHeartbeat = now + heartbeatInterval
  }

  /// Sets `wakeup` to the earliest deadline that is left.
  mutating func updateWakeup() {
    hasLostTimer = false
    pruneTimers()
    dropStaleTimers()
    var earliest = nextHeartbeat
    if let timer = timers.first { earliest = min(earliest, timer.deadline) }
    earliest = min(earliest, nonces.earliest)
    for job in jobs where job.kind == .settle {
      let expiry = books[Int(job.book)].contract.expiry
      if expiry > now { earliest = min(earliest, expiry) }
    }
    wakeup = earliest
  }

  /// Looks for stale timers while most are, at as many as one action can leave behind.
  private mutating func pruneTimers() {
    if timers.count <= 64 || timers.count <= timedOrders * 2 { return }
    let judge = TimerJudge(self)
    timers.prune(SignedActionHeader.maximumOperations) { judge.wants($0) }
  }

  /// Removes timers of what is gone from the front.
  private mutating func dropStaleTimers() {
    let judge = TimerJudge(self)
    while let timer = timers.first, !judge.wants(timer) { timers.removeFirst() }
  }
}

/// Tells whether what a timer is about is still there.
private struct TimerJudge {
  let orders: UnsafeMutablePointer<RestingOrder>
  let extras: UnsafeMutablePointer<OrderExtra>
  let held: UnsafeMutablePointer<HeldOrder>
  let stops: UnsafeMutablePointer<ArmedStop>
  let accounts: UnsafeMutablePointer<Account>
  let books: UnsafeMutablePointer<Book>

  init(_ shard: borrowing ShardMachine) {
    orders = shard.orders.base
    extras = shard.extras.base
    held = shard.held.base
    stops = shard.stops.base
    accounts = shard.accounts.base
    books = shard.books.at(0)
  }

  func wants(_ timer: Timer) -> Bool {
    let slot = Int(timer.slot)
    switch timer.kind {
    case .held: return held[slot].isLive && held[slot].request == timer.id
    case .order:
      let order = orders[slot]
      if order.number == 0 { return false }
      return (order.isIceberg ? extras[Int(order.extra)].arrival : order.number) == timer.id
    case .stop: return stops[slot].isLive && stops[slot].arrival == timer.id
    case .deadMan: return accounts[slot].deadMan == timer.deadline
    case .indicative: return books[slot].indicativeAt == timer.deadline
    case .auctionEnd: return books[slot].state == .auction && books[slot].auctionEnd == timer.deadline
    }
  }
}
