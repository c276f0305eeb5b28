import Bytes
import Cluster
import Market
import Wire

/// What the exchange says, and what the accounts learn from it.
extension LoadGenerator {
  func take(_ event: GatewayClient.Event) {
    do {
      switch event {
      case .reply(let reply): try take(reply)
      case .refusal(let refusal): try take(refusal)
      case .report(let execution): take(execution)
      case .answer(let answer) where answer.tag == marketAsked:
        marketAsked = nil
        guard answer.isAnswered, let market = try? MarketDefinition(decoding: answer.body) else { return }
        for place in shards.indices { shards[place].list(market) }
      case .answer(let answer):
        guard let place = marksAsked.removeValue(forKey: answer.tag), answer.isAnswered,
          let marks = try? ShardMarks(decoding: answer.body)
        else { return }
        shards[place].take(marks)
      case .book, .status: return
      }
    } catch {
      failure = ClientError(reason: "the client's log cannot be written: \(error)")
    }
  }

  private func take(_ reply: ActionReply) throws {
    guard let entry = pending.removeValue(forKey: PendingKey(account: reply.account, nonce: reply.nonce)) else {
      return
    }
    let now = MachineClock.monotonic()
    try log?.append(.acknowledged(reply))
    workloads[entry.shard][entry.account].learn(reply.nonce, entry.operations, reply.results, shards[entry.shard])
    try timeline?.answered(reply, intended: entry.intended, now: now)
    tally.answered(reply.results, intended: entry.intended, now: now)
  }

  private func take(_ refusal: Refusal) throws {
    let key = PendingKey(account: refusal.account, nonce: refusal.nonce)
    guard let entry = pending[key] else { return }
    // Told to come back: the same bytes again, then; their latency goes on counting from when they were due.
    if refusal.retryAfterMilliseconds > 0 {
      let now = MachineClock.monotonic()
      try timeline?.deferred(entry.operations.count, now: now)
      pending[key]?.resendAt = now + Int64(refusal.retryAfterMilliseconds) * 1_000_000
      return
    }
    pending[key] = nil
    try log?.append(.refused(refusal))
    try timeline?.refused(entry.operations.count, now: MachineClock.monotonic())
    tally.refused(refusal.outcome, orders: entry.operations.count, intended: entry.intended)
  }

  private func take(_ execution: ExecutionReport) {
    guard let account = accountPlaces[execution.order.account], shards.indices.contains(Int(execution.shard.rawValue))
    else { return }
    if execution.event == .fill, !execution.isMaker { tally.traded(now: MachineClock.monotonic()) }
    if execution.event == .ended || (execution.event == .fill && execution.remaining == .zero) {
      workloads[Int(execution.shard.rawValue)][account].forget(execution.order.nonce, execution.order.index)
    }
  }
}
