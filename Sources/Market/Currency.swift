import Bytes

/// A collateral currency: its position in the market's list. 0 is always the dollar (USDC), in which equity is stated.
public struct Currency: Identifier {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  public static let usd = Currency(0)
}
