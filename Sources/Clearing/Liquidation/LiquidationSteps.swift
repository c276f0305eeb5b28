import Machine
import Market

extension RiskMachine {
  /// Measures a frozen account again: releases it, or sends the next reducing order.
  mutating func proceed(_ slot: Int, into output: inout OutputBuffer) {
    guard let liquidation = book[slot].liquidation, liquidation.isBehindBarrier, liquidation.step == nil else { return }
    guard book[slot].hasPositions else {
      release(slot, into: &output)
      return
    }
    guard let standing = standing(of: slot) else { return }
    if standing.free >= .zero {
      release(slot, into: &output)
      return
    }
    guard let reduction = nextReduction(slot, standing, liquidation) else {
      // Everything was tried in vain: begin anew when the timer fires.
      if !liquidation.barren.isEmpty { book.change(slot) { $0.liquidation?.barren.removeAll() } }
      return
    }
    lastStep += 1
    let step = Liquidation.Step(number: lastStep, instrument: reduction.instrument)
    book.change(slot) { $0.liquidation?.step = step }
    let order = Liquidate(
      account: book[slot].id, id: liquidation.id, step: lastStep, instrument: reduction.instrument,
      lots: Lots(reduction.lots), limit: Price(units: reduction.limit))
    output.send(order, to: machine(shard(of: reduction.instrument)), &streams)
  }

  /// True when the shard has not tried the step: its book is not open to it at present.
  private static func isPostponed(_ outcome: Outcome) -> Bool {
    switch outcome {
    case .busy, .instrumentHalted, .inAuction, .riskSilent, .marksSilent: true
    default: false
    }
  }

  /// How a step ended, perhaps many inputs after it was sent. Its fills came before it on the same stream.
  mutating func consume(_ result: LiquidationResult, from shard: Int, into output: inout OutputBuffer) -> Bool {
    guard let slot = book.slot(of: result.account), let step = book[slot].liquidation?.step,
      step.number == result.step, self.shard(of: step.instrument) == shard
    else { return false }
    let hasFilled = result.filled != .zero
    let isPostponed = !hasFilled && Self.isPostponed(result.outcome)
    book.change(slot) { account in
      account.liquidation?.step = nil
      if hasFilled {
        account.liquidation?.barren.removeAll()
      } else if isPostponed {
        account.liquidation?.postponed.append(step.instrument)
      } else if !(account.liquidation?.barren.contains(step.instrument) ?? true) {
        account.liquidation?.barren.append(step.instrument)
      }
    }
    // What could not be filled waits for the timer, and so does what could not be tried; but what else lowers the
    // margin need not wait for that. Deposits may have healed the account meanwhile.
    if hasFilled || isPostponed || isHealed(slot) { proceed(slot, into: &output) }
    return true
  }

  private mutating func isHealed(_ slot: Int) -> Bool {
    guard book[slot].hasPositions else { return true }
    guard let standing = standing(of: slot) else { return false }
    return standing.free >= .zero
  }

  /// A deposit in the midst of a liquidation: released at once, unless an order is under way.
  mutating func reconsiderFrozen(_ slot: Int, into output: inout OutputBuffer) {
    if book[slot].liquidation?.isBehindBarrier == true && isHealed(slot) { proceed(slot, into: &output) }
  }

  /// The position to reduce next: among those that can trade now and whose book was not just found empty, the one whose
  /// closing lowers the maintenance margin most (ties: the lower instrument). While others wait for their books, no
  /// position is closed that lowers nothing: it may be their hedge.
  private mutating func nextReduction(
    _ slot: Int, _ standing: Standing, _ liquidation: Liquidation
  ) -> (instrument: InstrumentID, lots: Int64, limit: Int64)? {
    var best: (instrument: InstrumentID, relief: Int128)?
    var sizing: ReductionCurve?
    for underlying in board.quotations.indices where !book[slot].exposures[underlying].positions.isEmpty {
      let coins = board.coinBalance(of: book[slot], in: underlying)
      board.measure(&book[measuring: slot].exposures[underlying], of: underlying, coins: coins, sums: &sums)
      let exposure = book[slot].exposures[underlying]
      guard exposure.isMeasurable else { continue }
      let totals = board.totals(of: underlying, coins: coins, sums: sums)
      for position in exposure.positions {
        let instrument = board.definition.instruments[Int(position.instrument.rawValue)]
        guard instrument.expiry > now, isAlive(Int(instrument.shard.rawValue)),
          !liquidation.barren.contains(position.instrument), !liquidation.postponed.contains(position.instrument)
        else { continue }
        let curve = board.reductionCurve(of: position, totals: totals, factor: parameters.maintenanceMarginFactor)
        let relief = curve.cost(at: 0) - curve.cost(at: curve.size)
        if best.map({ relief > $0.relief }) ?? (relief > 0 || liquidation.postponed.isEmpty) {
          best = (position.instrument, relief)
          sizing = board.reductionCurve(of: position, totals: totals, factor: parameters.initialMarginFactor)
        }
      }
    }
    guard let best, let sizing else { return nil }
    let instrument = board.definition.instruments[Int(best.instrument.rawValue)]
    let deficit = Int128(standing.initialMargin.units) - Int128(standing.equity.units)
    let lots = min(sizing.lots(relieving: deficit), instrument.maximumOrder.count)
    let signed = sizing.isLong ? -lots : lots
    return (best.instrument, signed, limit(of: instrument, isBuy: signed > 0))
  }

  /// The mark plus or minus the band, on the tick, at least one tick. For options quoted in coin the band is in coin.
  private func limit(of instrument: Instrument, isBuy: Bool) -> Int64 {
    let mark = Int128(max(0, board.marks[Int(instrument.id.rawValue)]))
    let index =
      instrument.settlement == .coin
      ? fixedPointScale : board.quotations[Int(instrument.underlying.rawValue)].index
    let band = Int128(index) * Int128(parameters.liquidationBand) / 1_000_000
    let tick = Int128(instrument.tickSize.units)
    let ticks = isBuy ? (mark + band).flooredQuotient(by: tick) : (mark - band).ceiledQuotient(by: tick)
    return Int64(clamping: min(max(1, ticks) * tick, Int128(Int64.max) / tick * tick))
  }
}
