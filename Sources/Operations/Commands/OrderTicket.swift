import Cluster
import Market

/// An order as a trader asks for it, checked against its instrument before anything is signed.
public struct OrderTicket: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case limit, market
  }
  public enum Validity: String, Sendable, CaseIterable {
    case gtc, ioc, fok, day, gtd
  }

  public var account: AccountID
  public var instrument: String
  public var side: Side
  public var quantity: Quantity
  public var price: Price?
  public var kind = Kind.limit
  public var validity = Validity.gtc
  /// Seconds from now, for `gtd`.
  public var expiresSeconds: UInt32?
  public var isPostOnly = false
  public var isReduceOnly = false

  public init(account: AccountID, instrument: String, side: Side, quantity: Quantity) {
    self.account = account
    self.instrument = instrument
    self.side = side
    self.quantity = quantity
  }

  /// Refuses what contradicts itself.
  public func validate() throws(CommandMistake) {
    switch kind {
    case .limit:
      if price == nil { throw CommandMistake("--price is missing: a limit order needs one; or give --type market") }
    case .market:
      if let price { throw CommandMistake("--price \(price): a market order has none; leave it out") }
      if validity == .day || validity == .gtd {
        throw CommandMistake("--tif \(validity.rawValue): a market order never rests; use ioc or fok")
      }
    }
    if isPostOnly, kind == .market || validity == .ioc || validity == .fok {
      let other = kind == .market ? "--type market" : "--tif \(validity.rawValue)"
      throw CommandMistake("--post-only and \(other): a post-only order only rests, the other never does; choose one")
    }
    if validity == .gtd, expiresSeconds == nil {
      throw CommandMistake("--expires is missing: --tif gtd needs the order's life in seconds")
    }
    if let expiresSeconds, validity != .gtd {
      throw CommandMistake("--expires \(expiresSeconds): only an order with --tif gtd has one")
    }
  }

  /// The operation to sign, on the instrument's tick and lot.
  public func operation(on listed: Instrument) throws(CommandMistake) -> Market.Operation {
    try validate()
    try checkQuantity(listed)
    if let price { try Self.checkPrice(price, listed) }
    var flags: Market.Operation.Flags = []
    if isPostOnly { flags.insert(.postOnly) }
    if isReduceOnly { flags.insert(.reduceOnly) }
    let (timeInForce, expiry): (Market.Operation.TimeInForce, UInt32) =
      switch validity {
      case .gtc: (.goodTillCancelled, 0)
      case .ioc: (.immediateOrCancel, 0)
      case .fok: (.fillOrKill, 0)
      case .day: (.day, 0)
      case .gtd: (.goodTillDate, try Self.date(in: expiresSeconds ?? 0))
      }
    return Market.Operation(
      kind: .new, side: side, type: kind == .market ? .market : .limit, timeInForce: timeInForce, flags: flags,
      instrument: listed.id, price: price ?? .zero, quantity: quantity, expiry: expiry)
  }

  private static func date(in seconds: UInt32) throws(CommandMistake) -> UInt32 {
    guard seconds > 0, let date = UInt32(exactly: MachineClock.wall().seconds + Int64(seconds)) else {
      throw CommandMistake("--expires \(seconds): it must be from 1 second on, and end before 2106")
    }
    return date
  }

  static func checkPrice(_ price: Price, _ listed: Instrument) throws(CommandMistake) {
    let lowest: Int64 = listed.settlement == .inverse ? 1 : 0
    let floor = Price(units: lowest * listed.tickSize.units)
    guard price >= floor else { throw CommandMistake("--price \(price): the lowest of \(listed.name) is \(floor)") }
    let below = price.units / listed.tickSize.units * listed.tickSize.units
    guard price.units != below else { return }
    let (above, overflow) = below.addingReportingOverflow(listed.tickSize.units)
    let near = overflow ? "\(Price(units: below))" : "\(Price(units: below)) and \(Price(units: above))"
    throw CommandMistake(
      "--price \(price): off the tick; \(listed.name) trades in ticks of \(listed.tickSize), the nearest are \(near)")
  }

  private func checkQuantity(_ listed: Instrument) throws(CommandMistake) {
    let lot = listed.lotSize
    let most = listed.quantity(listed.maximumOrder) ?? Quantity(units: .max)
    guard quantity.units > 0, quantity <= most else {
      throw CommandMistake("--quantity \(quantity): an order on \(listed.name) is of \(lot) to \(most)")
    }
    let below = quantity.units / lot.units * lot.units
    guard quantity.units != below else { return }
    let (above, overflow) = below.addingReportingOverflow(lot.units)
    let near = [below, overflow ? 0 : above].filter { $0 > 0 }.map { "\(Quantity(units: $0))" }
    throw CommandMistake(
      "--quantity \(quantity): not whole lots; \(listed.name) trades in lots of \(lot), the nearest "
        + (near.count == 1 ? "is \(near[0])" : "are \(near.joined(separator: " and "))"))
  }
}
