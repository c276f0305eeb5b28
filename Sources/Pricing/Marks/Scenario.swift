import Glibc

/// One point of the risk grid: where the price goes, which way volatility goes, how much of the outcome counts.
public struct Scenario: Sendable, Hashable {
  public enum VolatilityShock: UInt8, Sendable, BitwiseCopyable {
    case none = 0
    case up = 1
    case down = 2
  }
  /// Factor on index and forward; 1 leaves them.
  public var priceFactor: Double
  public var volatility: VolatilityShock
  /// Part of the profit or loss that counts; below 1 for tails too unlikely to be held against in full.
  public var damping: Double
  public init(priceFactor: Double, volatility: VolatilityShock, damping: Double = 1) {
    self.priceFactor = priceFactor
    self.volatility = volatility
    self.damping = damping
  }
  /// Nothing moves: its profit is zero, so that no portfolio's worst loss is negative.
  public static let unmoved = Scenario(priceFactor: 1, volatility: .none)
  /// Whether neither price nor volatility moves.
  var isUnmoved: Bool { priceFactor == 1 && volatility == .none }
}

/// How far the volatility of an expiry is shocked, as in Derive's PMRM_2: by 1 + up·(30d/max(dte, 1d))^p or
/// 1 − down·(30d/max(dte, 1d))^p, p being `shortTermPower` up to 30 days and `longTermPower` beyond.
public struct VolatilityShocks: Sendable, Hashable {
  public var up = 0.5
  public var down = 0.275
  public var shortTermPower = 0.30
  public var longTermPower = 0.13
  /// Days to expiry count as at least this many.
  public var shortestDays = 1.0
  /// A volatility shocked up is at least this.
  public var leastShockedUp = 0.45
  public init() {}

  /// The volatility that takes the place of `volatility` when `days` are left.
  public func shocked(_ volatility: Double, _ shock: Scenario.VolatilityShock, days: Double) -> Double {
    guard shock != .none else { return volatility }
    let scale = pow(30 / max(days, shortestDays), days <= 30 ? shortTermPower : longTermPower)
    return shock == .up
      ? max(leastShockedUp, volatility * (1 + up * scale)) : volatility * max(0, 1 - down * scale)
  }
}
