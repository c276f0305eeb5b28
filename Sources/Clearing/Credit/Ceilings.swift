import Machine
import Market

// How much of an account's free equity lies in which shard's ceiling.
//
// capacity = equity − initial margin − pending withdrawals;  Σ outstanding ≤ capacity after every raise.
extension RiskMachine {
  mutating func standing(of slot: Int) -> Standing? {
    board.standing(of: &book[measuring: slot], sums: &sums)
  }

  /// What pending withdrawals will take at the indices in force, in USD units, rounded up; `nil` without an index.
  func pendingWithdrawals(of slot: Int) -> Int128? {
    var pending = Int128(0)
    for withdrawal in book[slot].withdrawals {
      let index = board.index(of: Int(withdrawal.currency.rawValue))
      guard index > 0 else { return nil }
      pending += (Int128(withdrawal.amount) * Int128(index)).ceiledQuotient(by: Int128(fixedPointScale))
    }
    return pending
  }

  /// What ceilings may add up to; `nil` when the account cannot be measured.
  mutating func capacity(of slot: Int) -> Int128? {
    guard let standing = standing(of: slot), let pending = pendingWithdrawals(of: slot) else { return nil }
    return Int128(standing.free.units) - pending
  }

  /// The first credits of a new account: they open it in every shard, with what can be laid out.
  mutating func openInShards(_ slot: Int, into output: inout OutputBuffer) {
    guard !book[slot].lines.isEmpty else { return }
    let capacity = capacity(of: slot) ?? 0
    setTarget(slot, capacity: capacity)
    let target = book[slot].target
    for shard in 0..<shardCount where target == 0 || !raise(slot, shard, by: target, capacity, into: &output) {
      sendCredit(slot, shard, ceiling: 0, into: &output)
    }
  }

  /// An equal share of a part of the capacity for each shard. It moves only when it is an eighth off, so that a tick
  /// does not rewrite every account.
  private mutating func setTarget(_ slot: Int, capacity: Int128) {
    let share = max(0, capacity) * Int128(RiskPolicy.laidOutShare) / 1_000_000 / Int128(max(1, shardCount))
    let target = Int64(min(share, Int128(RiskLimits.amount)))
    let old = book[slot].target
    if (target - old).magnitude > UInt64(old / 8) { book.change(slot) { $0.target = target } }
  }

  /// Looks at one account: liquidates it, recalls what is laid out beyond its capacity, or tops ceilings up.
  mutating func review(_ slot: Int, marksMoved: Bool, into output: inout OutputBuffer) {
    guard !book[slot].lines.isEmpty, !book[slot].isFrozen else { return }
    guard let standing = standing(of: slot), let pending = pendingWithdrawals(of: slot) else { return }
    if marksMoved { noteMarks(slot, standing) }
    if standing.isBelowMaintenance && book[slot].hasPositions {
      startLiquidation(slot, into: &output)
      return
    }
    let capacity = Int128(standing.free.units) - pending
    setTarget(slot, capacity: capacity)
    let outstanding = book[slot].outstanding
    if outstanding > capacity {
      let isLasting = book[slot].deficitMarks >= RiskPolicy.deficitMarksBeforeForce
      recall(slot, excess: outstanding - capacity, force: isLasting && standing.free < .zero, into: &output)
    } else {
      topUp(slot, capacity: capacity, into: &output)
    }
    if !book[slot].withdrawals.isEmpty { decideWithdrawals(slot, recalling: true, into: &output) }
  }

  /// Counts how long a deficit lasts, and lets top-ups be tried again.
  private mutating func noteMarks(_ slot: Int, _ standing: Standing) {
    if standing.free < .zero {
      book.change(slot) { $0.deficitMarks = min($0.deficitMarks, .max - 1) + 1 }
    } else if book[slot].deficitMarks > 0 {
      book.change(slot) { account in
        account.deficitMarks = 0
        for shard in account.lines.indices { account.lines[shard].isForced = false }
      }
    }
    if book[slot].isExhausted { book.change(slot) { $0.isExhausted = false } }
  }

