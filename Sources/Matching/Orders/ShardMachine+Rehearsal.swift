import Market

/// What an account would have come to in a rehearsal.
private struct Rehearsed {
  /// Its position and its ledger.
  var lots: Int64 = 0
  var cash: Int64 = 0
  /// Its reduce-only orders: their lots, and the newest that may be left.
  var reducingLots: Int64 = 0
  var newestReducing: Slot = 0
  /// What its protection has counted; `nil` where it has none.
  var protection: Protection?
  /// Protection has tripped.
  var areQuotesOut = false

  /// Whether position and ledger would stay within their range.
  func hasRoom(_ lots: Int64, _ cash: Int64, _ contract: Contract) -> Bool {
    (self.lots &+ lots).magnitude <= UInt64(contract.largestPosition)
      && (self.cash &+ cash).magnitude <= UInt64(Contract.largestSum)
  }
  mutating func move(_ lots: Int64, _ cash: Int64) {
    self.lots &+= lots
    self.cash &+= cash
  }
}

// Fill or kill and minimum quantities: trading is rehearsed before anything is done.
extension ShardMachine {
  /// Whether the order would be filled by `wanted` lots if it traded now with the units that are left; why not, if it
  /// would not. Nothing changes but the units that were spent on a refusal.
  mutating func rehearse(_ candidate: Candidate, _ wanted: Int64) -> Outcome? {
    var units = budget
    var refusal: Outcome?
    switch count(candidate, wanted, &units) {
    case .enough: break
    case .refused(let outcome): refusal = outcome
    case .unclear:
      units = budget
      refusal = rehearseInFull(candidate, wanted, &units)
    }
    if refusal != nil { budget = units }
    return refusal
  }

  private enum Count {
    case enough
    case refused(Outcome)
    /// What the order meets does not only depend on what rests.
    case unclear
  }

  /// Counts what rests, as long as no trade could change what comes after it.
  private mutating func count(_ candidate: Candidate, _ wanted: Int64, _ units: inout Int) -> Count {
    let book = candidate.book
    let opposite = candidate.side.opposite
    let side = books.side(book, opposite)
    let limit = Int32(bitPattern: BookSide.rank(opposite, candidate.tick))
    let group = accounts[candidate.accountSlot].group
    let contract = books[book].contract
    let currency = books[book].currency
    let ownPosition = positionSlot(candidate.accountSlot, book)
    let ownLots = ownPosition == 0 ? 0 : positions[ownPosition].lots.magnitude
    if ownPosition != 0, positions[ownPosition].reducingLots != 0 { return .unclear }
    if ownLots + candidate.lots.magnitude > UInt64(contract.largestPosition) { return .unclear }
    var room = Contract.largestSum - max(0, ledger[Self.houseSlot, currency])
    room = min(room, Contract.largestSum - Int64(ledger[candidate.accountSlot, currency].magnitude))
    // More than any account's ledger can have moved by.
    var moved: Int64 = 0
    var filled: Int64 = 0
    var left = candidate.lots
    var rank = side.pointee.best
    while rank >= limit {
      let price = BookSide.tick(opposite, UInt32(bitPattern: rank)) &* contract.tickSize
      var slot = side.pointee.level(UInt32(bitPattern: rank)).pointee.first
      while slot != 0 {
        let order = orders[slot]
        slot = order.next
        if units == 0 { return .refused(.tooManyFills) }
        units -= 1
        if isOut(order) { continue }
        if accounts[order.accountSlot].group == group {
          if candidate.mode.endsTaker { return .refused(Self.refusal(units)) }
          if candidate.mode == .decrement { left -= min(left, order.lots) }
        } else {
          let position = positionSlot(order.accountSlot, book)
          let lots = min(left, order.lots)
          if order.isIceberg || order.isQuote && accounts[order.accountSlot].protection != 0
            || position != 0 && positions[position].reducingLots != 0
          {
            return .unclear
          }
          guard let notional = contract.notional(lots, at: price), notional <= Contract.largestAmount,
            let makerFee = Contract.share(notional, perMillion: parameters.makerFee),
            let takerFee = Contract.share(notional, perMillion: parameters.takerFee),
            makerFee <= Contract.largestAmount, takerFee <= Contract.largestAmount
          else { return .unclear }
          let (sum, overflow) = moved.addingReportingOverflow(notional + makerFee + takerFee)
          let makerLots = position == 0 ? 0 : positions[position].lots.magnitude
          if overflow || sum > room
            || sum > Contract.largestSum - Int64(ledger[order.accountSlot, currency].magnitude)
            || makerLots + candidate.lots.magnitude > UInt64(contract.largestPosition)
          {
            return .unclear
          }
          moved = sum
          left -= lots
          filled += lots
          if filled >= wanted { return .enough }
        }
        if left == 0 { return .refused(Self.refusal(units)) }
      }
      rank = side.pointee.highest(below: UInt32(bitPattern: rank))
    }
    return .refused(side.pointee.best < limit ? .notFillable : Self.refusal(units))
  }

  /// Why an order is refused that so many units are left to.
  private static func refusal(_ units: Int) -> Outcome { units == 0 ? .tooManyFills : .notFillable }

  private mutating func standing(_ account: Slot, _ book: Int) -> Rehearsed {
    var maker = Rehearsed(cash: ledger[account, books[book].currency])
    let position = positionSlot(account, book)
    if position != 0 {
      maker.lots = positions[position].lots
      maker.reducingLots = positions[position].reducingLots
      maker.newestReducing = positions[position].newestReducing
    }
    let protection = accounts[account].protection
    if protection != 0 {
      dropOldFills(protection)
      maker.protection = protections[protection]
    }
    return maker
  }

