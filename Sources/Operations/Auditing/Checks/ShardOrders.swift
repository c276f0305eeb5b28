import Bytes
import Machine
import Market
import Wire

/// One shard's orders, input by input: what was signed and accepted, held against what the shard said it did.
final class ShardOrders {
  /// What the shard said in one step, in order.
  enum Item {
    case fill(Fill)
    case report(ExecutionReport)
    case book(BookDelta)
    case status(InstrumentStatus)
  }

  struct ClientID: Hashable {
    var account: AccountID
    var key: KeyID
    var id: UInt64
  }

  let shard: MachineID
  /// As it is known by now.
  var market: MarketDefinition
  let findings: Findings
  /// What rests, by public number, and each resting order's number and terms.
  var book = PublicOrders()
  var numbers: [OrderID: UInt64] = [:]
  var resting: [OrderID: OrderTerms] = [:]
  /// Orders that are accepted and neither rest nor have ended: held, queued, sweeping, and stops that were triggered.
  var waiting = PlacedTerms()
  /// Stops that wait for their trigger.
  var armed: [OrderID: OrderTerms] = [:]
  private var clientIDs: [ClientID: OrderID] = [:]
  var states: [InstrumentID: TradingState] = [:]
  /// The newest public number.
  var newest: UInt64 = 0
  var liquidations: [UInt64: Liquidate] = [:]
  /// Fills that this shard sent, and those that the aggregator's journal holds, not compared yet.
  var sent: [Fill] = []
  var heard: [Fill] = []

  // The input at hand.
  private var header: InputHeader?
  private var action: (header: SignedActionHeader, operations: [Operation])?
  var items: [Item] = []
  var reply: ActionReply?
  /// Orders of its operations that were answered at once, and in order those that may have come to rest.
  var incoming = PlacedTerms()
  var expected: [OrderID] = []
  /// Amended orders with their numbers before the step; what an iceberg hides shrinks without a book change.
  private var amendments: [(order: OrderID, number: UInt64, lots: Int64)] = []
  /// Orders that left the book in this step, until a report claims it.
  var removed: Set<OrderID> = []
  /// Fills that no book change has told yet.
  var untold: [Fill] = []
  /// Icebergs whose shown lots were just taken, and that show others next.
  var emptied: [OrderID] = []

  init(_ shard: MachineID, _ market: MarketDefinition, _ findings: Findings) {
    self.shard = shard
    self.market = market
    self.findings = findings
  }

  func begin(_ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    conclude()
    self.header = header
    guard header.kind == .action, let view = try? SignedActionView(payload) else { return }
    action = (view.header, (0..<view.operationCount).map { view[$0] })
  }

  func append(_ fill: Fill) {
    items.append(.fill(fill))
    sent.append(fill)
  }

  /// Follows the input to its end.
  func conclude() {
    guard let header else { return }
    if let action, let reply, !reply.isRepeated, reply.results.count == action.operations.count {
      for (index, result) in reply.results.enumerated() {
        register(action.operations[index], UInt16(index), result.outcome, action.header, header.stamp)
      }
    }
    for place in items.indices { follow(place, header.stamp) }
    breachUntold()
    for order in emptied { forget(order) }
    for (order, number, lots) in amendments where numbers[order] == number {
      if let open = resting[order]?.lots { resting[order]?.lots = min(open, lots) }
    }
    self.header = nil
    action = nil
    reply = nil
    items.removeAll(keepingCapacity: true)
    incoming.removeAll()
    expected.removeAll(keepingCapacity: true)
    amendments.removeAll(keepingCapacity: true)
    removed.removeAll(keepingCapacity: true)
    emptied.removeAll(keepingCapacity: true)
  }

  // MARK: What was signed

  private func register(
    _ operation: Operation, _ index: UInt16, _ outcome: Outcome, _ signed: SignedActionHeader, _ now: Timestamp
  ) {
    let own = OrderID(account: signed.account, key: signed.key, nonce: signed.nonce, index: index)
    switch operation.kind {
    case .new where outcome.isAccepted:
      if operation.targetNonce != 0 {
        clientIDs[ClientID(account: signed.account, key: signed.key, id: operation.targetNonce)] = own
      }
      register(own, OrderTerms(operation, market, placed: now), outcome)
    case .replace where outcome.isAccepted:
      if let target = target(of: operation, signed) {
        register(target, OrderTerms(operation, market, placed: now), outcome)
      }
    case .quote:
      // One side may stand although the other one was refused, which is the outcome then.
      for side in [Side.buy, .sell] {
        var name = own
        if side == .sell { name.index |= Operation.askIndexBit }
        register(name, OrderTerms(side, of: operation, market, placed: now), outcome == .queued ? .queued : .resting)
      }
    case .amend where outcome.isAccepted:
      guard let target = target(of: operation, signed), let lotSize = market[operation.instrument]?.lotSize else {
        return
      }
      if let number = numbers[target] { amendments.append((target, number, operation.quantity.units / lotSize.units)) }
    default:
      // Whatever else ends or changes orders does so by reports and book changes.
      break
    }
  }

