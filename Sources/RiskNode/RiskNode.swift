import Bytes
import Clearing
import Cluster
import Foundation
import Logging
import Machine
import Market
import Messaging
import Synchronization
import Wire

/// Wires the risk aggregator to its sockets. It holds no rule of its own.
public enum RiskNode {
  #if NOVATION_PLANT
    /// Bugs of a test build for the hosts made from now on.
    public static let faults = Mutex<RiskFaults>([])
  #endif

  public static func host(
    on loop: SocketLoop, map: ClusterMap, node: String, market: MarketDefinition, transport: Transport,
    authority: NodeAuthority?, configuration: HostConfiguration, log: Logger
  ) throws -> MachineHost<RiskMachine> {
    try MachineHost(
      .risk, role: role(market: market), on: loop, map: map, node: node, genesis: market, transport: transport,
      authority: authority, configuration: configuration, log: log)
  }

  /// What the aggregator adds to the common host.
  public static func role(market: MarketDefinition) -> HostRole<RiskMachine> {
    var role = HostRole<RiskMachine>(
      sources: market.shards.map(MachineID.shard) + [.settlement],
      admits: [.submit: .gateway, .marks: .marks],
      figures: { figures(of: $0) },
      answer: { machine, query in
        if query.kind == .listings {
          return HostAnswer(Listings(in: machine.market, from: try InstrumentID(decoding: query.body)).encoded)
        }
        guard query.kind == .account else { throw UnansweredQuery(machine: .risk, kind: query.kind) }
        let account = try AccountID(decoding: query.body)
        guard let view = machine.view(of: account) else { throw UnknownAccount(account: account) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return HostAnswer([UInt8](try encoder.encode(AccountText(view, machine.market))))
      })
    #if NOVATION_PLANT
      role.plant = { machine in machine.faults = faults.withLock { $0 } }
    #endif
    return role
  }

  private static func figures(
    of machine: borrowing RiskMachine
  ) -> (figures: [String: Int64], texts: [String: String]) {
    let totals = machine.totals()
    return (
      [
        "accounts": Int64(totals.accounts), "equity": totals.equity.units,
        "underLiquidation": Int64(totals.underLiquidation), "unmeasurable": Int64(totals.unmeasurable),
        "halted": totals.isHalted ? 1 : 0, "fills": Int64(clamping: machine.consumedFills.reduce(0, &+)),
      ], [:]
    )
  }
}

/// One account as risk sees it, as JSON; amounts are decimal text.
public struct AccountText: Codable, Sendable {
  public struct Position: Codable, Sendable {
    public var instrument: String
    /// Negative when short.
    public var quantity: String
  }
  /// USD that may be charged in a shard.
  public struct Credit: Codable, Sendable {
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
  public var credit: [Credit]
  public var pendingWithdrawals: String?
  public var heldOrders: Int
  public var isFrozen: Bool

  init(_ view: AccountView, _ market: MarketDefinition) {
    account = view.account.rawValue
    owner = view.owner.description
    ledger = [:]
    for (currency, amount) in zip(market.currencies, view.ledger) { ledger[currency.name] = amount.description }
    positions = view.positions.map { holding in
      let listed = market[holding.instrument]
      return Position(
        instrument: listed?.name ?? "\(holding.instrument)",
        quantity: listed?.quantity(holding.lots)?.description ?? "\(holding.lots) lots")
    }
    equity = view.standing?.equity.description
    initialMargin = view.standing?.initialMargin.description
    maintenanceMargin = view.standing?.maintenanceMargin.description
    credit = view.credit.map {
      Credit(
        shard: $0.shard.rawValue, ceiling: $0.ceiling.description, consumed: $0.consumed.description,
        outstanding: $0.outstanding.description)
    }
    pendingWithdrawals = view.pendingWithdrawals?.description
    heldOrders = view.heldOrders
    isFrozen = view.isFrozen
  }
}

/// An account that no deposit has opened.
struct UnknownAccount: Error, CustomStringConvertible {
  var account: AccountID
  var description: String { "account \(account) is not known: a deposit opens it" }
}
