import Bytes
import Market
import MatcherNode
import RiskNode
import Wire

/// One account: as risk sees it, and its open orders in every shard.
public struct AccountReport: CommandReport {
  public struct Position: Encodable, Sendable {
    public var instrument: String
    /// Negative when short.
    public var quantity: String
  }
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
  public struct Credit: Encodable, Sendable {
    public var shard: UInt16
    public var ceiling: String
    public var consumed: String
    public var outstanding: String
  }

  public var account: UInt32
  public var owner: String
  /// By currency name.
  public var ledger: [String: String]
  public var positions: [Position]
  /// USD; absent while a mark that they need has not come.
  public var equity: String?
  public var initialMargin: String?
  public var maintenanceMargin: String?
  /// USD that may be charged in each shard.
  public var credit: [Credit]
  public var pendingWithdrawals: String?
  public var isFrozen: Bool
  public var openOrders: [OpenOrder]

  public init(_ id: AccountID, in session: ClusterSession) throws {
    let seen = try session.ask(AccountText.self, .account, .risk, id.encoded)
    account = seen.account
    owner = seen.owner
    ledger = seen.ledger
    positions = try seen.positions.map { position in
      let quantity = try session.market.instrument(named: position.instrument)?.quantity(Lots(position.lots))
      return Position(instrument: position.instrument, quantity: quantity?.description ?? "\(position.lots) lots")
    }
    equity = seen.equity
    initialMargin = seen.initialMargin
    maintenanceMargin = seen.maintenanceMargin
    credit = seen.credit.map {
      Credit(shard: $0.shard, ceiling: $0.ceiling, consumed: $0.consumed, outstanding: $0.outstanding)
    }
    pendingWithdrawals = seen.pendingWithdrawals
    isFrozen = seen.isFrozen
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

  public var text: String {
    var lines = ["account \(account), owner \(owner)\(isFrozen ? ", IN LIQUIDATION" : "")"]
    lines.append(
      "equity \(equity ?? "unknown") USD, initial margin \(initialMargin ?? "unknown"), maintenance margin "
        + "\(maintenanceMargin ?? "unknown")")
    for (currency, amount) in ledger.sorted(by: { $0.key < $1.key }) where amount != "0" {
      lines.append("  ledger    \(amount) \(currency)")
    }
    for position in positions { lines.append("  position  \(position.quantity) \(position.instrument)") }
    for order in openOrders {
      lines.append(
        "  order     \(order.nonce)/\(order.index)  \(order.side) \(order.quantity) \(order.instrument)"
          + (order.price == "0" && order.state != "resting" ? " at the market" : " at \(order.price)")
          + (order.triggerPrice.map { ", trigger \($0)" } ?? "")
          + (order.isReduceOnly ? ", reduce-only" : "") + (order.isQuote ? ", quote" : "")
          + (order.state == "resting" ? "" : ", \(order.state)"))
    }
    if let pendingWithdrawals, pendingWithdrawals != "0" {
      lines.append("  withdrawals that wait: \(pendingWithdrawals) USD")
    }
    return lines.joined(separator: "\n")
  }
}
