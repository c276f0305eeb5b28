import Market

/// Where an account stands at the marks in force, in USD units.
public struct Standing: Sendable, Hashable, BitwiseCopyable {
  public var equity: Money
  public var initialMargin: Money
  public var maintenanceMargin: Money

  /// Equity less initial margin; negative in deficit.
  public var free: Money { equity - initialMargin }
  public var isBelowMaintenance: Bool { equity < maintenanceMargin }
}

extension RiskBoard {
  /// Measures one exposure: scenario sums per expiry bucket, summed within the underlying with the coin balance, and
  /// the worst of them. The bucket sums stay in `sums` for whoever wants to see them.
  func measure(_ exposure: inout Exposure, of underlying: Int, coins balance: Int128, sums: inout ScenarioSums) {
    exposure.isStale = false
    exposure.isMeasurable = false
    exposure.worstLoss = 0
    exposure.contingency = 0
    exposure.values.removeAll(keepingCapacity: true)
    let quotation = quotations[underlying]
    sums.clear(buckets: quotation.expiries.count)
    if exposure.positions.isEmpty && balance == 0 {
      exposure.isMeasurable = true
      return
    }
    guard quotation.version > 0, balance.bounded != nil else { return }
    var bound: UInt64 = 0
    var contingency = Int128(0)
    if !exposure.positions.isEmpty {
      exposure.values.append(contentsOf: repeatElement(0, count: definition.currencies.count))
    }
    for position in exposure.positions {
      let id = Int(position.instrument.rawValue)
      let (magnitude, tooLarge) = position.lots.magnitude.multipliedReportingOverflow(by: largest[id])
      let (sum, overflow) = bound.addingReportingOverflow(magnitude)
      guard marks[id] >= 0, !tooLarge, !overflow, sum <= RiskLimits.scenarioSum else { return }
      bound = sum
      let currency = Int(definition.instruments[id].settlementCurrency.rawValue)
      guard
        let value = definition.instruments[id].positionValue(Lots(position.lots), at: Price(units: marks[id])),
        let worth = exposure.values[currency].boundedSum(value.units)
      else { return }
      exposure.values[currency] = worth
      if position.lots < 0 { contingency -= Int128(position.lots) * Int128(contingencies[id]) }
      sums.add(position.lots, of: id, from: profitAndLoss, to: buckets[id])
    }
    guard let boundedContingency = contingency.bounded else { return }
    exposure.contingency = boundedContingency
    var worst = Int128(0)
    for lane in 0..<quotation.scenarioCount {
      var profit = Int128(sums.total(lane))
      if balance != 0 { profit += coinProfit(balance, underlying: underlying, lane: lane) }
      worst = min(worst, profit)
    }
    guard let worstLoss = (-worst).bounded else { return }
    exposure.worstLoss = worstLoss
    exposure.isMeasurable = true
  }

  /// USD profit of a coin balance in one scenario, rounded down.
  func coinProfit(_ balance: Int128, underlying: Int, lane: Int) -> Int128 {
    (balance * Int128(coins[underlying * scenarioLanes + lane])).flooredQuotient(by: Int128(fixedPointScale))
  }

  /// Equity and margins of an account; measures what is stale. `nil` when a mark or an index is missing or a sum leaves
  /// its bounds.
  func standing(of account: inout Account, sums: inout ScenarioSums) -> Standing? {
    var loss = Int128(0)
    var contingency = Int128(0)
    for underlying in quotations.indices {
      if account.exposures[underlying].isStale {
        let coins = coinBalance(of: account, in: underlying)
        measure(&account.exposures[underlying], of: underlying, coins: coins, sums: &sums)
      }
      guard account.exposures[underlying].isMeasurable else { return nil }
      loss += Int128(account.exposures[underlying].worstLoss)
      contingency += Int128(account.exposures[underlying].contingency)
    }
    var equity = Int128(0)
    var haircut = Int128(0)
    for currency in definition.currencies.indices {
      var net = Int128(account.ledger[currency])
      for underlying in quotations.indices where !account.exposures[underlying].values.isEmpty {
        net += Int128(account.exposures[underlying].values[currency])
      }
      if net == 0 { continue }
      let index = index(of: currency)
      guard index > 0, net.bounded != nil else { return nil }
      equity += (net * Int128(index)).flooredQuotient(by: Int128(fixedPointScale))
      if net > 0 { haircut += self.haircut(net, currency: currency, index: index) }
    }
    let parameters = definition.parameters
    let fixed = contingency + haircut
    let initial = MarginRule.margin(forLoss: loss, factor: parameters.initialMarginFactor) + fixed
    let maintenance = MarginRule.margin(forLoss: loss, factor: parameters.maintenanceMarginFactor) + fixed
    guard let equity = equity.bounded, let initial = initial.bounded, let maintenance = maintenance.bounded else {
      return nil
    }
    return Standing(
      equity: Money(units: equity), initialMargin: Money(units: initial), maintenanceMargin: Money(units: maintenance))
  }

  /// What margin does not count of a positive net balance, in USD units, rounded up.
  private func haircut(_ net: Int128, currency: Int, index: Int64) -> Int128 {
    let weight = Int128(min(definition.currencies[currency].collateralWeight, 1_000_000))
    if weight == 1_000_000 { return 0 }
    let value = (net * Int128(index)).ceiledQuotient(by: Int128(fixedPointScale))
    return (value * (1_000_000 - weight)).ceiledQuotient(by: 1_000_000)
  }

  /// The account's ledgers in coins of the underlying, summed.
  func coinBalance(of account: borrowing Account, in underlying: Int) -> Int128 {
    var balance = Int128(0)
    for currency in definition.currencies.indices {
      if let coin = definition.currencies[currency].underlying, Int(coin.rawValue) == underlying {
        balance += Int128(account.ledger[currency])
      }
    }
    return balance
  }
}
