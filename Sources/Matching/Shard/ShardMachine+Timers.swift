import Bytes
import Machine
import Market

// Deadlines: heartbeats, held orders, orders' expiries, forgotten nonces.
extension ShardMachine {
  /// Wants a tick no later than `deadline`.
  @inline(__always) mutating func wake(at deadline: Timestamp) { if deadline < wakeup { wakeup = deadline } }

  /// Nonces that an input of somebody else's forgets in passing; a tick forgets a whole step's worth.
  private static var nonceShare: Int { 16 }

  /// Fires what is due, the earliest first, within the step's bound; the rest is due at the next input. Forgetting has
  /// a
  /// bound of its own, so that cancels never wait for it.
  mutating func fireTimers(_ kind: InputKind, into output: inout OutputBuffer) {
    isBehind = false
    var nonceBudget = kind == .tick || kind == .continuation ? stepBound : min(stepBound, Self.nonceShare)
    while true {
      dropStaleTimers()
      let nonce = nonceBudget == 0 ? .never : nonces.earliestExpiry.map { Timestamp(forgetting: $0) } ?? .never
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
        if timer.isHeld {
          endHeld(timer.slot, Answer(outcome: .creditTimeout), into: &output)
        } else {
          withdraw(timer.slot, because: .expiredOrder, into: &output)
        }
      } else {
        nonceBudget -= forgetNonces(before: due, limit: nonceBudget)
      }
    }
    updateWakeup()
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
    dropStaleTimers()
    var earliest = nextHeartbeat
    if let timer = timers.first { earliest = min(earliest, timer.deadline) }
    if let second = nonces.earliestExpiry { earliest = min(earliest, Timestamp(forgetting: second)) }
    for job in jobs where job.kind == .settle {
      let expiry = books[Int(job.book)].contract.expiry
      if expiry > now { earliest = min(earliest, expiry) }
    }
    wakeup = earliest
  }

  /// Removes timers whose orders are gone: from the front always, everywhere when most are.
  private mutating func dropStaleTimers() {
    if timers.count > 64, timers.count > timedOrders * 2 {
      let orders = orders.base
      let held = held.base
      timers.prune { Self.isWanted($0, orders, held) }
    }
    while let timer = timers.first, !Self.isWanted(timer, orders.base, held.base) { timers.removeFirst() }
  }

  private static func isWanted(
    _ timer: OrderTimer, _ orders: UnsafeMutablePointer<RestingOrder>, _ held: UnsafeMutablePointer<HeldOrder>
  ) -> Bool {
    timer.isHeld
      ? held[Int(timer.slot)].isLive && held[Int(timer.slot)].request == timer.id
      : orders[Int(timer.slot)].arrival == timer.id
  }
}
