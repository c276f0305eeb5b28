import Cluster
import Market
import Matching
import Operations

/// A few traders with means, and a random but seeded stream of their orders, cancels, replacements and resends.
struct TradingDay {
  static let traders = 4
  private var random: Seeded
  /// Orders that may be open: who, where, and by which name.
  private var open: [(trader: Int, instrument: InstrumentID, nonce: UInt64, index: UInt16)] = []

  init(seed: UInt64) { random = Seeded(seed) }

  /// Opens the accounts and waits for their ceilings.
  func open(_ cluster: InProcessCluster) throws {
    try cluster.mark()
    for trader in 0..<Self.traders {
      try cluster.deposit(trader, .usd, Money(whole: 5_000_000))
      try cluster.deposit(trader, Currency(1), Money(whole: 20))
      try cluster.deposit(trader, Currency(2), Money(whole: 500))
    }
    try cluster.step {
      cluster.shards.allSatisfy { shard in
        (1...UInt32(Self.traders)).allSatisfy { account in
          shard.read { $0.standing(AccountID(account)) }.map { $0.ceiling > .zero } ?? false
        }
      }
    }
  }

  /// Sends `actions` batches, a turn of the cluster after each.
  mutating func trade(_ cluster: InProcessCluster, actions: Int) throws {
    var last: SignedAction?
    for number in 0..<actions {
      if number % 12 == 0 { try cluster.mark(movedBasisPoints: Int64(random.below(200)) - 100) }
      let trader = random.below(Self.traders)
      let instruments =
        random.below(3) == 0 ? [TestMarket.ether] : [TestMarket.perpetual, TestMarket.future]
      var operations: [Operation] = []
      for _ in 0..<(1 + random.below(8)) {
        operations.append(operation(cluster, trader, instruments[random.below(instruments.count)]))
      }
      let action = try cluster.sign(trader, operations)
      for (index, operation) in operations.enumerated() where operation.kind == .new {
        open.append((trader, operation.instrument, action.header.nonce, UInt16(index)))
      }
      try cluster.submit(action)
      if let last, number % 9 == 0 { try cluster.submit(last) }
      last = action
      try cluster.step()
    }
  }

  private mutating func operation(
    _ cluster: InProcessCluster, _ trader: Int, _ instrument: InstrumentID
  ) -> Operation {
    let side: Side = random.below(2) == 0 ? .buy : .sell
    let away = Int64(1 + random.below(10)) * (side == .buy ? -1 : 1)
    let lots = Int64(1 + random.below(20))
    let mine = open.indices.filter { open[$0].trader == trader && open[$0].instrument == instrument }
    switch random.below(20) {
    case 0..<6 where !mine.isEmpty:
      let order = open.remove(at: mine[random.below(mine.count)])
      return Operation(
        kind: .cancel, instrument: instrument, targetNonce: order.nonce, targetIndex: order.index)
    case 6..<8 where !mine.isEmpty:
      let order = open[mine[random.below(mine.count)]]
      var replacement = cluster.order(side, instrument, ticks: away, lots: lots)
      replacement.rawKind = Operation.Kind.replace.rawValue
      replacement.targetNonce = order.nonce
      replacement.targetIndex = order.index
      return replacement
    case 8 where !mine.isEmpty:
      let order = open[mine[random.below(mine.count)]]
      var smaller = cluster.order(side, instrument, ticks: 0, lots: 1)
      smaller = Operation(
        kind: .amend, instrument: instrument, quantity: smaller.quantity, targetNonce: order.nonce,
        targetIndex: order.index)
      return smaller
    case 9..<12: return cluster.order(side, instrument, ticks: -away, lots: lots)
    case 12: return cluster.order(side, instrument, ticks: -away, lots: lots, timeInForce: .immediateOrCancel)
    case 13:
      return cluster.order(side, instrument, ticks: 0, lots: lots, type: .market, timeInForce: .immediateOrCancel)
    case 14: return cluster.order(side, instrument, ticks: -away, lots: lots, flags: .reduceOnly)
    case 15:
      let soon = UInt32(MachineClock.wall().seconds) + 1
      return cluster.order(side, instrument, ticks: away, lots: lots, timeInForce: .goodTillDate, expiry: soon)
    case 16 where random.below(4) == 0: return Operation(kind: .cancelAll, instrument: instrument)
    default: return cluster.order(side, instrument, ticks: away, lots: lots)
    }
  }
}
