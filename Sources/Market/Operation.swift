import Bytes

/// One operation of a signed action, 64 bytes little-endian, in memory as on the wire:
///
/// ```
///  0 kind u8 │ 1 side u8 │ 2 type u8 │ 3 time in force u8 │ 4 flags u16 │ 6 self-trade u8 │ 7 trigger source u8
///  8 instrument u32 │ 12 target index u16 │ 14 zero u16
/// 16 price i64 │ 24 quantity i64 │ 32 target nonce, or client id of a new order u64 │ 40 trigger price i64
/// 48 display (or minimum) quantity i64 │ 56 expiry u32 (unix seconds) │ 60 client label u32
/// ```
///
/// What each kind means by these fields, and what it wants to be zero, stands in the article *Rules of a shard*.
///
/// The bytes are what a batch's Merkle leaf hashes, so they are kept as signed, valid or not; a machine reads the typed
/// views and refuses what they do not know.
@frozen public struct Operation: Sendable, BitwiseCopyable, Hashable {
  public static let byteCount = 64

  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// A new order.
    case new = 1
    /// Cancel the target and place anew under the same id: loses priority.
    case replace = 2
    /// Reduce the target's open quantity to `quantity`: keeps priority.
    case amend = 3
    /// Cancel the target.
    case cancel = 4
    /// Cancel every order of the account in `instrument`, or in the shard if `instrument` is `allInstruments`; the type
    /// byte (`Scope`) and the flags `byLabel` and `quote` narrow it.
    case cancelAll = 5
    /// Withdraw collateral (only in a withdrawal action, read through `Withdrawal`).
    case withdraw = 6
    /// Replace the account's two-sided quote in `instrument`: `price` and `quantity` bid, `triggerPrice` and
    /// `displayQuantity` ask; a quantity of zero leaves that side empty.
    case quote = 7
    /// Set the account's market-maker protection: `quantity`, `price` (delta) and `triggerPrice` (vega) are limits, the
    /// low half of `targetNonce` the window and its high half the freeze, in milliseconds. All limits zero: none.
    case protection = 8
    /// Let the account quote again before the freeze of its protection has ended.
    case resetProtection = 9
    /// Cancel all of the account's orders `targetNonce` milliseconds from now, unless sent again; zero disarms.
    case deadMan = 10
    /// Cancel all of the account's orders and refuse new ones (type byte 1), or accept them again (0). From the house,
    /// `targetNonce` names the account.
    case killSwitch = 11
    /// From the house only: put `instrument`, or all of the shard, into the `TradingState` of the type byte; an auction
    /// lasts `targetNonce` milliseconds.
    case tradingState = 12
  }

  /// Which kinds of instruments a cancel-all is about.
  public enum Scope: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case everything = 0
    case perpetuals = 1
    case futures = 2
    case options = 3
    case calls = 4
    case puts = 5
  }

  /// What happens when an order meets one of its own trading group; the incoming order's choice counts.
  public enum SelfTradePrevention: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// As `cancelTaker`.
    case unspecified = 0
    /// What is left of the incoming order is cancelled.
    case cancelTaker = 1
    /// The resting order is cancelled, the incoming one goes on.
    case cancelMaker = 2
    case cancelBoth = 3
    /// Both shrink by the smaller one's quantity, without a trade.
    case decrement = 4
  }

  /// The price that a stop watches.
  public enum TriggerSource: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case mark = 0
    case index = 1
    case last = 2
  }

  public enum OrderType: UInt8, Sendable, BitwiseCopyable {
    case limit = 0
    case market = 1
    case stopLimit = 2
    case stopMarket = 3
    case takeProfitLimit = 4
    case takeProfitMarket = 5
    case trailingStop = 6
  }

  public enum TimeInForce: UInt8, Sendable, BitwiseCopyable {
    case goodTillCancelled = 0
    case immediateOrCancel = 1
    case fillOrKill = 2
    case goodTillDate = 3
    case day = 4
  }

  public struct Flags: OptionSet, Sendable, BitwiseCopyable, Hashable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// Refuse rather than take.
    public static let postOnly = Flags(rawValue: 1 << 0)
    /// Only ever bring the position nearer to zero.
    public static let reduceOnly = Flags(rawValue: 1 << 1)
    /// With post-only: slide to the best price that does not cross.
    public static let slide = Flags(rawValue: 1 << 2)
    /// `displayQuantity` is a minimum quantity instead.
    public static let minimumQuantity = Flags(rawValue: 1 << 3)
    /// Cancelled when the session that placed it ends.
    public static let cancelOnDisconnect = Flags(rawValue: 1 << 4)
    /// In a cancel-all: only sides of quotes.
    public static let quote = Flags(rawValue: 1 << 5)
    /// In replace, amend and cancel: `targetNonce` is the client id of the order that is meant.
    public static let byClientID = Flags(rawValue: 1 << 6)
    /// In a cancel-all: only orders that carry `label`.
    public static let byLabel = Flags(rawValue: 1 << 7)
  }

  /// Set in an order's index where it is the ask of a quote, whose bid has the plain index of its operation.
  public static let askIndexBit: UInt16 = 1 << 15

  /// In `instrument` of a cancel-all or a trading state: every instrument of the shard.
  public static let allInstruments = InstrumentID(.max)

  public var rawKind: UInt8
  public var rawSide: UInt8
  public var rawType: UInt8
  public var rawTimeInForce: UInt8
  public var flags: Flags
  public var selfTradePrevention: UInt8
  public var triggerSource: UInt8
  public var instrument: InstrumentID
  public var targetIndex: UInt16
  public var reserved: UInt16
  public var price: Price
  public var quantity: Quantity
  public var targetNonce: UInt64
  public var triggerPrice: Price
  public var displayQuantity: Quantity
  /// Unix seconds; 0 for none.
  public var expiry: UInt32
  /// The client's own mark on the order, for mass cancels; 0 for none.
  public var label: UInt32

  @inlinable public init(
    kind: Kind, side: Side = .buy, type: OrderType = .limit, timeInForce: TimeInForce = .goodTillCancelled,
    flags: Flags = [], instrument: InstrumentID, price: Price = Price(units: 0),
    quantity: Quantity = Quantity(units: 0),
    targetNonce: UInt64 = 0, targetIndex: UInt16 = 0, expiry: UInt32 = 0, label: UInt32 = 0,
    selfTradePrevention: SelfTradePrevention = .unspecified, triggerSource: TriggerSource = .mark,
    triggerPrice: Price = Price(units: 0), displayQuantity: Quantity = Quantity(units: 0)
  ) {
    rawKind = kind.rawValue
    rawSide = side.rawValue
    rawType = type.rawValue
    rawTimeInForce = timeInForce.rawValue
    self.flags = flags
    self.selfTradePrevention = selfTradePrevention.rawValue
    self.triggerSource = triggerSource.rawValue
    self.instrument = instrument
    self.targetIndex = targetIndex
    reserved = 0
    self.price = price
    self.quantity = quantity
    self.targetNonce = targetNonce
    self.triggerPrice = triggerPrice
    self.displayQuantity = displayQuantity
    self.expiry = expiry
    self.label = label
  }

  @inlinable public var kind: Kind? { Kind(rawValue: rawKind) }
  @inlinable public var side: Side? { Side(rawValue: rawSide) }
  @inlinable public var type: OrderType? { OrderType(rawValue: rawType) }
  @inlinable public var timeInForce: TimeInForce? { TimeInForce(rawValue: rawTimeInForce) }
}

extension Operation: ByteCodable {
  public func write(to writer: inout ByteWriter) { withUnsafeBytes(of: self) { writer.bytes($0) } }
  public init(from reader: inout ByteReader) {
    let bytes = reader.bytes(Self.byteCount)
    self =
      bytes.count == Self.byteCount
      ? bytes.loadUnaligned(as: Operation.self) : Operation(kind: .cancel, instrument: InstrumentID(0))
  }
}
