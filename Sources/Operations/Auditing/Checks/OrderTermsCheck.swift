import Bytes
import Cluster
import Machine
import Market
import Wire

/// `order_terms`: no fill is worse than its order's limit, beyond what is open of it, after its expiry or its
/// instrument's, or out of price-time priority.
///
/// What an order may do is what was signed, and that it was accepted; where it stands is what the shard's book changes
/// told everybody, step by step; each fill is judged against both. Every fill that the aggregator's journal holds must
/// be the one so judged. Of an order that may have shrunk unseen (reduce-only, self-trade prevention) the check knows
/// an upper bound of what is open until it is told.
package final class OrderTermsCheck {
  package let findings = Findings(.orderTerms)
  private var market: MarketDefinition
  private var shards: [MachineID: ShardOrders] = [:]

  init(_ market: MarketDefinition) { self.market = market }

  /// An instrument that joins the market.
  func list(_ instrument: Instrument) {
    market.instruments.append(instrument)
    for shard in shards.values { shard.market = market }
  }

  /// An action that nobody signed so.
  func unsigned(_ breach: ReexecutionBreach) { findings.breach("\(breach)") }

  func entry(_ shard: MachineID, _ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    self[shard].begin(header, payload)
  }
  func liquidate(_ shard: MachineID, _ step: Liquidate) { self[shard].liquidations[step.step] = step }
  func sent(_ shard: MachineID, _ fill: Fill) { self[shard].append(fill) }
  func reported(_ shard: MachineID, _ report: ExecutionReport) { self[shard].items.append(.report(report)) }
  func told(_ shard: MachineID, _ delta: BookDelta) { self[shard].items.append(.book(delta)) }
  func told(_ shard: MachineID, _ status: InstrumentStatus) { self[shard].items.append(.status(status)) }
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
      orders.book.compact()
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
