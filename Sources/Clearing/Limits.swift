/// Bounds that keep every sum of the aggregator inside 64 bits. What would leave them is refused, never wrapped.
public enum RiskLimits {
  /// Largest magnitude of a ledger, of a position's quantity, and of an account's equity or margin: 2^61 units, about
  /// 23 billion. Two of them add up without overflow.
  public static let amount: Int64 = 1 << 61
  /// Largest magnitude of one exposure's scenario sum.
  public static let scenarioSum: UInt64 = 1 << 61
  /// Largest stream number that a snapshot may hold.
  public static let streamNumber: UInt64 = 1 << 62
}

/// Numbers of the aggregator's own rules that no other machine shares. Fixed with the code, so that re-execution needs
/// no more than the journal.
public enum RiskPolicy {
  /// Contingency of a short option lot, per million of its notional at the index: what scenarios between the grid's
  /// points can cost.
  public static let shortOptionContingency: Int64 = 5_000
  /// Share of the free equity that is laid out in ceilings before any shard asks, per million.
  public static let laidOutShare: Int64 = 750_000
  /// Ceilings smaller than this are not topped up: 1 USD.
  public static let smallestTopUp: Int64 = 100_000_000
  /// Mark versions that a deficit must last before resting orders are cancelled for it.
  public static let deficitMarksBeforeForce: UInt32 = 2
  /// How long a liquidation waits before it looks again at a silent shard or an empty book, in milliseconds of stamp.
  public static let liquidationRetryMilliseconds: Int64 = 250
}

extension Int64 {
  /// The sum, unless it leaves ±`RiskLimits.amount`.
  func boundedSum(_ other: Int64) -> Int64? {
    let (sum, overflow) = addingReportingOverflow(other)
    return !overflow && sum.magnitude <= UInt64(RiskLimits.amount) ? sum : nil
  }
}

extension Int128 {
  /// The value, unless it leaves ±`RiskLimits.amount`.
  var bounded: Int64? { magnitude <= UInt128(RiskLimits.amount) ? Int64(self) : nil }

  /// ⌊self / divisor⌋ for a positive divisor.
  func flooredQuotient(by divisor: Int128) -> Int128 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
  /// ⌈self / divisor⌉ for a positive divisor.
  func ceiledQuotient(by divisor: Int128) -> Int128 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder > 0 ? quotient + 1 : quotient
  }
}
