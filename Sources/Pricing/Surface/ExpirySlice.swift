import Glibc
import Market

/// What is known of one expiry: how its forward stands to the index, and its smile.
public struct ExpirySlice: Sendable, Hashable {
  public enum Smile: Sendable, Hashable {
    case svi(SVIParameters)
    case points(SmilePoints)
  }
  /// Annual carry that is believed.
  public static let carries = -10.0...10.0

  public let expiry: Timestamp
  /// Annual: the forward is index · exp(carry · years).
  public let carry: Double
  public let smile: Smile

  public init(expiry: Timestamp, carry: Double, smile: Smile) throws(PricingRefusal) {
    try PricingRefusal.require(carry, in: Self.carries, "carry")
    guard expiry > .zero, expiry < .never else {
      throw PricingRefusal(field: "expiry", value: "\(expiry)", rule: "must be a time after 1970")
    }
    self.expiry = expiry
    self.carry = carry
    self.smile = smile
  }

  /// Annual volatility of an option of this expiry at `strike`, when the forward is `forward`.
  public func volatility(strike: Double, forward: Double) -> Double {
    switch smile {
    case .svi(let parameters): parameters.volatility(logMoneyness: log(strike / forward))
    case .points(let points): points.volatility(strike: strike, forward: forward)
    }
  }

  /// Years from `now` to this expiry; zero once it has passed.
  func years(from now: Timestamp) -> Double { now.years(until: expiry) }
}

extension Timestamp {
  /// Years of 365 days from here to `later`; zero if that is not later.
  func years(until later: Timestamp) -> Double {
    later > self ? Double(later.nanoseconds &- nanoseconds) / 1e9 / Black76.secondsPerYear : 0
  }
}
