import Machine
import Market

// Market-maker protection, dead-man timers, kill switches.
extension NaiveEngine {
  mutating func setProtection(_ ticket: NaiveTicket) -> NaiveAnswer {
    let operation = ticket.operation
    let isBlank = operation.isBlank {
      $0.quantity = .zero
      $0.price = .zero
      $0.triggerPrice = .zero
      $0.targetNonce = 0
    }
    let limits = [operation.quantity.units, operation.price.units, operation.triggerPrice.units]
    let window = operation.targetNonce & 0xFFFF_FFFF
    if !isBlank || limits.contains(where: { $0 < 0 }) || window == 0 && limits.contains(where: { $0 != 0 }) {
      return NaiveAnswer(outcome: .unsupportedCombination)
    }
    accounts[ticket.account].quantityLimit = limits[0]
    accounts[ticket.account].deltaLimit = limits[1]
    accounts[ticket.account].vegaLimit = limits[2]
    accounts[ticket.account].protectionTimes = operation.targetNonce
    accounts[ticket.account].entries = []
    return NaiveAnswer(outcome: .applied)
  }

  mutating func resetProtection(_ ticket: NaiveTicket) -> NaiveAnswer {
    if !ticket.operation.isBlank(butFor: { _ in }) { return NaiveAnswer(outcome: .unsupportedCombination) }
    accounts[ticket.account].protectionFrozenUntil = .zero
    accounts[ticket.account].entries = []
    return NaiveAnswer(outcome: .applied)
  }

  /// Enters a quote's fill as maker into its account's window, and trips if a share is exceeded.
  mutating func count(_ maker: NaiveOrder, _ lots: Int64, at price: Int64, into output: inout OutputBuffer) {
    let account = accounts[maker.account]
    let book = books[maker.book]
    if account.quantityLimit == 0 && account.deltaLimit == 0 && account.vegaLimit == 0 { return }
    let window = Int64(account.protectionTimes & 0xFFFF_FFFF) * 1_000_000
    let signed = Int128(maker.side.sign) * Int128(lots)
    let coins =
      book.instrument.settlement == .inverse
      ? notional(lots, at: price, maker.book).map { Int128($0) } ?? Int128(Int64.max)
      : Int128(lots) * Int128(book.instrument.lotSize.units)
    var entries = account.entries.filter { $0.stamp.nanoseconds > now.nanoseconds - window }
    let quantity = entries.reduce(coins) { $0 + Int128($1.quantity) }
    let delta = entries.reduce(signed * Int128(book.delta)) { $0 + Int128($1.delta) }
    let vega = entries.reduce(signed * Int128(book.vega)) { $0 + Int128($1.vega) }
    func exceeds(_ sum: Int128, _ limit: Int64) -> Bool {
      if sum > Int128(Int64.max) || sum < Int128(Int64.min) { return true }
      let shards = Int128(max(1, hostingShards))
      let share = (Int128(limit) + shards - 1) / shards
      return limit != 0 && sum.magnitude > UInt128(share)
    }
    if exceeds(quantity, account.quantityLimit) || exceeds(delta, account.deltaLimit)
      || exceeds(vega, account.vegaLimit)
    {
      let freeze = account.protectionTimes >> 32
      let until = freeze == 0 ? .never : now + .milliseconds(Int64(freeze))
      accounts[maker.account].protectionFrozenUntil = until
      takeOut(maker.account)
      return output.send(
        ProtectionTripped(account: account.id, underlying: book.instrument.underlying, until: until), to: .risk,
        &streams)
    }
    entries.append(
      NaiveEntry(
        stamp: now, quantity: Int64(clamping: coins), delta: Int64(clamping: signed * Int128(book.delta)),
        vega: Int64(clamping: signed * Int128(book.vega))))
    accounts[maker.account].entries = entries
  }

  mutating func take(_ freeze: ProtectionFreeze) {
    if freeze.account == .house { return }
    let account = account(freeze.account)
    accounts[account].protectionFrozenUntil = max(accounts[account].protectionFrozenUntil, freeze.until)
    takeOut(account)
  }

  /// The account's quotes are out from now on; a job removes them.
  private mutating func takeOut(_ account: Int) {
    accounts[account].entries = []
    for place in orders.indices where orders[place].account == account && orders[place].isQuote {
      orders[place].isOut = true
    }
    start(NaiveJob(kind: .protection, account: account, arrival: arrivals))
  }

  mutating func setDeadMan(_ ticket: NaiveTicket) -> NaiveAnswer {
    let length = ticket.operation.targetNonce
    if !ticket.operation.isBlank(butFor: { $0.targetNonce = 0 }) {
      return NaiveAnswer(outcome: .unsupportedCombination)
    }
    let isBounded = length != 0 && length <= UInt64(Int64.max / 1_000_000)
    accounts[ticket.account].deadMan = isBounded ? now + .milliseconds(Int64(length)) : .never
    return NaiveAnswer(outcome: .applied)
  }

  mutating func setKillSwitch(_ ticket: NaiveTicket, into output: inout OutputBuffer) -> NaiveAnswer {
    let operation = ticket.operation
    let isHouse = ticket.account == 0
    let isBlank = operation.isBlank {
      $0.rawType = 0
      if isHouse { $0.targetNonce = 0 }
    }
    if !isBlank || operation.rawType > 1 { return NaiveAnswer(outcome: .unsupportedCombination) }
    var account = ticket.account
    if isHouse {
      guard let named = accounts.firstIndex(where: { UInt64($0.id.rawValue) == operation.targetNonce }) else {
        return NaiveAnswer(outcome: .unknownAccount)
      }
      account = named
    }
    let isHouses = accounts[account].killSwitch == .byHouse
    if operation.rawType == 0 {
      if isHouses && !isHouse { return NaiveAnswer(outcome: .notAuthorised) }
      accounts[account].killSwitch = .off
      return NaiveAnswer(outcome: .applied)
    }
    accounts[account].killSwitch = isHouse || isHouses ? .byHouse : .byAccount
    _ = endWaiting(account, .cancelledByKillSwitch, into: &output)
    start(NaiveJob(kind: .killSwitch, account: account, arrival: arrivals))
    return NaiveAnswer(outcome: .applied)
  }
}
