import Bytes
import Market

/// How many decimals each currency's token has on the settlement layer.
///
/// Amounts are 1e-8 of the currency everywhere else. In a withdrawal's data they stand in the token's smallest unit,
/// amount · 10^decimals / 10^8, and only exact conversions are allowed: 0.00000001 USDC cannot be withdrawn from a
/// token
/// of 6 decimals.
public struct NativeDecimals: Sendable, Hashable {
  /// USDC's, the token of currency 0.
  public static let dollar: UInt8 = 6
  /// What a token has unless it says otherwise (ERC-20's custom).
  public static let coin: UInt8 = 18
  /// Most decimals for which every amount fits 128 bits.
  public static let maximum: UInt8 = 24

  private var exceptions: [Currency: UInt8] = [:]

  /// The dollar's token has 6 decimals, every other 18.
  public init() {}

  public subscript(currency: Currency) -> UInt8 {
    get { exceptions[currency] ?? (currency == .usd ? Self.dollar : Self.coin) }
    set {
      precondition(newValue <= Self.maximum, "a token has at most 24 decimals")
      exceptions[currency] = newValue
    }
  }

  /// `amount` in the token's smallest unit.
  public func native(_ amount: Money, of currency: Currency) throws(SigningError) -> UInt128 {
    guard amount.units > 0 else { throw .field(name: "amount", value: "\(amount)", rule: "must be positive") }
    let units = UInt128(amount.units)
    let decimals = self[currency]
    if decimals >= Self.ownDecimals { return units * Self.power(decimals - Self.ownDecimals) }
    let (quotient, remainder) = units.quotientAndRemainder(dividingBy: Self.power(Self.ownDecimals - decimals))
    guard remainder == 0 else {
      throw .field(name: "amount", value: "\(amount)", rule: "must have at most the token's \(decimals) decimals")
    }
    return quotient
  }

  /// The amount that `native` smallest units of the token are.
  public func amount(_ native: UInt128, of currency: Currency) throws(SigningError) -> Money {
    let decimals = self[currency]
    var units = native
    var isExact = true
    var overflow = false
    if decimals >= Self.ownDecimals {
      let (quotient, remainder) = native.quotientAndRemainder(dividingBy: Self.power(decimals - Self.ownDecimals))
      units = quotient
      isExact = remainder == 0
    } else {
      (units, overflow) = native.multipliedReportingOverflow(by: Self.power(Self.ownDecimals - decimals))
    }
    guard isExact else {
      throw .field(name: "amount", value: "\(native) (in 1e-\(decimals))", rule: "must be a multiple of 1e-8")
    }
    guard !overflow, let units = Int64(exactly: units) else {
      throw .field(name: "amount", value: "\(native) (in 1e-\(decimals))", rule: "must be below 2^63 · 1e-8")
    }
    return Money(units: units)
  }

  private static let ownDecimals: UInt8 = 8
  private static func power(_ exponent: UInt8) -> UInt128 {
    (0..<exponent).reduce(1) { product, _ in product * 10 }
  }
}
