import Market

/// What a call auction comes to.
struct Uncrossing: BitwiseCopyable {
  var tick: Int64
  /// Lots that can trade at that price, and lots bid less lots offered there.
  var volume: Int128
  var imbalance: Int128
}

extension ShardMachine {
  /// The price of the book's auction as its orders stand: the most volume, then the least imbalance, then the nearest
  /// to the reference, then the lowest; `nil` where nothing crosses.
  mutating func uncrossing(_ book: Int) -> Uncrossing? {
    let bids = crossing(book, .buy)
    let asks = crossing(book, .sell)
    if bids.isEmpty || asks.isEmpty { return nil }
    let tickSize = books[book].contract.tickSize
    let hasMark = marksVersion != 0 && books[book].marksVersion == marksVersion
    let reference = hasMark ? books[book].mark : sourceValue(2, book) ?? 0
    var demand = bids.reduce(0 as Int128) { $0 + $1.lots }
    var supply: Int128 = 0
    var best: Uncrossing?
    func consider(_ tick: Int64) {
      let candidate = Uncrossing(tick: tick, volume: min(demand, supply), imbalance: demand - supply)
      guard let leader = best else {
        best = candidate
        return
      }
      if candidate.volume != leader.volume {
        if candidate.volume > leader.volume { best = candidate }
      } else if candidate.imbalance.magnitude != leader.imbalance.magnitude {
        if candidate.imbalance.magnitude < leader.imbalance.magnitude { best = candidate }
      } else if (Int128(tick) * Int128(tickSize) - Int128(reference)).magnitude
        < (Int128(leader.tick) * Int128(tickSize) - Int128(reference)).magnitude
      {
        best = candidate
      }
    }
    // Both ascend; bids lie best first.
    var bid = bids.count - 1
    var ask = 0
    while bid >= 0 {
      let tick = ask < asks.count ? min(bids[bid].tick, asks[ask].tick) : bids[bid].tick
      if ask < asks.count, asks[ask].tick == tick {
        supply += asks[ask].lots
        ask += 1
      }
      // Bids below the lowest ask trade at no price.
      if supply > 0 { consider(tick) }
      if bids[bid].tick == tick {
        demand -= bids[bid].lots
        bid -= 1
      }
      // Between two levels every price comes to the same, so only the nearest to the reference matters.
      let next = min(bid >= 0 ? bids[bid].tick : tick, ask < asks.count ? asks[ask].tick : .max)
      if supply > 0, next > tick + 1, let between = nearest(reference, above: tick, below: next, book) {
        consider(between)
      }
    }
    return best
  }

  /// The side's levels that cross the other side, best first.
  private mutating func crossing(_ book: Int, _ side: Side) -> [(tick: Int64, lots: Int128)] {
    let own = books.side(book, side)
    let other = books.side(book, side.opposite)
    if own.pointee.best < 0 || other.pointee.best < 0 { return [] }
    let limit = Int32(bitPattern: BookSide.rank(side, BookSide.tick(side.opposite, UInt32(other.pointee.best))))
    var levels: [(tick: Int64, lots: Int128)] = []
    var rank = own.pointee.best
    while rank >= limit {
      let level = own.pointee.level(UInt32(rank))
      var lots = Int128(level.pointee.lots)
      if books[book].hiddenLots != 0 {
        var slot = level.pointee.first
        while slot != 0 {
          if orders[slot].isIceberg { lots += Int128(extras[orders[slot].extra].hidden) }
          slot = orders[slot].next
        }
      }
      levels.append((BookSide.tick(side, UInt32(rank)), lots))
      rank = own.pointee.highest(below: UInt32(rank))
    }
    return levels
  }

  /// The valid tick strictly between two that is nearest to a price, the lower one of two.
  private mutating func nearest(_ price: Int64, above low: Int64, below high: Int64, _ book: Int) -> Int64? {
    let tickSize = books[book].contract.tickSize
    let wanted = min(max(price / tickSize, low), high)
    var best: Int64?
    for start in [
      validTick(wanted, rising: false, book), validTick(wanted + 1, rising: true, book),
      validTick(low + 1, rising: true, book), validTick(high - 1, rising: false, book),
    ] {
      guard let tick = start, tick > low, tick < high else { continue }
      let distance = (Int128(tick) * Int128(tickSize) - Int128(price)).magnitude
      let leader = best.map { (Int128($0) * Int128(tickSize) - Int128(price)).magnitude }
      if leader.map({ distance < $0 || distance == $0 && tick < best! }) ?? true { best = tick }
    }
    return best
  }
}
