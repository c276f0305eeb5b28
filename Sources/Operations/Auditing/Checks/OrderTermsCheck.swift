import Bytes
import Cluster
import Machine
import Market
import Wire

/// `order_terms`: no fill is worse than its order's limit, beyond what is open of it, after its expiry or its
/// instrument's, or out of price-time priority.
///
/// The model of a shard is its signed actions, the answers to them and the reports: orders rest, go and fill as these
/// tell, and each fill is judged against what then rests. Every fill that the aggregator's journal holds must be the
/// one so judged. Of a reduce-only order the model knows an upper bound of what is open until it first fills.
final class OrderTermsCheck {
  let findings = Findings(.orderTerms)
  private let market: MarketDefinition
  private var shards: [MachineID: ShardOrders] = [:]

  init(_ market: MarketDefinition) { self.market = market }

  /// An action that nobody signed so.
  func unsigned(_ breach: ReexecutionBreach) { findings.breach("\(breach)") }

  func entry(_ shard: MachineID, _ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    self[shard].begin(header, payload)
  }
  func liquidate(_ shard: MachineID, _ step: Liquidate) { self[shard].liquidations[step.step] = step }
  func sent(_ shard: MachineID, _ fill: Fill) { self[shard].append(fill) }
  func reported(_ shard: MachineID, _ report: ExecutionReport) { self[shard].items.append(.report(report)) }
  func replied(_ shard: MachineID, _ reply: ActionReply) { self[shard].reply = reply }
  func endOfInput(of shard: MachineID) { self[shard].conclude() }

  /// The aggregator's journal holds a fill.
  func heard(_ fill: Fill, from shard: MachineID) {
    self[shard].heard.append(fill)
  }

  /// Compares the fills that were sent with those that were heard, as far as both are known.
  private func compareFills(_ shard: MachineID, _ orders: ShardOrders) {
    let count = min(orders.sent.count, orders.heard.count)
    for place in 0..<count { compare(orders.sent[place], orders.heard[place], shard) }
    orders.sent.removeFirst(count)
    orders.heard.removeFirst(count)
  }

  private func compare(_ own: Fill, _ fill: Fill, _ shard: MachineID) {
    let isSame =
      own.number == fill.number && own.order == fill.order && own.instrument == fill.instrument
      && own.lots == fill.lots && own.price == fill.price && own.kind == fill.kind
    findings.check(
      isSame,
      "\(shard): fill \(fill.number) gives order \(Self.name(fill.order)) \(fill.lots) lots at \(fill.price); by its "
        + "journal's orders it is \(Self.name(own.order)), \(own.lots) lots at \(own.price)")
  }

  func epochEnded() {
    for (shard, orders) in shards {
      orders.conclude()
      orders.model.compact()
      compareFills(shard, orders)
    }
  }

  /// - Parameter isRunning: the aggregator may have heard what its shard's journal was not read up to.
  func finish(isRunning: Bool) {
    for (shard, orders) in shards where !isRunning {
      for fill in orders.heard {
        findings.breach("\(shard): fill \(fill.number) follows from no order in its journal")
      }
    }
  }

  private subscript(shard: MachineID) -> ShardOrders {
    if let known = shards[shard] { return known }
    let orders = ShardOrders(shard, market, findings)
    shards[shard] = orders
    return orders
  }

  static func name(_ order: OrderID) -> String { "\(order.account)/\(order.key)/\(order.nonce)/\(order.index)" }
}

/// One shard's orders, input by input.
private final class ShardOrders {
  enum Item {
    case fill(Fill)
    case report(ExecutionReport)
  }

  private let shard: MachineID
  private let market: MarketDefinition
  private let findings: Findings
  var model = OrderModel()
  /// Orders that wait for credit, and the steps of liquidations that came.
  private var held: [OrderID: OrderTerms] = [:]
  var liquidations: [UInt64: Liquidate] = [:]
  /// Fills that this shard sent, and those that the aggregator's journal holds, not compared yet.
  var sent: [Fill] = []
  var heard: [Fill] = []

  // The input at hand.
  private var header: InputHeader?
  private var action: (header: SignedActionHeader, operations: [Operation])?
  var items: [Item] = []
  var reply: ActionReply?
  private var next = 0
  /// The order of the operation at hand, and what it has filled.
  private var incoming: (order: OrderID, terms: OrderTerms, filled: Int64)?

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

  /// Follows the input to its end: operations in order, each with its own fills, and whatever was reported between.
  func conclude() {
    guard let header else { return }
    if let action, let reply, !reply.isRepeated, reply.results.count == action.operations.count {
      for (index, result) in reply.results.enumerated() where result.outcome.isAccepted {
        perform(action.operations[index], UInt16(index), result, action.header, header.stamp)
      }
    }
    while next < items.count { step(header.stamp) }
    self.header = nil
    action = nil
    reply = nil
    items.removeAll(keepingCapacity: true)
    next = 0
  }

  private func perform(
    _ operation: Operation, _ index: UInt16, _ result: ActionReply.Result, _ signed: SignedActionHeader,
    _ now: Timestamp
  ) {
    let isNew = operation.kind == .new
    let order = OrderID(
      account: signed.account, key: signed.key, nonce: isNew ? signed.nonce : operation.targetNonce,
      index: isNew ? index : operation.targetIndex)
    switch operation.kind {
    case .new, .replace:
      guard var terms = OrderTerms(operation, market, placed: now) else { return }
      if result.outcome == .held {
        held[order] = terms
        return
      }
      if result.filled != .zero { reportsBeforeFill(now) }
      model.remove(order)
      incoming = (order, terms, 0)
      while incoming!.filled < result.filled.count, next < items.count { step(now) }
      if result.filled != .zero { reportsOfFill(order, now) }
      terms = incoming!.terms
      incoming = nil
      if result.outcome == .resting || result.outcome == .amended { model.rest(order, terms) }
    case .amend:
      let lotSize = market[operation.instrument]?.lotSize.units ?? 1
      if let open = model[order] { model.setLots(order, min(open.lots, operation.quantity.units / lotSize)) }
    case .cancel:
      // What was held under the name ends by a report of its own.
      model.remove(order)
    case .cancelAll: reportsBeforeFill(now)
    case .quote, .protection, .resetProtection, .deadMan, .killSwitch, .tradingState, .withdraw, nil: break
    }
  }

