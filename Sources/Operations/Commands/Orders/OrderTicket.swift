import Cluster
import Market

/// An order as a trader asks for it, checked against its instrument before anything is signed.
public struct OrderTicket: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case limit, market
    case stopLimit = "stop-limit"
    case stopMarket = "stop-market"
    case takeProfitLimit = "take-profit-limit"
    case takeProfitMarket = "take-profit-market"
    case trailingStop = "trailing-stop"

    var type: Market.Operation.OrderType {
      switch self {
      case .limit: .limit
      case .market: .market
      case .stopLimit: .stopLimit
      case .stopMarket: .stopMarket
      case .takeProfitLimit: .takeProfitLimit
      case .takeProfitMarket: .takeProfitMarket
      case .trailingStop: .trailingStop
      }
    }
    /// Whether it has a price of its own.
    var hasLimit: Bool { self == .limit || self == .stopLimit || self == .takeProfitLimit }
    /// Whether it waits for a trigger.
    var isStop: Bool { self != .limit && self != .market }
  }
  public enum Validity: String, Sendable, CaseIterable {
    case gtc, ioc, fok, day, gtd
  }
  public enum Trigger: String, Sendable, CaseIterable {
    case mark, index, last
    var source: Market.Operation.TriggerSource { self == .mark ? .mark : self == .index ? .index : .last }
  }
  public enum SelfTrade: String, Sendable, CaseIterable {
    case taker, maker, both, decrement
    var mode: Market.Operation.SelfTradePrevention {
      switch self {
      case .taker: .cancelTaker
      case .maker: .cancelMaker
      case .both: .cancelBoth
      case .decrement: .decrement
      }
    }
  }

  public var account: AccountID
  public var instrument: String
  public var side: Side
  public var quantity: Quantity
  public var price: Price?
  public var kind = Kind.limit
  public var triggerPrice: Price?
  public var trigger: Trigger?
  /// Distance of a trailing stop.
  public var trail: Price?
  public var validity = Validity.gtc
  /// Seconds from now, for `gtd`.
  public var expiresSeconds: UInt32?
  public var isPostOnly = false
  public var isSliding = false
  public var isReduceOnly = false
  public var display: Quantity?
  public var minimum: Quantity?
  public var selfTrade: SelfTrade?
  public var label: UInt32?
  public var clientID: UInt64?
  public var isCancelledOnDisconnect = false

  public init(account: AccountID, instrument: String, side: Side, quantity: Quantity) {
    self.account = account
    self.instrument = instrument
    self.side = side
    self.quantity = quantity
  }

  /// The operation to sign, on the instrument's tick and lot.
  public func operation(on listed: Instrument) throws(CommandMistake) -> Market.Operation {
    try validate()
    try listed.check(quantity, "--quantity")
    if let price { try listed.check(price, "--price") }
    if let display { try listed.checkPart(display, of: quantity, "--display") }
    if let minimum { try listed.checkPart(minimum, of: quantity, "--minimum") }
    return Market.Operation(
      kind: .new, side: side, type: kind.type, timeInForce: timeInForce, flags: flags, instrument: listed.id,
      price: price ?? .zero, quantity: quantity, targetNonce: clientID ?? 0,
      expiry: try expiresSeconds.map { seconds throws(CommandMistake) in try Self.date(in: seconds) } ?? 0,
      label: label ?? 0, selfTradePrevention: selfTrade?.mode ?? .unspecified,
      triggerSource: trigger?.source ?? .mark, triggerPrice: trail ?? triggerPrice ?? .zero,
      displayQuantity: display ?? minimum ?? .zero)
  }

  private var timeInForce: Market.Operation.TimeInForce {
    switch validity {
    case .gtc: .goodTillCancelled
    case .ioc: .immediateOrCancel
    case .fok: .fillOrKill
    case .day: .day
    case .gtd: .goodTillDate
    }
  }

  private var flags: Market.Operation.Flags {
    var flags: Market.Operation.Flags = []
    if isPostOnly { flags.insert(.postOnly) }
    if isSliding { flags.insert(.slide) }
    if isReduceOnly { flags.insert(.reduceOnly) }
    if minimum != nil { flags.insert(.minimumQuantity) }
    if isCancelledOnDisconnect { flags.insert(.cancelOnDisconnect) }
    return flags
  }

  /// Unix seconds so long from now.
  static func date(in seconds: UInt32) throws(CommandMistake) -> UInt32 {
    guard seconds > 0, let date = UInt32(exactly: MachineClock.wall().seconds + Int64(seconds)) else {
      throw CommandMistake("--expires \(seconds): it must be from 1 second on, and end before 2106")
    }
    return date
  }
}
