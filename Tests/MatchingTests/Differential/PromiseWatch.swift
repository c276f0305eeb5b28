import Bytes
import Machine
import Market

/// Listens for promises that an engine breaks, whatever another one says: a fill-or-kill order is filled whole in one
/// step or not at all; an accepted minimum is reached at once.
struct PromiseWatch {
  /// New fill-or-kill orders, by their names.
  private var named: Set<OrderID> = []
  /// Fill-or-kill orders that were filled, for tests that must not pass on silence.
  private(set) var kept = 0

  /// Says which promise was broken by what was said to the input.
  mutating func hear(_ input: RecordedInput, _ output: borrowing OutputBuffer) -> String? {
    let action = input.kind == .action ? try? SignedAction(decoding: input.payload) : nil
    if let action { note(action) }
    var open: [OrderID: Int64] = [:]
    var broken: String?
    output.forEach { record in
      if record.kind == .report, let report = try? ExecutionReport(decoding: record.payload),
        named.contains(report.order)
      {
        switch report.event {
        case .fill: open[report.order] = report.remaining.count
        case .accepted: broken = "a fill-or-kill order \(report.outcome)"
        case .ended where report.outcome == .residualCancelled || report.outcome == .selfTradePrevented:
          broken = "a fill-or-kill order \(report.outcome)"
        case .ended, .triggered: break
        }
      }
      if record.kind == .reply, let action, let reply = try? ActionReply(decoding: record.payload), !reply.isRepeated,
        reply.results.count == action.operations.count
      {
        for (operation, result) in zip(action.operations, reply.results) {
          if let wrong = Self.wrong(operation, result) { broken = wrong }
        }
      }
    }
    kept += open.count
    if open.values.contains(where: { $0 != 0 }) { return "a fill-or-kill order was filled in part" }
    return broken
  }

  private mutating func note(_ action: SignedAction) {
    if named.count > 10_000 { named = [] }
    let header = action.header
    for (index, operation) in action.operations.enumerated()
    where operation.kind == .new && operation.timeInForce == .fillOrKill {
      named.insert(OrderID(account: header.account, key: header.key, nonce: header.nonce, index: UInt16(index)))
    }
  }

  private static func wrong(_ operation: Market.Operation, _ result: ActionReply.Result) -> String? {
    guard operation.kind == .new || operation.kind == .replace, let type = operation.type,
      type == .limit || type == .market
    else { return nil }
    let waits: [Outcome] = [.held, .queued]
    if operation.timeInForce == .fillOrKill {
      let isRefused = !result.outcome.isAccepted && result.filled == .zero
      if isRefused || waits.contains(result.outcome) || result.outcome == .filled { return nil }
      return "a fill-or-kill order answered \(result.outcome) \(result.filled)"
    }
    let isFree = operation.flags.contains(.minimumQuantity) && !operation.flags.contains(.reduceOnly)
    if !isFree || !result.outcome.isAccepted || waits.contains(result.outcome) || result.outcome == .cancelled {
      return nil
    }
    let lot = World.instruments.first { $0.id == operation.instrument }?.lotSize ?? Quantity(whole: 1)
    let minimum = min(operation.displayQuantity.units, operation.quantity.units) / lot.units
    return result.filled.count >= minimum ? nil : "a minimum of \(minimum) came to \(result.outcome) \(result.filled)"
  }
}
