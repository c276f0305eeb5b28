import Market

/// What an exposure's margin costs as one of its positions shrinks towards zero: the largest of a few straight lines,
/// hence convex in the lots closed. Exact; in millionths of a USD unit, before the one rounding of the margin.
///
/// ```
/// cost(n) = factor · max(0, max over scenarios of (loss + n · change)) + 1e6 · contingency · short lots left
/// ```
struct ReductionCurve {
  /// Per scenario: the present loss, and what closing one more lot adds to it.
  var losses: [Int128]
  var changes: [Int128]
  var factor: Int128
  /// Contingency that closing one lot frees.
  var freed: Int128
  /// Lots held.
  var size: Int64
  var isLong: Bool

  func cost(at closed: Int64) -> Int128 {
    var worst = Int128(0)
    for lane in losses.indices { worst = max(worst, losses[lane] + Int128(closed) * changes[lane]) }
    return worst * factor - Int128(closed) * freed * 1_000_000
  }

  /// The fewest lots whose closing lowers the margin by `deficit` USD units; if none do, as many as lower it most, and
  /// if none lower it at all, the whole position: a hedge that stands in the way.
  func lots(relieving deficit: Int128) -> Int64 {
    let lowest = lowestPoint()
    guard lowest > 0 else { return size }
    let goal = cost(at: 0) - deficit * 1_000_000 - 999_999
    guard cost(at: lowest) <= goal else { return lowest }
    var low: Int64 = 1
    var high = lowest
    while low < high {
      let middle = low + (high - low) / 2
      if cost(at: middle) <= goal { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The first point from which on the cost does not fall any more.
  private func lowestPoint() -> Int64 {
    var low: Int64 = 0
    var high = size
    while low < high {
      let middle = low + (high - low) / 2
      if cost(at: middle + 1) < cost(at: middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension RiskBoard {
  /// Scenario profit and loss of a whole exposure, coin balance included, as left in `sums` by `measure`.
  func totals(of underlying: Int, coins: Int128, sums: ScenarioSums) -> [Int128] {
    (0..<quotations[underlying].scenarioCount).map { lane in
      Int128(sums.total(lane)) + (coins == 0 ? 0 : coinProfit(coins, underlying: underlying, lane: lane))
    }
  }

  func reductionCurve(of position: Position, totals: [Int128], factor: UInt32) -> ReductionCurve {
    let id = Int(position.instrument.rawValue)
    let sign: Int128 = position.lots > 0 ? 1 : -1
    return ReductionCurve(
      losses: totals.map { -$0 },
      changes: totals.indices.map { sign * Int128(profitAndLoss[id * scenarioLanes + $0]) },
      factor: Int128(factor), freed: position.lots < 0 ? Int128(contingencies[id]) : 0,
      size: Int64(clamping: position.lots.magnitude), isLong: position.lots > 0)
  }
}