  /// Follows what was reported before the next fill.
  private func reportsBeforeFill(_ now: Timestamp) {
    while next < items.count, case .report(let report) = items[next] {
      next += 1
      take(report)
    }
  }

  /// Follows what an incoming order's last fill made the shard report at once: the fill itself, and reduce-only orders
  /// cut to the new positions.
  private func reportsOfFill(_ order: OrderID, _ now: Timestamp) {
    while next < items.count, case .report(let report) = items[next] {
      let isFill = report.event == .fill && !report.isMaker && report.order == order
      let isCut =
        report.event == .accepted && report.outcome == .amended && held[report.order] == nil
        || report.event == .ended && report.outcome == .cancelledAsNotReducing
      guard isFill || isCut else { return }
      step(now)
    }
  }

  /// Follows one item.
  private func step(_ now: Timestamp) {
    defer { next += 1 }
    switch items[next] {
    case .report(let report):
      if report.event == .fill, !report.isMaker, report.order == incoming?.order {
        incoming!.terms.lots = report.remaining.count
      } else {
        take(report)
      }
    case .fill(let fill):
      switch fill.kind {
      case .maker: judgeMaker(fill, now)
      case .taker: judgeTaker(fill, now)
      case .liquidation: judgeLiquidation(fill, now)
      case .settlement, .residue, .funding, .transfer: break
      }
    }
  }

  private func take(_ report: ExecutionReport) {
    switch report.event {
    case .fill:
      if report.isMaker {
        model.setLots(report.order, report.remaining.count)
      } else if held[report.order] != nil {
        held[report.order]?.lots = report.remaining.count
      }
    case .accepted:
      if var terms = held.removeValue(forKey: report.order) {
        terms.lots = report.remaining.count
        model.remove(report.order)
        model.rest(report.order, terms)
      } else {
        model.setLots(report.order, report.remaining.count)
      }
    case .triggered: break
    case .ended:
      // A replacement that waits has the name of what it would replace, which ends for reasons of its own.
      let isOfOpenOrder = report.outcome.rawValue >= 400 && report.outcome != .cancelledByFreeze
      if isOfOpenOrder {
        model.remove(report.order)
      } else if held.removeValue(forKey: report.order) == nil
        || report.outcome.isAccepted && report.outcome != .cancelled
      {
        model.remove(report.order)
      }
    }
  }

  // MARK: Judging

  private func judgeMaker(_ fill: Fill, _ now: Timestamp) {
    let side: Side = fill.lots.count > 0 ? .buy : .sell
    judge(fill, model[fill.order], "resting", now)
    guard let first = model.first(fill.instrument, side) else { return }
    let price = first.terms.limit ?? .zero
    findings.check(
      first.order == fill.order && price == fill.price,
      "\(shard): fill \(fill.number) hits order \(OrderTermsCheck.name(fill.order)) at \(fill.price) while "
        + "\(OrderTermsCheck.name(first.order)) at \(price) comes before it")
  }

  private func judgeTaker(_ fill: Fill, _ now: Timestamp) {
    guard let incoming, incoming.order == fill.order else { return judge(fill, held[fill.order], "held", now) }
    judge(fill, incoming.terms, "incoming", now)
    self.incoming!.filled += Int64(clamping: fill.lots.count.magnitude)
  }

  private func judge(_ fill: Fill, _ terms: OrderTerms?, _ what: String, _ now: Timestamp) {
    func name() -> String { "\(shard): fill \(fill.number) of \(what) order \(OrderTermsCheck.name(fill.order))" }
    guard let terms else { return findings.breach("\(name()): no such order is open") }
    let lots = Int64(clamping: fill.lots.count.magnitude)
    findings.check(
      terms.instrument == fill.instrument && terms.side == (fill.lots.count > 0 ? .buy : .sell),
      "\(name()) is of another instrument or side")
    findings.check(lots <= terms.lots, "\(name()): \(lots) lots, of which \(terms.lots) are open")
    if let limit = terms.limit {
      findings.check(
        terms.side == .buy ? fill.price <= limit : fill.price >= limit,
        "\(name()): \(fill.price), its limit is \(limit)")
    }
    let listed = market[fill.instrument]?.expiry ?? .never
    findings.check(now < min(terms.expiry, listed), "\(name()): it had expired")
  }

  private func judgeLiquidation(_ fill: Fill, _ now: Timestamp) {
    let name = "\(shard): liquidation fill \(fill.number) of account \(fill.account)"
    guard let step = liquidations[fill.order.nonce], step.account == fill.account,
      step.instrument == fill.instrument
    else { return findings.breach("\(name): nobody asked for it") }
    let isBuy = step.lots.count > 0
    findings.check(
      isBuy == (fill.lots.count > 0) && (isBuy ? fill.price <= step.limit : fill.price >= step.limit),
      "\(name): \(fill.lots) lots at \(fill.price) are not within \(step.lots) at \(step.limit)")
    findings.check(now < market[fill.instrument]?.expiry ?? .never, "\(name): the instrument had expired")
  }
}
