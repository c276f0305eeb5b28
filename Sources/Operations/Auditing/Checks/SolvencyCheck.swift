import Market
import Settlement

/// `solvency`: after each final epoch, what the settlement layer holds and has not granted away, at the committed
/// indices, is at least what the users with positive equity are worth at the committed marks; and each leaf that the
/// epoch rewrote states that worth.
package final class SolvencyCheck {
  package let findings = Findings(.solvency)
  private var market: MarketDefinition
  /// Marks that changed and indices, by epoch, as the coordinator's journal holds them.
  private var committed: [Epoch: (marks: [Commitment.Mark], indices: [Price])] = [:]
  private var marks: [InstrumentID: Price] = [:]
  private var indices: [Price]
  private var holdings: [Int128]
  private var paid: [Int128]

  init(_ market: MarketDefinition) {
    self.market = market
    indices = Array(repeating: .zero, count: market.underlyings.count)
    holdings = Array(repeating: 0, count: market.currencies.count)
    paid = holdings
  }

  /// An instrument that joins the market.
  func list(_ instrument: Instrument) { market.instruments.append(instrument) }

  /// The coordinator's journal holds the aggregator's commitment.
  func journalled(_ commitment: Commitment) {
    committed[commitment.seal.epoch] = (commitment.marks, commitment.indices)
  }

  package func deposited(_ deposit: Deposit) {
    holdings[Int(deposit.currency.rawValue)] += Int128(deposit.amount.units)
  }
  package func paid(_ currency: Currency, _ amount: Money) {
    holdings[Int(currency.rawValue)] -= Int128(amount.units)
    paid[Int(currency.rawValue)] += Int128(amount.units)
    findings.check(
      holdings[Int(currency.rawValue)] >= 0,
      "the settlement layer paid out more \(market.currencies[Int(currency.rawValue)].name) than it was given")
  }

  /// The tree after a final epoch.
  package func final(_ post: EpochPost, _ accounts: [PublishedLeaf]) {
    let epoch = post.header.epoch
    guard let news = committed.removeValue(forKey: epoch) else {
      findings.breach("epoch \(epoch): no commitment states its marks")
      return
    }
    for mark in news.marks { marks[mark.instrument] = mark.price }
    for (underlying, index) in news.indices.enumerated() where index > .zero && underlying < indices.count {
      indices[underlying] = index
    }
    for published in post.changed {
      findings.check(
        equity(of: published) == Int128(published.leaf.equity.units),
        "epoch \(epoch), account \(published.leaf.account): the leaf states an equity of \(published.leaf.equity), the "
          + "committed marks give \(equity(of: published)) units")
    }
    checkHoldings(epoch, accounts)
  }

  private func checkHoldings(_ epoch: Epoch, _ accounts: [PublishedLeaf]) {
    var owed = Int128(0)
    var free = holdings
    for currency in free.indices { free[currency] += paid[currency] }
    for published in accounts {
      for (currency, amount) in published.leaf.withdrawn.enumerated() where currency < free.count {
        free[currency] -= Int128(amount.units)
      }
      if published.leaf.account != .house { owed += max(0, equity(of: published)) }
    }
    var worth = Int128(0)
    for (currency, amount) in free.enumerated() { worth += amount * Int128(rate(currency).units) }
    worth = Self.dividedDown(worth)
    findings.check(
      worth >= owed, "epoch \(epoch): users are worth \(owed) USD units, the settlement layer holds \(worth) for them")
  }

  /// Σ over currencies of (ledger + position value) × index, in USD units, rounded down at the end.
  private func equity(of published: PublishedLeaf) -> Int128 {
    var values = published.leaf.ledger.map { Int128($0.units) }
    for position in published.positions {
      guard let instrument = market[position.instrument], let mark = marks[position.instrument],
        instrument.settlement != .inverse || mark > .zero,
        let value = instrument.positionValue(position.lots, at: mark)
      else { continue }
      values[Int(instrument.settlementCurrency.rawValue)] += Int128(value.units)
    }
    return Self.dividedDown(
      values.enumerated().reduce(Int128(0)) { $0 + $1.element * Int128(rate($1.offset).units) })
  }

  private func rate(_ currency: Int) -> Price {
    guard let underlying = market.currencies[currency].underlying else { return Price(whole: 1) }
    return indices[Int(underlying.rawValue)]
  }

  private static func dividedDown(_ value: Int128) -> Int128 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: Int128(fixedPointScale))
    return remainder < 0 ? quotient - 1 : quotient
  }
}
