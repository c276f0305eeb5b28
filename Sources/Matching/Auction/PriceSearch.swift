import Market

/// What a call auction comes to.
struct Uncrossing: BitwiseCopyable {
  var tick: Int64
  /// Lots that can trade at that price, and lots bid less lots offered there.
  var volume: Int64
  var imbalance: Int64
}

/// How far the search for an auction's price has come. It goes from the best bid downwards and from the best ask
/// upwards and matches level with level, until those that are left do not cross: what was matched is the most that can
/// trade, and every price between the last levels that took part lets it.
struct PriceSearch: BitwiseCopyable {
  /// Ticks of the last levels looked at; −1 before the first.
  var bid: Int64 = -1
  var ask: Int64 = -1
  /// Lots of these that are not matched; never of both while they cross.
  var bidRest: Int64 = 0
  var askRest: Int64 = 0
  /// Lots matched, at most what 64 bits hold.
  var volume: Int64 = 0
  /// Ticks of the last levels that took part; −1 before the first.
  var lowestBid: Int64 = -1
  var highestAsk: Int64 = -1

  /// Takes a level that was looked at.
  mutating func take(_ side: Side, _ tick: Int64, _ lots: Int64) {
    if side == .buy { (bid, bidRest) = (tick, lots) } else { (ask, askRest) = (tick, lots) }
    if bid < ask || bidRest == 0 || askRest == 0 { return }
    let lots = min(bidRest, askRest)
    bidRest -= lots
    askRest -= lots
    let (sum, overflow) = volume.addingReportingOverflow(lots)
    volume = overflow ? .max : sum
    (lowestBid, highestAsk) = (bid, ask)
  }
}

extension ShardMachine {
  /// Looks at levels, one for each of `units`, as long as they may matter; false if the units did not suffice.
  mutating func look(_ search: inout PriceSearch, _ book: Int, _ units: inout Int) -> Bool {
    if search.bid < 0 && search.ask < 0, !isCrossed(book) { return true }
    while true {
      if search.bid >= 0, search.ask >= 0, search.bid < search.ask { return true }
      let side: Side = search.bidRest == 0 ? .buy : .sell
      guard let level = level(book, side, beyond: side == .buy ? search.bid : search.ask) else { return true }
      if units == 0 { return false }
      units -= 1
      search.take(side, level.tick, level.lots)
    }
  }

  /// The price of what a search has found: the most volume, then the least imbalance, then the nearest to the
  /// reference, then the lowest; `nil` where nothing crosses. Levels that were not looked at count unless the search
  /// broke off.
  mutating func price(_ search: PriceSearch, _ book: Int, isWhole: Bool) -> Uncrossing? {
    if search.volume == 0 { return nil }
    // Every price of this range lets the most trade. The best levels that are left do not cross, so that between them
    // nothing is left over, from the bid down to the next one only the bid is, and from the ask up only the ask.
    let low = search.highestAsk - 1
    let high = search.lowestBid + 1
    func left(_ side: Side, _ tick: Int64, _ rest: Int64) -> (tick: Int64, lots: Int64)? {
      rest > 0 ? (tick, rest) : isWhole ? level(book, side, beyond: tick) : nil
    }
    let bid = left(.buy, search.bid, search.bidRest)
    let ask = left(.sell, search.ask, search.askRest)
    if let tick = nearest(book, above: max(low, bid?.tick ?? -1), below: min(high, ask?.tick ?? .max)) {
      return Uncrossing(tick: tick, volume: search.volume, imbalance: 0)
    }
    var best: Uncrossing?
    if let bid {
      let next = isWhole ? level(book, .buy, beyond: bid.tick)?.tick ?? -1 : -1
      if let tick = nearest(book, above: max(low, next), below: min(high, bid.tick + 1)) {
        best = Uncrossing(tick: tick, volume: search.volume, imbalance: bid.lots)
      }
    }
    if let ask {
      let next = isWhole ? level(book, .sell, beyond: ask.tick)?.tick ?? .max : .max
      if let tick = nearest(book, above: max(low, ask.tick - 1), below: min(high, next)) {
        let candidate = Uncrossing(tick: tick, volume: search.volume, imbalance: -ask.lots)
        guard let bids = best else { return candidate }
        let (mine, theirs) = (distance(tick, book), distance(bids.tick, book))
        // The bid's lies lower.
        if ask.lots < bids.imbalance || ask.lots == bids.imbalance && mine < theirs { best = candidate }
      }
    }
    return best
  }

  /// Whether the best bid is at or above the best ask.
  mutating func isCrossed(_ book: Int) -> Bool {
    guard let bid = level(book, .buy, beyond: -1), let ask = level(book, .sell, beyond: -1) else { return false }
    return bid.tick >= ask.tick
  }

  /// The side's best level behind that tick, of all if it is −1, with its lots, hidden ones included.
  private mutating func level(_ book: Int, _ side: Side, beyond tick: Int64) -> (tick: Int64, lots: Int64)? {
    let handle = books.side(book, side)
    let rank = tick < 0 ? handle.pointee.best : handle.pointee.highest(below: BookSide.rank(side, tick))
    if rank < 0 { return nil }
    let place = UInt32(bitPattern: rank)
    var lots = handle.pointee.lots(place)
    if books[book].hiddenLots != 0 { lots += hiddenAtLevel[hiddenKey(book, side, place)] ?? 0 }
    return (BookSide.tick(side, place), lots)
  }

  private func hiddenKey(_ book: Int, _ side: Side, _ rank: UInt32) -> UInt64 {
    UInt64(book) << 33 | UInt64(side.rawValue) << 32 | UInt64(rank)
  }

  /// Lots of an order have been hidden, or shown or dropped where negative.
  mutating func hide(_ lots: Int64, of order: RestingOrder) {
    books[Int(order.book)].hiddenLots += lots
    let key = hiddenKey(Int(order.book), order.side, order.rank)
    let after = (hiddenAtLevel[key] ?? 0) + lots
    hiddenAtLevel[key] = after == 0 ? nil : after
  }

  /// What prices are to be near to.
  private func reference(_ book: Int) -> Int64 {
    let hasMark = marksVersion != 0 && books[book].marksVersion == marksVersion
    return hasMark ? books[book].mark : sourceValue(2, book) ?? 0
  }
  private func distance(_ tick: Int64, _ book: Int) -> UInt128 {
    (Int128(tick) * Int128(books[book].contract.tickSize) - Int128(reference(book))).magnitude
  }

  /// The valid tick strictly between two that is nearest to the reference, the lower one of two.
  private mutating func nearest(_ book: Int, above low: Int64, below high: Int64) -> Int64? {
    if high - low < 2 { return nil }
    let wanted = min(max(reference(book) / books[book].contract.tickSize, low), high)
    var best: Int64?
    for start in [
      validTick(wanted, rising: false, book), validTick(wanted + 1, rising: true, book),
      validTick(low + 1, rising: true, book), validTick(high - 1, rising: false, book),
    ] {
      guard let tick = start, tick > low, tick < high else { continue }
      guard let leader = best else {
        best = tick
        continue
      }
      let (mine, theirs) = (distance(tick, book), distance(leader, book))
      if mine < theirs || mine == theirs && tick < leader { best = tick }
    }
    return best
  }
}
