import Bytes

/// One account's side of a trade, or another cash flow that its shard computed. Both sides of a trade are two fills.
///
/// Applying it: the account's position in `instrument` moves by `lots`, its ledger in the instrument's settlement
/// currency by `cash − fee`, and the house's ledger by `+fee`.
public struct Fill: StreamMessage, Hashable, BitwiseCopyable {
  public static let kind = MessageKind.fill
  public static let byteCount = 69

  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// A user's resting order was hit.
    case maker = 0
    /// A user's incoming order.
    case taker = 1
    /// The aggregator's `Liquidate`, on the account it acts upon.
    case liquidation = 2
    /// Cash settlement at expiry; closes the position.
    case settlement = 3
    /// The house's share of a rounding residue; `lots` is zero.
    case residue = 4
    /// Funding of a perpetual; `lots` is zero.
    case funding = 5
    /// A transfer by deleveraging.
    case transfer = 6
    /// True where the account's own signed order is the reason.
    public var needsSignature: Bool { self == .maker || self == .taker }
  }

  /// Counts this shard's fills from 1, without gaps.
  public var number: UInt64
  public var kind: Kind
  public var instrument: InstrumentID
  /// The order filled; for machine kinds only its account means anything.
  public var order: OrderID
  /// Positive bought, negative sold.
  public var lots: Lots
  public var price: Price
  /// Movement of the account's ledger before the fee.
  public var cash: Money
  /// Taken from the account and given to the house; never negative.
  public var fee: Money
  /// The account's cumulative charge U in this shard after this fill, in USD.
  public var consumed: Money

  public var account: AccountID { order.account }

  public init(
    number: UInt64, kind: Kind, instrument: InstrumentID, order: OrderID, lots: Lots, price: Price, cash: Money,
    fee: Money, consumed: Money
  ) {
    self.number = number
    self.kind = kind
    self.instrument = instrument
    self.order = order
    self.lots = lots
    self.price = price
    self.cash = cash
    self.fee = fee
    self.consumed = consumed
  }

  public func write(to writer: inout ByteWriter) {
    writer.u64(number)
    writer.u8(kind.rawValue)
    instrument.write(to: &writer)
    order.write(to: &writer)
    lots.write(to: &writer)
    price.write(to: &writer)
    cash.write(to: &writer)
    fee.write(to: &writer)
    consumed.write(to: &writer)
  }

  public init(from reader: inout ByteReader) {
    number = reader.u64()
    kind = reader.enumeration(Kind.self, otherwise: .maker)
    instrument = InstrumentID(from: &reader)
    order = OrderID(from: &reader)
    lots = Lots(from: &reader)
    price = Price(from: &reader)
    cash = Money(from: &reader)
    fee = Money(from: &reader)
    consumed = Money(from: &reader)
  }
}
