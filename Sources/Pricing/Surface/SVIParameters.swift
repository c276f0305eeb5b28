import Glibc

/// The raw SVI form of one expiry's smile: total variance w(k) = a + b·(ρ(k − m) + √((k − m)² + σ²)) at
/// log-moneyness k = ln(K/F). Gatheral, "A parsimonious arbitrage-free implied volatility parameterization", 2004.
public struct SVIParameters: Sendable, Hashable {
  public var a: Double
  public var b: Double
  public var rho: Double
  public var m: Double
  public var sigma: Double
  /// The time to expiry for which the parameters were fitted; volatility is √(w / referenceYears) until refitted.
  public var referenceYears: Double

  /// Highest total variance; beyond it an option is worth its forward or strike anyway.
  static let varianceCap = 144.0

  /// Refuses what is not a smile: b < 0, |ρ| ≥ 1, σ ≤ 0, a variance that would be negative somewhere, or wings
  /// steeper than b(1 + |ρ|) = 4.
  public init(
    a: Double, b: Double, rho: Double, m: Double, sigma: Double, referenceYears: Double
  ) throws(PricingRefusal) {
    try PricingRefusal.require(a, in: -100...100, "svi.a")
    try PricingRefusal.require(b, in: 0...4, "svi.b")
    try PricingRefusal.require(rho, in: -0.999_999...0.999_999, "svi.rho")
    try PricingRefusal.require(m, in: -10...10, "svi.m")
    try PricingRefusal.require(sigma, in: 1e-8...100, "svi.sigma")
    try PricingRefusal.require(referenceYears, in: 1e-8...100, "svi.reference_years")
    let lowest = a + b * sigma * (1 - rho * rho).squareRoot()
    guard lowest > 0 else {
      throw PricingRefusal(
        field: "svi.a", value: "\(a)", rule: "a + b·σ·√(1 − ρ²), the lowest total variance, must be positive")
    }
    guard b * (1 + abs(rho)) <= 4 else {
      throw PricingRefusal(field: "svi.b", value: "\(b)", rule: "b·(1 + |ρ|) must not exceed 4")
    }
    self.a = a
    self.b = b
    self.rho = rho
    self.m = m
    self.sigma = sigma
    self.referenceYears = referenceYears
  }

  /// Annual volatility at log-moneyness `k`, flat beyond ±4·√(a + bσ).
  public func volatility(logMoneyness: Double) -> Double {
    let bound = 4 * max(0, a + b * sigma).squareRoot()
    let x = min(bound, max(-bound, logMoneyness)) - m
    let variance = a + b * (rho * x + (x * x + sigma * sigma).squareRoot())
    return (min(Self.varianceCap, variance) / referenceYears).squareRoot()
  }
}
