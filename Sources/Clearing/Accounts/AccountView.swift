import Bytes
import Market

/// One account as edges show it, at the marks in force.
public struct AccountView: Sendable, Hashable {
  /// One shard's ceiling as the aggregator counts it, in USD.
  public struct Credit: Sendable, Hashable {
    public var shard: ShardID
    /// The highest ceiling that may be in force there.
    public var ceiling: Money
    /// U: the cumulative charge there, as last stated.
    public var consumed: Money
    /// What may still be charged there: an open grant's charge included.
    public var outstanding: Money
  }
  public struct Holding: Sendable, Hashable {
    public var instrument: InstrumentID
    public var lots: Lots
  }

  public var account: AccountID
  public var owner: Address
  /// The trading group, named by one of its accounts: orders of one group never trade with each other.
  public var group: AccountID
  /// By currency.
  public var ledger: [Money]
  /// In order of underlying, then of instrument.
  public var positions: [Holding]
  /// `nil` while a mark or an index is missing.
  public var standing: Standing?
  /// By shard; empty for the house.
  public var credit: [Credit]
  /// Withdrawals that wait, in USD; `nil` while an index is missing.
  public var pendingWithdrawals: Money?
  /// Orders that wait for a recall.
  public var heldOrders: Int
  /// Being liquidated: its orders are refused.
  public var isFrozen: Bool
}

/// The market as one line.
public struct RiskTotals: Sendable, Hashable {
  /// The house included.
  public var accounts: Int
  /// Σ equity in USD over the accounts that can be measured, the house included.
  public var equity: Money
  public var underLiquidation: Int
  /// Accounts for which a mark or an index is missing.
  public var unmeasurable: Int
  public var isHalted: Bool
}

/// What one account makes or loses in each scenario of one underlying, in USD.
public struct ScenarioProfile: Sendable, Hashable {
  public struct Bucket: Sendable, Hashable {
    /// `.never` for what has no expiry.
    public var expiry: Timestamp
    public var profitAndLoss: [Money]
  }
  public var underlying: UnderlyingID
  /// Only those with something in them.
  public var buckets: [Bucket]
  /// The coin balance's own.
  public var coins: [Money]
  public var total: [Money]
}

extension RiskMachine {
  /// `nil` for an account that was never opened.
  public borrowing func view(of id: AccountID) -> AccountView? {
    book.slot(of: id).map { view(slot: $0) }
  }

  /// Every account in order of opening, the house first.
  ///
  /// - Complexity: O(accounts × positions).
  public borrowing func allViews() -> [AccountView] { (0..<book.count).map { view(slot: $0) } }

  private borrowing func view(slot: Int) -> AccountView {
    var account = book[slot]
    var sums = ScenarioSums()
    let standing = board.standing(of: &account, sums: &sums)
    return AccountView(
      account: account.id, owner: account.owner, group: account.group, ledger: account.ledger.map { Money(units: $0) },
      positions: account.exposures.flatMap { exposure in
        exposure.positions.map { .init(instrument: $0.instrument, lots: Lots($0.lots)) }
      },
      standing: standing,
      credit: account.lines.enumerated().map { shard, line in
        let granted = account.grant.map { Int($0.shard.rawValue) == shard ? $0.charge : 0 } ?? 0
        return .init(
          shard: ShardID(UInt16(shard)), ceiling: Money(units: line.highest), consumed: Money(units: line.consumed),
          outstanding: Money(units: line.outstanding + granted))
      },
      pendingWithdrawals: pendingWithdrawals(of: slot).map { Money(units: Int64(clamping: $0)) },
      heldOrders: account.held.count, isFrozen: account.isFrozen)
  }

  /// - Complexity: O(accounts × positions).
  public borrowing func totals() -> RiskTotals {
    var totals = RiskTotals(
      accounts: book.count, equity: .zero, underLiquidation: 0, unmeasurable: 0, isHalted: finality.isHalted)
    var equity = Int128(0)
    var sums = ScenarioSums()
    for slot in 0..<book.count {
      var account = book[slot]
      if account.isFrozen { totals.underLiquidation += 1 }
      if let standing = board.standing(of: &account, sums: &sums) {
        equity += Int128(standing.equity.units)
      } else {
        totals.unmeasurable += 1
      }
    }
    totals.equity = Money(units: Int64(clamping: equity))
    return totals
  }

  /// The account's profit and loss by underlying, expiry and scenario; underlyings that cannot be measured are left
  /// out.
  public borrowing func scenarios(of id: AccountID) -> [ScenarioProfile] {
    guard let slot = book.slot(of: id) else { return [] }
    var sums = ScenarioSums()
    var profiles: [ScenarioProfile] = []
    for underlying in board.quotations.indices {
      var exposure = book[slot].exposures[underlying]
      let balance = board.coinBalance(of: book[slot], in: underlying)
      board.measure(&exposure, of: underlying, coins: balance, sums: &sums)
      guard exposure.isMeasurable, !exposure.positions.isEmpty || balance != 0 else { continue }
      let quotation = board.quotations[underlying]
      let lanes = 0..<quotation.scenarioCount
      let buckets = quotation.expiries.indices.map { bucket in
        ScenarioProfile.Bucket(
          expiry: quotation.expiries[bucket],
          profitAndLoss: lanes.map { Money(units: sums.values[bucket * scenarioLanes + $0]) })
      }
      let coins = lanes.map { board.coinProfit(balance, underlying: underlying, lane: $0) }
      profiles.append(
        ScenarioProfile(
          underlying: UnderlyingID(UInt8(underlying)),
          buckets: buckets.filter { $0.profitAndLoss.contains { $0 != .zero } },
          coins: coins.map { Money(units: Int64(clamping: $0)) },
          total: lanes.map { Money(units: Int64(clamping: Int128(sums.total($0)) + coins[$0])) }))
    }
    return profiles
  }

  /// Of the shards: number of the last fill consumed from each, for the check of positions.
  public var consumedFills: [UInt64] { fillNumbers }
  /// By currency: what the vault holds by our own account, Σ deposits − Σ withdrawals granted.
  public var vaultHoldings: [Money] { ledgers.vault.map { Money(units: $0) } }
}
