import Market

/// One account's orders in one shard, as its bot sees them, and what it does next: the default mix of the load.
struct Workload {
  private struct OpenOrder {
    var nonce: UInt64
    var index: UInt16
    var instrument: Int
    var side: Side
  }

  /// An instrument with the bot's last known mark.
  struct Quote {
    var instrument: Instrument
    var mark: Price?
    var bandLow = Price.zero
    var bandHigh = Price.zero
  }

  /// Beyond this many open orders, new ones become cancels of the oldest.
  static let maximumOpen = 512

  let account: AccountID
  let shard: ShardID
  private var open: [OpenOrder] = []
  private var nextInstrument: Int

  init(account: AccountID, shard: ShardID) {
    self.account = account
    self.shard = shard
    nextInstrument = Int(account.rawValue) &* 7
  }

  var openCount: Int { open.count }

  /// The next `count` operations under `nonce`.
  mutating func operations(
    _ count: Int, nonce: UInt64, mix: LoadMix, quotes: [Quote], _ random: inout SeededGenerator
  ) -> [Operation] {
    var operations: [Operation] = []
    operations.reserveCapacity(count)
    // Orders placed by this very action cannot be its targets: the answer is not there yet.
    for _ in 0..<count {
      let draw = random.below(100)
      if draw < mix.cancel || open.count >= Self.maximumOpen, let order = takeOpen(&random) {
        operations.append(
          Operation(
            kind: .cancel, instrument: quotes[order.instrument].instrument.id, targetNonce: order.nonce,
            targetIndex: order.index))
      } else if draw < mix.cancel + mix.replace, !open.isEmpty {
        operations.append(replace(open[random.below(open.count)], quotes, &random))
      } else if draw < mix.cancel + mix.replace + mix.crossing {
        operations.append(place(quotes, crossing: true, &random))
      } else {
        operations.append(place(quotes, crossing: false, &random))
      }
    }
    return operations
  }

  private mutating func takeOpen(_ random: inout SeededGenerator) -> OpenOrder? {
    guard !open.isEmpty else { return nil }
    let index = random.below(open.count)
    open.swapAt(index, open.count - 1)
    return open.removeLast()
  }

  /// Every instrument in turn, so that all are touched; those without a mark are passed over.
  private mutating func nextQuoted(_ quotes: [Quote]) -> Int {
    for _ in quotes.indices {
      nextInstrument = (nextInstrument + 1) % quotes.count
      if quotes[nextInstrument].mark != nil { break }
    }
    return nextInstrument
  }

  private mutating func place(_ quotes: [Quote], crossing: Bool, _ random: inout SeededGenerator) -> Operation {
    let index = nextQuoted(quotes)
    let side: Side = random.below(2) == 0 ? .buy : .sell
    return Operation(
      kind: .new, side: side, timeInForce: crossing ? .immediateOrCancel : .goodTillCancelled,
      instrument: quotes[index].instrument.id, price: price(quotes[index], side, crossing: crossing, &random),
      quantity: quantity(quotes[index].instrument, &random))
  }

  private func replace(_ order: OpenOrder, _ quotes: [Quote], _ random: inout SeededGenerator) -> Operation {
    let quote = quotes[order.instrument]
    return Operation(
      kind: .replace, side: order.side, instrument: quote.instrument.id,
      price: price(quote, order.side, crossing: false, &random), quantity: quantity(quote.instrument, &random),
      targetNonce: order.nonce, targetIndex: order.index)
  }

  private func quantity(_ instrument: Instrument, _ random: inout SeededGenerator) -> Quantity {
    let lots = min(instrument.maximumOrder.count, Int64(1 + random.below(3)))
    return instrument.quantity(Lots(lots)) ?? instrument.lotSize
  }

  /// A few ticks on the own side of the mark, or across it; always inside the band and on a tick.
  private func price(_ quote: Quote, _ side: Side, crossing: Bool, _ random: inout SeededGenerator) -> Price {
    let tick = quote.instrument.tickSize.units
    let mark = quote.mark?.units ?? tick
    let away = Int64(1 + random.below(8))
    let ticks = crossing ? mark / tick + side.sign * (away + 4) : mark / tick - side.sign * away
    let lowest = (quote.bandLow.units + tick - 1) / tick
    let highest = quote.bandHigh.units / tick
    return Price(units: min(max(ticks, max(1, lowest)), max(1, highest)) * tick)
  }

  /// Remembers what now rests, from the answer to the action with these operations.
  mutating func learn(_ nonce: UInt64, _ operations: [Operation], _ results: [ActionReply.Result], _ quotes: [Quote]) {
    let first = quotes.first?.instrument.id
    for (index, (operation, result)) in zip(operations, results).enumerated() where operation.kind == .new {
      guard result.outcome == .resting, let side = operation.side, first != nil,
        let place = quotes.firstIndex(where: { $0.instrument.id == operation.instrument })
      else { continue }
      open.append(OpenOrder(nonce: nonce, index: UInt16(index), instrument: place, side: side))
    }
  }

  /// Forgets an order that ended otherwise: filled while resting, expired, recalled.
  mutating func forget(_ nonce: UInt64, _ index: UInt16) {
    guard let place = open.firstIndex(where: { $0.nonce == nonce && $0.index == index }) else { return }
    open.swapAt(place, open.count - 1)
    open.removeLast()
  }
}
