import Market

/// One account's orders in one shard, as its bot sees them, and what it does next.
package struct Workload {
  /// An instrument with the bot's last known mark.
  package struct Quote {
    package var instrument: Instrument
    package var mark: Price?
    package var bandLow = Price.zero
    package var bandHigh = Price.zero
  }

  private struct OpenOrder {
    var nonce: UInt64
    var index: UInt16
    var place: Int
    var side: Side
    var price: Price
    /// Armed: it can be cancelled, not replaced.
    var isStop = false
  }

  /// Own orders looked at before one is cancelled or replaced: the one furthest from the mark goes, as with a maker who
  /// pulls what the market left behind, and it is the least likely to trade while the request is on its way.
  private static let candidates = 4

  /// Beyond this many open orders a new one becomes a cancel, if nothing else is said.
  package static let maximumOpen = 512

  package let account: AccountID
  private let maximumOpen: Int
  private var open: [OpenOrder] = []

  package init(account: AccountID, maximumOpen: Int = Workload.maximumOpen) {
    self.account = account
    self.maximumOpen = maximumOpen
  }

  var openCount: Int { open.count }

  /// The next `count` operations; fewer, if some would be new orders and no instrument has a mark. Their own new orders
  /// cannot be targets yet: no answer has named them.
  package mutating func operations(
    _ count: Int, mix: LoadMix, quotes: inout ShardQuotes, _ random: inout SeededGenerator
  ) -> [Operation] {
    var operations: [Operation] = []
    operations.reserveCapacity(count)
    for _ in 0..<count {
      let draw = random.below(100)
      if draw < mix.cancel || open.count >= maximumOpen, let order = takeOpen(quotes, &random) {
        operations.append(
          Operation(
            kind: .cancel, instrument: quotes[order.place].instrument.id, targetNonce: order.nonce,
            targetIndex: order.index))
      } else if draw < mix.cancel + mix.replace, let operation = replace(quotes, &random) {
        operations.append(operation)
      } else if let quote = quotes.next() {
        if let operation = special(draw - mix.cancel - mix.replace, mix, quote, operations, &random) {
          operations.append(operation)
          continue
        }
        operations.append(place(quote, crossing: draw >= 100 - mix.crossing, &random))
      }
    }
    return operations
  }

  /// A stop, an iceberg or a quote, if the draw falls on one; no instrument is quoted twice in one action.
  private func special(
    _ draw: Int, _ mix: LoadMix, _ quote: Quote, _ earlier: [Operation], _ random: inout SeededGenerator
  ) -> Operation? {
    guard draw >= 0 else { return nil }
    if draw < mix.stop { return stop(quote, &random) }
    if draw < mix.stop + mix.iceberg { return iceberg(quote, &random) }
    guard draw < mix.stop + mix.iceberg + mix.quote,
      !earlier.contains(where: { $0.kind == .quote && $0.instrument == quote.instrument.id })
    else { return nil }
    return twoSided(quote, &random)
  }

  /// Waits for the mark to move against it by a few ticks.
  private func stop(_ quote: Quote, _ random: inout SeededGenerator) -> Operation {
    let side: Side = random.below(2) == 0 ? .buy : .sell
    return Operation(
      kind: .new, side: side, type: .stopMarket, instrument: quote.instrument.id,
      quantity: quantity(quote.instrument, &random), triggerPrice: price(quote, side, crossing: true, &random))
  }

  private func iceberg(_ quote: Quote, _ random: inout SeededGenerator) -> Operation {
    let side: Side = random.below(2) == 0 ? .buy : .sell
    let listed = quote.instrument
    let shown = max(listed.minimumOrder.count, 1)
    let lots = min(listed.maximumOrder.count, shown * Int64(2 + random.below(4)))
    return Operation(
      kind: .new, side: side, instrument: listed.id, price: price(quote, side, crossing: false, &random),
      quantity: listed.quantity(Lots(lots)) ?? listed.lotSize,
      displayQuantity: listed.quantity(Lots(min(shown, lots))) ?? listed.lotSize)
  }

  /// Both sides of the mark; one side alone where the band leaves no room for two.
  private func twoSided(_ quote: Quote, _ random: inout SeededGenerator) -> Operation {
    let bid = price(quote, .buy, crossing: false, &random)
    let ask = price(quote, .sell, crossing: false, &random)
    return Operation(
      kind: .quote, instrument: quote.instrument.id, price: bid, quantity: quantity(quote.instrument, &random),
      triggerPrice: bid < ask ? ask : .zero,
      displayQuantity: bid < ask ? quantity(quote.instrument, &random) : .zero)
  }

  private mutating func takeOpen(_ quotes: ShardQuotes, _ random: inout SeededGenerator) -> OpenOrder? {
    guard let chosen = furthest(quotes, &random) else { return nil }
    open.swapAt(chosen, open.count - 1)
    return open.removeLast()
  }

  /// The place of an own open order, the furthest from its mark of a few.
  private func furthest(_ quotes: ShardQuotes, _ random: inout SeededGenerator) -> Int? {
    guard !open.isEmpty else { return nil }
    var best = random.below(open.count)
    for _ in 1..<Self.candidates {
      let other = random.below(open.count)
      if ticksBehind(other, quotes) > ticksBehind(best, quotes) { best = other }
    }
    return best
  }

  private func ticksBehind(_ index: Int, _ quotes: ShardQuotes) -> Int64 {
    quotes.ticksBehind(open[index].price, open[index].side, at: open[index].place)
  }

  /// Prices one of the own open orders anew, if its instrument has a mark.
  private mutating func replace(_ quotes: ShardQuotes, _ random: inout SeededGenerator) -> Operation? {
    guard let chosen = furthest(quotes, &random) else { return nil }
    let order = open[chosen]
    let quote = quotes[order.place]
    guard quote.mark != nil, !order.isStop else { return nil }
    let price = price(quote, order.side, crossing: false, &random)
    open[chosen].price = price
    return Operation(
      kind: .replace, side: order.side, instrument: quote.instrument.id, price: price,
      quantity: quantity(quote.instrument, &random), targetNonce: order.nonce, targetIndex: order.index)
  }

  private func place(_ quote: Quote, crossing: Bool, _ random: inout SeededGenerator) -> Operation {
    let side: Side = random.below(2) == 0 ? .buy : .sell
    return Operation(
      kind: .new, side: side, timeInForce: crossing ? .immediateOrCancel : .goodTillCancelled,
      instrument: quote.instrument.id, price: price(quote, side, crossing: crossing, &random),
      quantity: quantity(quote.instrument, &random))
  }

  private func quantity(_ instrument: Instrument, _ random: inout SeededGenerator) -> Quantity {
    let lots = min(instrument.maximumOrder.count, max(instrument.minimumOrder.count, Int64(1 + random.below(3))))
    return instrument.quantity(Lots(lots)) ?? instrument.lotSize
  }

  /// A few ticks on the own side of the mark, or across it; always inside the band and on a tick.
  private func price(_ quote: Quote, _ side: Side, crossing: Bool, _ random: inout SeededGenerator) -> Price {
    let tick = quote.instrument.tickSize.units
    let mark = (quote.mark?.units ?? tick) / tick
    let away = Int64(1 + random.below(8))
    let ticks = crossing ? mark + side.sign * (away + 4) : mark - side.sign * away
    let lowest = max(1, (quote.bandLow.units + tick - 1) / tick)
    let highest = max(lowest, quote.bandHigh.units / tick)
    let price = Price(units: min(max(ticks, lowest), highest) * tick)
    return aligned(price, quote, isUp: crossing == (side == .buy))
  }

  /// The nearest tick in force at the price, up or down, inside the band.
  private func aligned(_ price: Price, _ quote: Quote, isUp: Bool) -> Price {
    let tick = quote.instrument.tick(at: price).units
    let below = price.units / tick * tick
    guard below != price.units else { return price }
    let wanted = Price(units: isUp ? below + tick : below)
    let other = Price(units: isUp ? below : below + tick)
    return wanted >= quote.bandLow && wanted <= quote.bandHigh ? wanted : other
  }

  /// Remembers what now rests, from the answer to the action that carried `operations`.
  package mutating func learn(
    _ nonce: UInt64, _ operations: [Operation], _ results: [ActionReply.Result], _ quotes: ShardQuotes
  ) {
    for (index, (operation, result)) in zip(operations, results).enumerated() where operation.kind == .new {
      let isOpen = result.outcome == .resting || result.outcome == .armed
      guard isOpen, let side = operation.side, let place = quotes.place(of: operation.instrument) else { continue }
      let isStop = result.outcome == .armed
      open.append(
        OpenOrder(
          nonce: nonce, index: UInt16(index), place: place, side: side,
          price: isStop ? operation.triggerPrice : operation.price, isStop: isStop))
    }
  }

  /// Forgets an order that ended otherwise: filled while resting, expired, recalled.
  package mutating func forget(_ nonce: UInt64, _ index: UInt16) {
    guard let found = open.firstIndex(where: { $0.nonce == nonce && $0.index == index }) else { return }
    open.swapAt(found, open.count - 1)
    open.removeLast()
  }
}
