import Bytes
import Market
import MatcherNode
import RiskNode
import Wire

/// One account: as risk sees it, and its open orders in every shard.
public struct AccountReport: CommandReport {
  public struct OpenOrder: Encodable, Sendable {
    public var nonce: UInt64
    public var index: UInt16
    public var shard: UInt16
    public var instrument: String
    public var side: String
    public var price: String
    public var quantity: String
    public var isReduceOnly: Bool
    /// `resting`, `armed`, `held`, `queued` or `sweeping`.
    public var state: String
    public var isQuote: Bool
    /// Absent but for an armed stop, and where the client gave none.
    public var triggerPrice: String?
    public var clientId: UInt64?
    public var label: UInt32?
  }

  /// As risk tells it.
  public var seen: AccountText
  public var openOrders: [OpenOrder]

  public init(_ id: AccountID, in session: ClusterSession) throws {
    seen = try session.ask(AccountText.self, .account, .risk, id.encoded)
    openOrders = try session.openOrders(of: id).map { shard, order in
      let listed = try session.instrument(InstrumentID(order.instrument))
      return OpenOrder(
        nonce: order.nonce, index: order.index, shard: shard.rawValue,
        instrument: listed?.name ?? "\(order.instrument)",
        side: order.side, price: order.price, quantity: order.quantity(in: listed), isReduceOnly: order.isReduceOnly,
        state: order.state,
        isQuote: order.isQuote, triggerPrice: order.triggerPrice, clientId: order.clientId == 0 ? nil : order.clientId,
        label: order.label == 0 ? nil : order.label)
    }
  }

  private enum Keys: CodingKey { case openOrders }

  /// One object: what risk tells, and the orders.
  public func encode(to encoder: any Encoder) throws {
    try seen.encode(to: encoder)
    var object = encoder.container(keyedBy: Keys.self)
    try object.encode(openOrders, forKey: .openOrders)
  }

  public var text: String {
    var lines = ["account \(seen.account), owner \(seen.owner)\(seen.isFrozen ? ", IN LIQUIDATION" : "")"]
    lines.append(
      "equity \(seen.equity ?? "unknown") USD, initial margin \(seen.initialMargin ?? "unknown"), maintenance margin "
        + "\(seen.maintenanceMargin ?? "unknown")")
    for (currency, amount) in seen.ledger.sorted(by: { $0.key < $1.key }) where amount != "0" {
      lines.append("  ledger    \(amount) \(currency)")
    }
    for position in seen.positions { lines.append("  position  \(position.quantity) \(position.instrument)") }
    for order in openOrders {
      lines.append(
        "  order     \(order.nonce)/\(order.index)  \(order.side) \(order.quantity) \(order.instrument)"
          + (order.price == "0" && order.state != "resting" ? " at the market" : " at \(order.price)")
          + (order.triggerPrice.map { ", trigger \($0)" } ?? "")
          + (order.isReduceOnly ? ", reduce-only" : "") + (order.isQuote ? ", quote" : "")
          + (order.state == "resting" ? "" : ", \(order.state)"))
    }
    if let pendingWithdrawals = seen.pendingWithdrawals, pendingWithdrawals != "0" {
      lines.append("  withdrawals that wait: \(pendingWithdrawals) USD")
    }
    return lines.joined(separator: "\n")
  }
}
