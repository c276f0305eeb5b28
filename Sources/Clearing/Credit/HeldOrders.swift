import Machine
import Market

// Orders that a shard holds because they exceed its ceiling.
extension RiskMachine {
  /// Raises the ceiling if that fits, recalls what lies unused elsewhere if that would make it fit, lets an order run
  /// that shrinks a deficit, or refuses.
  mutating func answer(_ request: CreditRequest, from shard: Int, into output: inout OutputBuffer) {
    guard let slot = book.slot(of: request.account), !book[slot].lines.isEmpty else {
      refuse(request.account, request.request, shard, .unknownAccount, into: &output)
      refusals &+= 1
      return
    }
    guard request.charge > .zero, request.charge.units <= RiskLimits.amount, request.shortfall > .zero,
      request.shortfall <= request.charge, let instrument = board.definition[request.instrument],
      Int(instrument.shard.rawValue) == shard, request.lots != .zero
    else {
      refuse(request.account, request.request, shard, .malformed, into: &output)
      refusals &+= 1
      return
    }
    if book[slot].isFrozen {
      refuse(request.account, request.request, shard, .accountFrozen, into: &output)
      return
    }
    guard let standing = standing(of: slot), let capacity = capacity(of: slot) else {
      refuse(request.account, request.request, shard, .marksMissing, into: &output)
      return
    }
    if standing.free < .zero {
      if !grant(request, to: slot, shard, instrument, standing, into: &output) {
        refuse(request.account, request.request, shard, .insufficientCredit, into: &output)
      }
      return
    }
    let order = HeldOrder(
      shard: ShardID(UInt16(shard)), request: request.request, charge: request.charge.units,
      shortfall: request.shortfall.units)
    if serve(slot, order, capacity: capacity, into: &output) { return }
    let own = Int128(book[slot].lines[shard].outstanding)
    let limit = Int(parameters.heldOrdersPerAccount) * shardCount
    if capacity - own < Int128(order.shortfall) || book[slot].held.count >= limit {
      refuse(request.account, request.request, shard, .insufficientCredit, into: &output)
      return
    }
    wait(slot, order, capacity: capacity, into: &output)
  }

  /// Raises the order's ceiling by what it needs and some more, so that the next orders need not ask.
  private mutating func serve(
    _ slot: Int, _ order: HeldOrder, capacity: Int128, into output: inout OutputBuffer
  ) -> Bool {
    let shard = Int(order.shard.rawValue)
    let free = capacity - book[slot].outstanding
    var amount = Int128(order.shortfall)
    if free >= Int128(order.charge) {
      // The whole charge, as orders held before this one may take what it counted on.
      let more = max(3 * Int128(order.charge), Int128(book[slot].lines[shard].outstanding / 2))
      amount = Int128(order.charge) + min(more, (free - Int128(order.charge)) / 2)
    }
    return raise(slot, shard, by: Int64(min(amount, Int128(RiskLimits.amount))), capacity, into: &output)
  }

  /// Recalls what other shards do not use and keeps the order until they have answered, for three quarters of the time
  /// that its shard holds it.
  private mutating func wait(
    _ slot: Int, _ order: HeldOrder, capacity: Int128, into output: inout OutputBuffer
  ) {
    let missing = Int128(order.shortfall) - (capacity - book[slot].outstanding)
    for shard in 0..<shardCount where shard != Int(order.shard.rawValue) {
      let line = book[slot].lines[shard]
      guard line.outstanding > 0, line.unanswered.isEmpty else { continue }
      let kept = line.outstanding - Int64(min(max(0, missing), Int128(line.outstanding)))
      sendCredit(slot, shard, ceiling: line.consumed + kept, into: &output)
    }
    book.change(slot) { $0.held.append(order) }
    let patience = Interval(nanoseconds: max(0, parameters.heldOrderTimeout.nanoseconds / 4 * 3))
    timers.add(
      .heldOrder, at: now + patience, account: book[slot].id, shard: order.shard, reference: order.request)
  }

  /// Serves waiting orders in order of arrival; refuses one for which nothing more can come back.
  mutating func serveHeld(_ slot: Int, into output: inout OutputBuffer) {
    guard let capacity = capacity(of: slot) else { return }
    for order in book[slot].held {
      let isServed = serve(slot, order, capacity: capacity, into: &output)
      let canCome = book[slot].lines.enumerated().contains { shard, line in
        shard != Int(order.shard.rawValue) && !line.unanswered.isEmpty
      }
      if !isServed && canCome { continue }
      book.change(slot) { $0.held.removeAll { $0 == order } }
      if !isServed {
        refuse(book[slot].id, order.request, Int(order.shard.rawValue), .insufficientCredit, into: &output)
      }
    }
  }

  /// The order's time is over; nothing happens if it was answered before.
  mutating func refuseHeld(_ slot: Int, shard: ShardID, request: UInt64, into output: inout OutputBuffer) {
    guard book[slot].held.contains(where: { $0.shard == shard && $0.request == request }) else { return }
    book.change(slot) { $0.held.removeAll { $0.shard == shard && $0.request == request } }
    refuse(book[slot].id, request, Int(shard.rawValue), .insufficientCredit, into: &output)
  }

  /// Refuses all waiting orders of an account.
  mutating func refuseAllHeld(_ slot: Int, _ outcome: Outcome, into output: inout OutputBuffer) {
    guard !book[slot].held.isEmpty else { return }
    for order in book[slot].held {
      refuse(book[slot].id, order.request, Int(order.shard.rawValue), outcome, into: &output)
    }
    book.change(slot) { $0.held.removeAll() }
  }

  mutating func refuse(
    _ account: AccountID, _ request: UInt64, _ shard: Int, _ outcome: Outcome, into output: inout OutputBuffer
  ) {
    output.send(
      CreditRefused(account: account, request: request, outcome: outcome), to: machine(shard), &streams)
  }
}
