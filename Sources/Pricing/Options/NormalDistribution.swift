import Glibc

/// The standard normal distribution.
enum NormalDistribution {
  /// Probability of a value below `x`. By erfc, so that the lower tail keeps its relative accuracy.
  @inline(__always) static func cumulative(_ x: Double) -> Double { 0.5 * erfc(-x * 0.707_106_781_186_547_5) }

  /// Density at `x`.
  @inline(__always) static func density(_ x: Double) -> Double { 0.398_942_280_401_432_7 * exp(-0.5 * x * x) }
}
