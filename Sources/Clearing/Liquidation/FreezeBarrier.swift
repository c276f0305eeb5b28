import Machine
import Market

// A liquidation begins behind a barrier: no fill of the account's own orders can be under way when it is measured.
extension RiskMachine {
  /// True when the shard's heartbeats keep up with our own stamp. A silent one does not hold a liquidation up.
  func isAlive(_ shard: Int) -> Bool {
    heard[shard] > .zero && now - heard[shard] <= parameters.heartbeatLapse
  }

  /// Freezes an account that fell below maintenance margin in every shard.
  mutating func startLiquidation(_ slot: Int, into output: inout OutputBuffer) {
    refuseAllHeld(slot, .accountFrozen, into: &output)
    refuseAllWithdrawals(slot, .accountFrozen)
    lastFreeze += 1
    let id = lastFreeze
    book.change(slot) { $0.liquidation = Liquidation(id: id) }
    armLiquidation(slot)
    #if NOVATION_PLANT
      if faults.contains(.skipFreeze) {
        book.change(slot) { $0.liquidation?.isBehindBarrier = true }
        proceed(slot, into: &output)
        return
      }
    #endif
    sendToShards(Freeze(account: book[slot].id, id: id), into: &output)
    passBarrier(slot, into: &output)
  }

  /// The liquidation looks again after the retry interval, whatever else happens.
  mutating func armLiquidation(_ slot: Int) {
    guard let liquidation = book[slot].liquidation else { return }
    timers.add(
      .liquidation, at: now + .milliseconds(RiskPolicy.liquidationRetryMilliseconds), account: book[slot].id,
      reference: liquidation.id)
  }

  /// A shard has frozen the account: its ceiling there is U, and everything it was sent before is behind it.
  mutating func consume(_ taken: FreezeTaken, from shard: Int, into output: inout OutputBuffer) -> Bool {
    guard let slot = book.slot(of: taken.account), !book[slot].lines.isEmpty,
      book[slot].liquidation?.id == taken.id
    else { return false }
    book.change(slot) { account in
      account.lines[shard].consume(upTo: taken.consumed.units)
      account.lines[shard].acknowledged = account.lines[shard].consumed
      account.lines[shard].unanswered.removeAll()
      account.liquidation?.take(.init(shard: ShardID(UInt16(shard)), fillNumber: taken.fillNumber))
    }
    passBarrier(slot, into: &output)
    return true
  }

  /// Goes on once every live shard has answered and its fills up to there are consumed.
  mutating func passBarrier(_ slot: Int, into output: inout OutputBuffer) {
    guard let liquidation = book[slot].liquidation, !liquidation.isBehindBarrier else { return }
    for shard in 0..<shardCount {
      if let barrier = liquidation.taken.first(where: { Int($0.shard.rawValue) == shard }) {
        if barrier.fillNumber > fillNumbers[shard] { return }
      } else if isAlive(shard) {
        return
      }
    }
    // With every shard silent nothing was frozen yet, and nothing could be reduced.
    guard !liquidation.taken.isEmpty else { return }
    book.change(slot) { $0.liquidation?.isBehindBarrier = true }
    proceed(slot, into: &output)
  }

  /// The liquidation's timer: a silent shard may have made the barrier passable, or the book may have filled.
  mutating func lookAgain(_ slot: Int, id: UInt64, into output: inout OutputBuffer) {
    guard let liquidation = book[slot].liquidation, liquidation.id == id else { return }
    armLiquidation(slot)
    if !liquidation.isBehindBarrier {
      passBarrier(slot, into: &output)
      return
    }
    if let step = liquidation.step {
      // A live shard will answer. A silent one, when it wakes, finds its own marks and our heartbeats too old to act
      // on; a step that it had begun it may end, which never goes through zero, and whose answer comes too late.
      if isAlive(shard(of: step.instrument)) { return }
      book.change(slot) { $0.liquidation?.step = nil }
    }
    if !liquidation.postponed.isEmpty { book.change(slot) { $0.liquidation?.postponed.removeAll() } }
    proceed(slot, into: &output)
  }

  func shard(of instrument: InstrumentID) -> Int {
    Int(board.definition.instruments[Int(instrument.rawValue)].shard.rawValue)
  }

  mutating func release(_ slot: Int, into output: inout OutputBuffer) {
    guard let liquidation = book[slot].liquidation else { return }
    book.change(slot) { account in
      account.liquidation = nil
      account.isExhausted = false
      for shard in account.lines.indices { account.lines[shard].isForced = false }
    }
    sendToShards(Release(account: book[slot].id, id: liquidation.id), into: &output)
    queueReview(slot)
  }
}
