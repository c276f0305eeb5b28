import Bytes
import Machine
import Market

// Orders that need more than one step to trade.
extension ShardMachine {
  /// Keeps an unfinished order and blocks its book with it.
  mutating func sweep(_ deferral: Deferral, _ taker: Taker, _ candidate: Candidate, liquidation: UInt64 = 0) {
    enlistSweep(Sweep(deferral: deferral, taker: taker, candidate: candidate, liquidation: liquidation))
    jobs.append(Job(kind: .sweep, book: UInt32(taker.book)))
  }

  mutating func enlistSweep(_ sweep: Sweep) {
    let slot = sweeps.insert(sweep)
    books[sweep.taker.book].sweep = slot
    sweepSlots.append(slot)
    accounts[sweep.taker.accountSlot].deferred += 1
    updateGate(sweep.taker.book)
  }

  private mutating func delistSweep(_ slot: Slot) {
    let book = sweeps[slot].taker.book
    accounts[sweeps[slot].taker.accountSlot].deferred -= 1
    books[book].sweep = 0
    sweepSlots.removeAll { $0 == slot }
    sweeps.remove(slot)
    isQueueStuck = false
    updateGate(book)
  }

  /// Trades on; true when the order needs no further step.
  mutating func carryOn(_ book: Int, into output: inout OutputBuffer) -> Bool {
    let slot = books[book].sweep
    if slot == 0 { return true }
    var taker = sweeps[slot].taker
    trade(&taker, into: &output)
    sweeps[slot].taker = taker
    if taker.isUnfinished { return false }
    let sweep = sweeps[slot]
    delistSweep(slot)
    if sweep.liquidation != 0 {
      answer(liquidation: sweep, into: &output)
    } else {
      let answer = finish(sweep.candidate, taker, sweep.deferral.origin, into: &output)
      conclude(sweep.deferral, answer, into: &output)
    }
    return true
  }

  /// Ends an unfinished order before its time; its charge comes back.
  mutating func endSweep(_ slot: Slot, because outcome: Outcome, into output: inout OutputBuffer) {
    let sweep = sweeps[slot]
    accounts[sweep.taker.accountSlot].reserved &-= sweep.taker.reserved
    if sweep.taker.isGranted { accounts[sweep.taker.accountSlot].ceiling &-= sweep.taker.reserved }
    delistSweep(slot)
    conclude(sweep.deferral, Answer(outcome: outcome, filled: sweep.taker.filled), into: &output)
  }

  /// The unfinished order of that name.
  func sweeping(_ account: Slot, _ key: UInt16, _ nonce: UInt64, _ index: UInt16) -> Slot? {
    sweepSlots.first {
      let taker = sweeps[$0].taker
      return taker.accountSlot == account && taker.key == key && taker.nonce == nonce && taker.index == index
        && sweeps[$0].liquidation == 0
    }
  }
}
