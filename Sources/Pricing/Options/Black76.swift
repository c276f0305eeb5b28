import Glibc

/// A European option on a forward, by Black (1976).
///
/// With total deviation s = σ√T, d₁ = ln(F/K)/s + s/2 and d₂ = d₁ − s:
/// call = D·(F·N(d₁) − K·N(d₂)), put = D·(K·N(−d₂) − F·N(−d₁)).
///
/// When s is zero (no volatility or no time), or forward or strike is zero, every figure is its exact limit. Years
/// have 365 days.
public struct Black76: Sendable, Hashable {
  public enum Right: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case call = 0
    case put = 1
  }

  /// Seconds of a year: 365 days.
  public static let secondsPerYear = 31_536_000.0

  public let right: Right
  /// Price of the underlying for delivery at expiry, in USD.
  public let forward: Double
  /// In USD.
  public let strike: Double
  /// Annual; 1 is 100 %.
  public let volatility: Double
  /// Time to expiry.
  public let years: Double
  /// Present value of one dollar paid at expiry.
  public let discount: Double

  private let deviation: Double
  private let d1: Double

  /// `nil` unless every number is finite, the discount positive, and the others not negative.
  public init?(
    _ right: Right, forward: Double, strike: Double, volatility: Double, years: Double, discount: Double = 1
  ) {
    guard forward.isFinite, strike.isFinite, volatility.isFinite, years.isFinite, discount.isFinite,
      forward >= 0, strike >= 0, volatility >= 0, years >= 0, discount > 0
    else { return nil }
    self.right = right
    self.forward = forward
    self.strike = strike
    self.volatility = volatility
    self.years = years
    self.discount = discount
    deviation = volatility * years.squareRoot()
    guard deviation.isFinite else { return nil }
    d1 =
      forward > 0 && strike > 0 && deviation > 0 ? log(forward / strike) / deviation + 0.5 * deviation : .nan
  }

  /// Whether the outcome is certain, or nothing is left to be uncertain about.
  private var isLimit: Bool { d1.isNaN || d1.isInfinite }
  private var d2: Double { d1 - deviation }

  /// Worth at expiry if the underlying ends at the forward, discounted to now.
  public var discountedIntrinsic: Double {
    discount * (right == .call ? max(0, forward - strike) : max(0, strike - forward))
  }

  /// Present value in USD; never negative.
  public var price: Double {
    if isLimit { return discountedIntrinsic }
    let value =
      right == .call
      ? forward * NormalDistribution.cumulative(d1) - strike * NormalDistribution.cumulative(d2)
      : strike * NormalDistribution.cumulative(-d2) - forward * NormalDistribution.cumulative(-d1)
    return discount * max(0, value)
  }

  /// Present value in coins, as inverse (coin-settled) options are quoted: the USD price over the forward. `nil` when
  /// the forward is zero.
  public var coinPrice: Double? { forward > 0 ? price / forward : nil }

  /// ∂price/∂forward. At the money without uncertainty it is the mean of both sides.
  public var delta: Double {
    guard isLimit else {
      return discount
        * (right == .call ? NormalDistribution.cumulative(d1) : -NormalDistribution.cumulative(-d1))
    }
    let call = forward > strike ? 1.0 : forward < strike ? 0.0 : 0.5
    return discount * (right == .call ? call : call - 1)
  }

  /// ∂²price/∂forward²; zero in the limits.
  public var gamma: Double {
    isLimit ? 0 : discount * NormalDistribution.density(d1) / (forward * deviation)
  }

  /// ∂price/∂volatility, per 1.00 of volatility.
  public var vega: Double {
    if isLimit {
      // Only at the money does the first hint of volatility count at once.
      guard volatility == 0, forward == strike else { return 0 }
      return discount * forward * NormalDistribution.density(0) * years.squareRoot()
    }
    return discount * forward * NormalDistribution.density(d1) * years.squareRoot()
  }

  /// ∂price/∂time per year, the rate being that of the discount factor; negative where time takes value away.
  public var theta: Double {
    guard years > 0 else { return 0 }
    let interest = -log(discount) / years * price
    if isLimit { return interest }
    return interest
      - discount * forward * NormalDistribution.density(d1) * volatility / (2 * years.squareRoot())
  }
}
