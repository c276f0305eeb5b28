/// Which way an order or a fill goes.
public enum Side: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case buy = 0
  case sell = 1
  @inlinable public var opposite: Side { self == .buy ? .sell : .buy }
  /// +1 to buy, −1 to sell.
  @inlinable public var sign: Int64 { self == .buy ? 1 : -1 }
}