  /// True when a fill has used a line up so far that it should be filled up again.
  func wantsTopUp(_ slot: Int, shard: Int) -> Bool {
    guard !book[slot].isExhausted, !book[slot].isFrozen, book[slot].target >= RiskPolicy.smallestTopUp else {
      return false
    }
    return book[slot].lines[shard].outstanding < book[slot].target / 2
  }

  private mutating func topUp(_ slot: Int, capacity: Int128, into output: inout OutputBuffer) {
    // What comes free goes to orders that wait before it goes to ceilings that might be used.
    guard book[slot].grant == nil, book[slot].held.isEmpty else { return }
    for shard in 0..<shardCount where wantsTopUp(slot, shard: shard) {
      let missing = Int128(book[slot].target - book[slot].lines[shard].outstanding)
      let raise = min(missing, capacity - book[slot].outstanding)
      if raise < Int128(RiskPolicy.smallestTopUp)
        || !self.raise(slot, shard, by: Int64(raise), capacity, into: &output)
      {
        book.change(slot) { $0.isExhausted = true }
        return
      }
    }
  }

  /// The only place where a ceiling goes up: adds `amount` to what is outstanding in one shard, if all that is then
  /// outstanding still fits into the capacity.
  mutating func raise(
    _ slot: Int, _ shard: Int, by amount: Int64, _ capacity: Int128, into output: inout OutputBuffer
  ) -> Bool {
    let fits = book[slot].outstanding + Int128(amount) <= capacity
    #if NOVATION_PLANT
      let isAllowed = fits || faults.contains(.raiseWithoutCheck)
    #else
      let isAllowed = fits
    #endif
    let line = book[slot].lines[shard]
    guard isAllowed, amount > 0, let ceiling = max(line.highest, line.consumed).boundedSum(amount) else { return false }
    sendCredit(slot, shard, ceiling: ceiling, into: &output)
    return true
  }

  /// Asks shards to give back `excess` of what is outstanding, each in proportion; the shards keep what open orders
  /// have reserved, unless `force` cancels those. A line that still owes an answer is not asked again.
  mutating func recall(_ slot: Int, excess: Int128, force: Bool, into output: inout OutputBuffer) {
    let outstanding = book[slot].outstanding
    guard outstanding > 0 else { return }
    for shard in 0..<shardCount {
      let line = book[slot].lines[shard]
      guard line.outstanding > 0, force ? !line.isForced : line.unanswered.isEmpty else { continue }
      let share = (min(excess, outstanding) * Int128(line.outstanding)).ceiledQuotient(by: outstanding)
      let kept = force ? 0 : line.outstanding - Int64(min(share, Int128(line.outstanding)))
      sendCredit(slot, shard, ceiling: line.consumed + kept, isForced: force, into: &output)
    }
  }

  mutating func sendCredit(
    _ slot: Int, _ shard: Int, ceiling: Int64, isForced: Bool = false, into output: inout OutputBuffer
  ) {
    let version = book.change(slot) { account in
      account.lines[shard].version += 1
      let version = account.lines[shard].version
      account.lines[shard].unanswered.append(.init(version: version, ceiling: ceiling))
      if isForced { account.lines[shard].isForced = true }
      return version
    }
    let credit = Credit(
      account: book[slot].id, owner: book[slot].owner, version: version, ceiling: Money(units: ceiling),
      isForced: isForced, group: book[slot].group)
    output.send(credit, to: machine(shard), &streams)
  }

  /// A shard has taken a credit: what it gave back may serve whoever waits.
  mutating func consume(_ taken: CreditTaken, from shard: Int) -> Bool {
    guard let slot = book.slot(of: taken.account), !book[slot].lines.isEmpty else { return false }
    let isTaken = book.change(slot) { account in
      account.lines[shard].consume(upTo: taken.consumed.units)
      return account.lines[shard].acknowledge(taken.version, ceiling: taken.ceiling.units)
    }
    if isTaken { queueReturn(slot) }
    return isTaken
  }

  /// Credit may have come free: answers held orders, then withdrawals.
  mutating func serveWaiting(_ slot: Int, into output: inout OutputBuffer) {
    if !book[slot].held.isEmpty { serveHeld(slot, into: &output) }
    if !book[slot].withdrawals.isEmpty { decideWithdrawals(slot, recalling: false, into: &output) }
  }
}
