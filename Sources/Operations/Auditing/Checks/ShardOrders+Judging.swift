import Market

/// Fills against what was signed and where it stood.
extension ShardOrders {
  func follow(_ fill: Fill, _ now: Timestamp) {
    switch fill.kind {
    case .maker:
      breachUntold()
      untold.append(fill)
    case .taker:
      if let terms = incoming[fill.order] {
        judge(fill, terms.placed(at: now), "incoming", now)
        incoming.limitLots(fill.order, terms.lots - Int64(clamping: fill.lots.count.magnitude))
      } else if let terms = waiting[fill.order] {
        judge(fill, terms.placed(at: now), "waiting", now)
        waiting.limitLots(fill.order, terms.lots - Int64(clamping: fill.lots.count.magnitude))
      } else if states[fill.instrument] == .uncrossing {
        // In an auction both rest; the book tells of both.
        untold.append(fill)
      } else {
        judge(fill, nil, "incoming", now)
      }
    case .liquidation: judgeLiquidation(fill, now)
    case .settlement, .residue, .funding, .transfer: break
    }
  }

  /// Reports fills of resting orders that the book did not tell before the next trade.
  func breachUntold() {
    for fill in untold {
      findings.breach(
        "\(shard): fill \(fill.number) of order \(OrderTermsCheck.name(fill.order)): no book change tells it")
    }
    untold.removeAll(keepingCapacity: true)
  }

  /// A resting order traded.
  func traded(_ delta: BookDelta, _ now: Timestamp) {
    guard let entry = book[delta.order] else {
      return findings.breach("\(shard): a trade of order number \(delta.order), which does not rest")
    }
    guard
      let place = untold.firstIndex(where: {
        $0.instrument == delta.instrument && ($0.lots.count > 0) == (delta.side == .buy)
      })
    else {
      return findings.breach("\(shard): a trade of order number \(delta.order) that no fill tells")
    }
    let fill = untold.remove(at: place)
    let first = book.first(delta.instrument, delta.side)
    findings.check(
      first?.number == delta.order,
      "\(shard): fill \(fill.number) hits order number \(delta.order) at \(delta.price) while \(first?.number ?? 0) at "
        + "\(first?.entry.price ?? .zero) comes before it")
    let lots = Int64(clamping: fill.lots.count.magnitude)
    findings.check(
      entry.lots &- lots == delta.orderLots.count,
      "\(shard): fill \(fill.number) of \(lots) lots leaves order number \(delta.order) with \(delta.orderLots) of "
        + "\(entry.lots)")
    findings.check(
      states[delta.instrument] == .uncrossing || fill.price == entry.price,
      "\(shard): fill \(fill.number) at \(fill.price) of order number \(delta.order), which stands at \(entry.price)")
    if entry.owner == nil {
      // Nothing told whose it is until now.
      book.setOwner(delta.order, fill.order)
      settle(fill.order, delta.order, entry.lots, now)
    }
    findings.check(
      (entry.owner ?? fill.order) == fill.order,
      "\(shard): fill \(fill.number) gives order \(OrderTermsCheck.name(fill.order)) what order "
        + "\(entry.owner.map(OrderTermsCheck.name) ?? "") traded")
    judge(fill, resting[fill.order], "resting", now)
    book.setLots(delta.order, delta.orderLots.count)
    take(lots, from: fill.order, isEmptied: delta.orderLots == .zero)
  }

  private func take(_ lots: Int64, from order: OrderID, isEmptied: Bool) {
    guard var terms = resting[order] else { return }
    terms.lots -= lots
    resting[order] = terms
    guard isEmptied else { return }
    if terms.display != nil, terms.lots > 0 { emptied.append(order) } else { forget(order) }
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