  private func register(_ order: OrderID, _ terms: OrderTerms?, _ outcome: Outcome) {
    guard let terms else { return }
    switch outcome {
    case .held, .queued, .sweeping: waiting.append(order, terms)
    case .armed: armed[order] = terms
    default:
      incoming.append(order, terms)
      if outcome == .resting || outcome == .amended { expected.append(order) }
    }
  }

  private func target(of operation: Operation, _ signed: SignedActionHeader) -> OrderID? {
    guard operation.flags.contains(.byClientID) else {
      return OrderID(
        account: signed.account, key: signed.key, nonce: operation.targetNonce, index: operation.targetIndex)
    }
    return clientIDs[ClientID(account: signed.account, key: signed.key, id: operation.targetNonce)]
  }

  // MARK: What was said

  private func follow(_ place: Int, _ now: Timestamp) {
    switch items[place] {
    case .fill(let fill): follow(fill, now)
    case .report(let report): follow(report)
    case .book(let delta):
      switch delta.event {
      case .added: added(delta, place, now)
      case .reduced: shrink(delta.order, delta.orderLots.count)
      case .removed:
        if let owner = book[delta.order]?.owner { removed.insert(owner) }
        shrink(delta.order, 0)
      case .traded: traded(delta, now)
      }
    case .status(let status): states[status.instrument] = status.state
    }
  }

  private func follow(_ report: ExecutionReport) {
    let order = report.order
    switch report.event {
    case .fill:
      guard !report.isMaker else { return }
      if incoming[order] != nil {
        incoming.limitLots(order, report.remaining.count)
      } else {
        waiting.limitLots(order, report.remaining.count)
      }
    case .accepted:
      if let lots = resting[order]?.lots { resting[order]?.lots = min(lots, report.remaining.count) }
    case .triggered:
      if let terms = armed.removeValue(forKey: order) { waiting.append(order, terms) }
    case .ended:
      // A replacement that waits has the name of the order that it would replace, which may end first: the book tells
      // which of the two this is about.
      if removed.remove(order) == nil {
        waiting.takeFirst(order)
        incoming.takeFirst(order)
      }
      armed[order] = nil
    }
  }

  /// Leaves a public order with so many shown lots, without a trade.
  private func shrink(_ number: UInt64, _ lots: Int64) {
    guard let entry = book[number] else {
      return findings.breach("\(shard): a book change of order number \(number), which does not rest")
    }
    book.setLots(number, lots)
    guard let owner = entry.owner, numbers[owner] == number else { return }
    if lots == 0 {
      forget(owner)
    } else if let terms = resting[owner], terms.display == nil {
      resting[owner]?.lots = min(terms.lots, lots)
    }
  }

  /// The order rests no more.
  func forget(_ order: OrderID) {
    numbers[order] = nil
    resting[order] = nil
  }

  // MARK: Coming to rest

  private func added(_ delta: BookDelta, _ place: Int, _ now: Timestamp) {
    findings.check(
      delta.order > newest && delta.orderLots > .zero,
      "\(shard): order number \(delta.order) is not newer than \(newest), and so not last at its price")
    newest = max(newest, delta.order)
    let refreshed = emptied.firstIndex { resting[$0]?.couldRest(as: delta) ?? false }.map { emptied.remove(at: $0) }
    let owner =
      refreshed ?? reported(near: place, delta) ?? answered(delta)
      ?? waiting.only { $0.couldRest(as: delta) }
    book.add(
      delta.order,
      .init(
        instrument: delta.instrument, side: delta.side, price: delta.price, lots: delta.orderLots.count, owner: owner))
    if let refreshed {
      numbers[refreshed] = delta.order
    } else if let owner {
      settle(owner, delta.order, delta.orderLots.count, now)
    }
  }

  /// Gives a public order to its owner.
  func settle(_ owner: OrderID, _ number: UInt64, _ shown: Int64, _ now: Timestamp) {
    var terms = resting[owner]
    if let placed = incoming.takeFirst(owner) ?? waiting.takeFirst(owner) {
      terms = placed.placed(at: now)
    }
    guard var terms else { return }
    if terms.display == nil { terms.lots = min(terms.lots, shown) }
    resting[owner] = terms
    // What left under this name did so for this one to take its place.
    removed.remove(owner)
    numbers[owner] = number
  }

  /// The order of which a report beside the book change says that it rests now.
  private func reported(near place: Int, _ delta: BookDelta) -> OrderID? {
    if waiting.isEmpty { return nil }
    for range in [Array(items[(place + 1)...].prefix(8)), items[..<place].suffix(8).reversed()] {
      search: for item in range {
        switch item {
        case .report(let report) where report.event == .accepted:
          if waiting[report.order]?.couldRest(as: delta) ?? false { return report.order }
        case .book(let other) where other.event == .added: break search
        case .fill: break search
        default: continue
        }
      }
    }
    return nil
  }

  /// The first operation of the action that was answered so, and of which this may tell.
  private func answered(_ delta: BookDelta) -> OrderID? {
    guard let place = expected.firstIndex(where: { incoming[$0]?.couldRest(as: delta) ?? false }) else {
      return nil
    }
    return expected.remove(at: place)
  }
}
