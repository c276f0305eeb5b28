import Market

/// A matching engine as plain as possible: arrays in order of arrival, searched from end to end. It shares nothing with
/// the real one but the vocabulary.
struct NaiveShard {
  struct Order: Equatable {
    var name: OrderID
    var instrument: InstrumentID
    var side: Side
    var price: Int64
    var lots: Int64
    var isReduceOnly: Bool
  }
  struct Trade: Equatable {
    var maker: OrderID
    var taker: OrderID
    var instrument: InstrumentID
    var price: Int64
    var lots: Int64
  }

  /// Every open order, in order of arrival.
  var open: [Order] = []
  var positions: [UInt32: [UInt32: Int64]] = [:]
  var trades: [Trade] = []

  func position(_ account: UInt32, _ instrument: InstrumentID) -> Int64 {
    positions[account]?[instrument.rawValue] ?? 0
  }

  mutating func apply(
    _ operation: Market.Operation, by name: OrderID, lotSize: Int64, bandLow: Int64, bandHigh: Int64
  ) -> (Outcome, Int64) {
    let target = OrderID(
      account: name.account, key: name.key, nonce: operation.targetNonce, index: operation.targetIndex)
    let place = open.firstIndex { $0.name == target && $0.instrument == operation.instrument }
    let lots = operation.quantity.units / lotSize
    switch operation.kind! {
    case .cancel:
      guard let place else { return (.unknownOrder, 0) }
      open.remove(at: place)
      return (.cancelled, 0)
    case .amend:
      guard let place else { return (.unknownOrder, 0) }
      if lots >= open[place].lots { return (.notDecreasing, 0) }
      open[place].lots = lots
      return (.amended, 0)
    case .cancelAll:
      open.removeAll { $0.name.account == name.account && $0.instrument == operation.instrument }
      return (.cancelled, 0)
    case .new: return self.place(operation, name, lots, replacing: nil, bandLow, bandHigh)
    case .replace:
      guard let place else { return (.unknownOrder, 0) }
      if open[place].side != operation.side { return (.unsupportedCombination, 0) }
      return self.place(operation, target, lots, replacing: place, bandLow, bandHigh)
    case .withdraw: return (.malformed, 0)
    }
  }

  private mutating func place(
    _ operation: Market.Operation, _ name: OrderID, _ wanted: Int64, replacing old: Int?, _ bandLow: Int64,
    _ bandHigh: Int64
  ) -> (Outcome, Int64) {
    let side = operation.side!
    var lots = wanted
    var limit = operation.price.units
    if operation.type == .market { limit = side == .buy ? bandHigh : bandLow }
    let isImmediate =
      operation.type == .market || operation.timeInForce == .immediateOrCancel || operation.timeInForce == .fillOrKill
    let isReduceOnly = operation.flags.contains(.reduceOnly)
    if isReduceOnly {
      let mine = position(name.account.rawValue, operation.instrument)
      let closable = side == .sell ? mine : -mine
      var pledged: Int64 = 0
      for (place, order) in open.enumerated() where place != old && order.isReduceOnly {
        if order.name.account == name.account && order.instrument == operation.instrument { pledged += order.lots }
      }
      let available = closable - pledged
      if available <= 0 || operation.timeInForce == .fillOrKill && lots > available { return (.notReducing, 0) }
      lots = min(lots, available)
    }
    func crosses(_ order: Order) -> Bool {
      order.instrument == operation.instrument && order.side != side
        && (side == .buy ? order.price <= limit : order.price >= limit)
    }
    if operation.flags.contains(.postOnly), open.contains(where: crosses) { return (.wouldTake, 0) }
    if operation.timeInForce == .fillOrKill, open.filter(crosses).reduce(0, { $0 + $1.lots }) < lots {
      return (.notFillable, 0)
    }
    if let old { open.remove(at: old) }
    var left = lots
    while left > 0 {
      var best: Int?
      for (place, order) in open.enumerated() where crosses(order) {
        guard let current = best else {
          best = place
          continue
        }
        if side == .buy ? order.price < open[current].price : order.price > open[current].price { best = place }
      }
      guard let best else { break }
      let maker = open[best]
      let traded = min(left, maker.lots)
      left -= traded
      trades.append(
        Trade(maker: maker.name, taker: name, instrument: maker.instrument, price: maker.price, lots: traded))
      if traded == maker.lots { open.remove(at: best) } else { open[best].lots -= traded }
      let signed = side == .buy ? traded : -traded
      positions[name.account.rawValue, default: [:]][maker.instrument.rawValue, default: 0] += signed
      positions[maker.name.account.rawValue, default: [:]][maker.instrument.rawValue, default: 0] -= signed
      trim(maker.name.account, maker.instrument)
      trim(name.account, maker.instrument)
    }
    let filled = lots - left
    if left == 0 { return (.filled, filled) }
    if isImmediate { return (.residualCancelled, filled) }
    open.append(
      Order(
        name: name, instrument: operation.instrument, side: side, price: limit, lots: left, isReduceOnly: isReduceOnly))
    return (operation.kind == .replace ? .amended : .resting, filled)
  }

  /// Shrinks reduce-only orders, newest first, to what the position still lets them close.
  private mutating func trim(_ account: AccountID, _ instrument: InstrumentID) {
    while true {
      let mine = open.indices.filter {
        open[$0].isReduceOnly && open[$0].name.account == account && open[$0].instrument == instrument
      }
      guard let newest = mine.last else { return }
      let held = position(account.rawValue, instrument)
      let closable = max(0, open[newest].side == .sell ? held : -held)
      let excess = mine.reduce(0) { $0 + open[$1].lots } - closable
      if excess <= 0 { return }
      if excess >= open[newest].lots { open.remove(at: newest) } else { open[newest].lots -= excess }
    }
  }

  func levels(_ instrument: InstrumentID, _ side: Side) -> [(price: Int64, lots: Int64, orders: Int)] {
    var levels: [Int64: (Int64, Int)] = [:]
    for order in open where order.instrument == instrument && order.side == side {
      let before = levels[order.price] ?? (0, 0)
      levels[order.price] = (before.0 + order.lots, before.1 + 1)
    }
    return levels.sorted { side == .buy ? $0.key > $1.key : $0.key < $1.key }.map { ($0.key, $0.value.0, $0.value.1) }
  }
}
