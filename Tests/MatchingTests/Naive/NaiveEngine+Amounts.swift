import Market

// What lots are worth and what they cost.
extension NaiveEngine {
  /// Accumulated ledgers, positions and levels stay within ± this.
  static let largestSum: Int64 = (1 << 62) - 1
  /// Amounts of one order stay within this.
  static let largestAmount: Int64 = 1 << 60

  func largestPosition(_ book: Int) -> Int64 { Self.largestSum / books[book].instrument.lotSize.units }

  /// ⌈amount · rate / 10^6⌉.
  static func share(_ amount: Int64, perMillion rate: UInt32) -> Int64? {
    ExactDivision.ceiling(amount, times: Int64(rate), by: 1_000_000)
  }

  /// ⌊amount · lots / all⌋; the remainder goes with the last lots.
  static func part(of amount: Int64, _ lots: Int64, of all: Int64) -> Int64 {
    lots == all ? amount : Int64(Int128(amount) * Int128(lots) / Int128(all))
  }

  /// An amount of the book's settlement currency in USD at the index, rounded up.
  private func dollars(_ amount: Int64, _ book: Int) -> Int64? {
    if books[book].instrument.settlementCurrency == .usd { return amount }
    return amount == 0 ? 0 : ExactDivision.ceiling(amount, times: index, by: fixedPointScale)
  }

  func notional(_ lots: Int64, at price: Int64, _ book: Int) -> Int64? {
    books[book].instrument.notional(Lots(lots), at: Price(units: price))?.units
  }

  /// How much worse than the mark the limit is, in the settlement currency, rounded up and never negative.
  private func lossToMark(_ side: Side, _ lots: Int64, at price: Int64, _ book: Int) -> Int64? {
    let mark = books[book].mark
    let isWorse = side == .buy ? price > mark : price < mark
    if !isWorse { return 0 }
    guard let quantity = books[book].instrument.quantity(Lots(lots))?.units else { return nil }
    if books[book].instrument.settlement != .inverse {
      return ExactDivision.ceiling(quantity, times: max(price, mark) - min(price, mark), by: fixedPointScale)
    }
    guard let owed = ExactDivision.ceiling(quantity, times: fixedPointScale, by: min(price, mark)),
      let paid = ExactDivision.floor(quantity, times: fixedPointScale, by: max(price, mark))
    else { return nil }
    return max(0, owed - paid)
  }

  /// Stand-alone margin, loss to mark and fee in USD, times the account's multiplier; `nil` out of range.
  func charge(_ candidate: NaiveCandidate, _ account: Int) -> Int64? {
    let book = candidate.book
    let rate = max(parameters.makerFee, parameters.takerFee)
    guard let notional = notional(candidate.lots, at: candidate.price, book), notional <= Self.largestAmount,
      let fee = Self.share(notional, perMillion: rate), fee <= Self.largestAmount,
      let feeDollars = dollars(fee, book),
      let loss = lossToMark(candidate.side, candidate.lots, at: candidate.price, book),
      let lossDollars = dollars(loss, book)
    else { return nil }
    let perLot = candidate.side == .buy ? books[book].marginToBuy : books[book].marginToSell
    // In the order of the sums, because each must fit.
    guard let margin = Int64(exactly: Int128(perLot) * Int128(candidate.lots)),
      let withLoss = Int64(exactly: Int128(margin) + Int128(lossDollars)),
      let total = Int64(exactly: Int128(withLoss) + Int128(feeDollars))
    else { return nil }
    let multiplier = accounts[account].chargeMultiplier
    return multiplier == 1_000_000 ? total : Self.share(total, perMillion: multiplier)
  }

  /// Whether the taker's fee per unit at the limit, USD and rounded up, is one that the signer accepts.
  func isFeeAccepted(_ ticket: NaiveTicket, at price: Int64, _ book: Int) -> Bool {
    if parameters.takerFee == 0 { return true }
    let isInverse = books[book].instrument.settlement == .inverse
    let unit = isInverse ? ExactDivision.ceiling(fixedPointScale, times: fixedPointScale, by: price) : price
    guard let unit, let fee = Self.share(unit, perMillion: parameters.takerFee), let dollars = dollars(fee, book)
    else { return false }
    return dollars <= ticket.maximumFee
  }
}

// Positions and ledgers.
extension NaiveEngine {
  func position(_ account: Int, _ book: Int) -> Int64 {
    positions.first { $0.account == account && $0.book == book }?.lots ?? 0
  }

  func ledger(_ account: Int, _ currency: Currency) -> Int64 {
    ledgers.first { $0.account == account && $0.currency == currency }?.amount ?? 0
  }

  mutating func move(_ account: Int, _ book: Int, lots: Int64) {
    if let place = positions.firstIndex(where: { $0.account == account && $0.book == book }) {
      let before = positions[place].lots
      positions[place].lots += lots
      // One that opens, or changes sides, is the newest.
      if before.signum() != positions[place].lots.signum() { positions.append(positions.remove(at: place)) }
    } else {
      positions.append(NaivePosition(account: account, book: book, lots: lots))
    }
  }

  mutating func move(_ account: Int, _ currency: Currency, cash: Int64) {
    if let place = ledgers.firstIndex(where: { $0.account == account && $0.currency == currency }) {
      ledgers[place].amount += cash
    } else {
      ledgers.append(NaiveLedger(account: account, currency: currency, amount: cash))
    }
  }

  /// Whether position and ledger would stay within their range.
  func hasRoom(_ account: Int, _ book: Int, lots: Int64, cash: Int64) -> Bool {
    let currency = books[book].instrument.settlementCurrency
    let position = Int128(position(account, book)) + Int128(lots)
    let money = Int128(ledger(account, currency)) + Int128(cash)
    return position.magnitude <= UInt128(largestPosition(book)) && money.magnitude <= UInt128(Self.largestSum)
  }
}