  /// Goes through every trade in turn and keeps account of what each would change.
  private mutating func rehearseInFull(
    _ candidate: Candidate, _ wanted: Int64, _ units: inout Int
  ) -> Outcome? {
    let book = candidate.book
    let opposite = candidate.side.opposite
    let side = books.side(book, opposite)
    let limit = Int32(bitPattern: BookSide.rank(opposite, candidate.tick))
    let group = accounts[candidate.accountSlot].group
    let contract = books[book].contract
    var taker = standing(candidate.accountSlot, book)
    var house = ledger[Self.houseSlot, books[book].currency]
    var makers: [Slot: Rehearsed] = [:]
    /// Lots left of reduce-only orders that are not what they were.
    var reduced: [Slot: Int64] = [:]
    if candidate.replaced != 0, orders[candidate.replaced].isReduceOnly {
      reduced[candidate.replaced] = 0
      taker.reducingLots -= orders[candidate.replaced].lots
    }
    var filled: Int64 = 0
    var left = candidate.lots
    var rank = side.pointee.best
    while rank >= limit {
      let price = BookSide.tick(opposite, UInt32(bitPattern: rank)) &* contract.tickSize
      var next = side.pointee.level(UInt32(bitPattern: rank)).pointee.first
      // Icebergs come again, behind all others of the price.
      var slices: [(slot: Slot, shown: Int64, hidden: Int64)] = []
      var slice = 0
      while next != 0 || slice < slices.count {
        let slot = next != 0 ? next : slices[slice].slot
        let order = orders[slot]
        var shown = order.lots
        var hidden: Int64 = 0
        if next != 0 {
          next = order.next
          if order.isIceberg { hidden = extras[order.extra].hidden }
        } else {
          (shown, hidden) = (slices[slice].shown, slices[slice].hidden)
          slice += 1
        }
        if order.isReduceOnly, let rest = reduced[slot] {
          if rest == 0 { continue }
          shown = rest
        }
        if units == 0 { return .tooManyFills }
        units -= 1
        if isOut(order) || order.isQuote && makers[order.accountSlot]?.areQuotesOut == true { continue }
        if accounts[order.accountSlot].group == group {
          if candidate.mode == .decrement { left -= min(left, shown) }
          if candidate.mode.endsTaker || left == 0 { return Self.refusal(units) }
          continue
        }
        let lots = min(left, shown)
        guard let notional = contract.notional(lots, at: price),
          let makerFee = Contract.share(notional, perMillion: parameters.makerFee),
          let takerFee = Contract.share(notional, perMillion: parameters.takerFee)
        else { return Self.refusal(units) }
        let signed = candidate.side == .buy ? lots : -lots
        let toBuyer = contract.settlement == .inverse ? notional : -notional
        let cash = candidate.side == .buy ? toBuyer : -toBuyer
        if !taker.hasRoom(signed, cash - takerFee, contract) || house > Contract.largestSum - makerFee - takerFee {
          return Self.refusal(units)
        }
        var maker = makers[order.accountSlot] ?? standing(order.accountSlot, book)
        if !maker.hasRoom(-signed, -cash - makerFee, contract) {
          // It leaves the book instead.
          if order.isReduceOnly {
            reduced[slot] = 0
            maker.reducingLots -= shown
          }
          makers[order.accountSlot] = maker
          continue
        }
        maker.move(-signed, -cash - makerFee)
        taker.move(signed, cash - takerFee)
        house += makerFee + takerFee
        filled += lots
        left -= lots
        if filled >= wanted { return nil }
        if order.isReduceOnly {
          reduced[slot] = shown - lots
          maker.reducingLots -= lots
        }
        if left == 0 {
          // Decrements have taken the rest.
          trim(&maker, &reduced, &units)
          trim(&taker, &reduced, &units)
          return Self.refusal(units)
        }
        // Lots are left, so the maker's were not enough.
        if hidden != 0 {
          let display = min(extras[order.extra].display, hidden)
          slices.append((slot, display, hidden - display))
        }
        if order.isQuote, maker.protection != nil {
          let fill = protectionFill(book, -signed, notional)
          maker.areQuotesOut = fill.map { maker.protection?.count($0, shardsOfUnderlying) ?? false } ?? true
        }
        trim(&maker, &reduced, &units)
        trim(&taker, &reduced, &units)
        makers[order.accountSlot] = maker
      }
      rank = side.pointee.highest(below: UInt32(bitPattern: rank))
    }
    return side.pointee.best < limit ? .notFillable : Self.refusal(units)
  }

  /// What `trimReducing` would do, as far as there are units: without any, what comes after does not matter.
  private mutating func trim(_ maker: inout Rehearsed, _ reduced: inout [Slot: Int64], _ units: inout Int) {
    while maker.newestReducing != 0, units > 0 {
      let extra = extras[maker.newestReducing]
      let rest = reduced[extra.order] ?? orders[extra.order].lots
      let closable = max(0, orders[extra.order].side == .sell ? maker.lots : -maker.lots)
      let excess = maker.reducingLots - closable
      if rest != 0 {
        if excess <= 0 { return }
        units -= 1
        reduced[extra.order] = max(0, rest - excess)
        maker.reducingLots -= min(rest, excess)
        if rest > excess { return }
      }
      maker.newestReducing = extra.olderAlike
    }
  }
}
