import Bytes
import Cluster
import Foundation
import Market
import MatcherNode
import Wire

/// Whether an account may quote, shard by shard, and what keeps it from it.
public struct ProtectionReport: CommandReport {
  public struct Part: Encodable, Sendable {
    public var machine: String
    public var underlying: String
    /// Protection has tripped, and quotes are refused.
    public var isTripped: Bool
    /// ISO 8601; absent where protection has not tripped, or lasts until it is reset.
    public var refusedUntil: String?
    /// The account's kill switch is on; it is being liquidated.
    public var isKilled: Bool
    public var isFrozen: Bool
    /// Sides of quotes that rest.
    public var quotes: Int
    /// Limits and what was counted against them; absent without protection.
    public var protection: ProtectionText?
  }
  public var account: UInt32
  public var parts: [Part]

  /// - Parameter name: only in the shards of this underlying; in all without it.
  public init(_ account: AccountID, underlying name: String?, in session: ClusterSession) throws {
    let market = try session.market
    let underlying = try name.map { try market.underlying(named: $0) }
    self.account = account.rawValue
    let open = try session.openOrders(of: account)
    let now = MachineClock.wall()
    parts = try market.shards(of: underlying).map { shard in
      let seen = try session.ask(StandingText.self, .standing, .shard(shard), account.encoded)
      let until = seen.quotesRefusedUntil.map { Timestamp(nanoseconds: $0) } ?? .zero
      let isTripped = until > now
      let own = market.instruments(of: shard).first.map { market.underlyings[Int($0.underlying.rawValue)].name }
      return Part(
        machine: MachineID.shard(shard).description, underlying: own ?? "", isTripped: isTripped,
        refusedUntil: isTripped && until != .never
          ? Date(timeIntervalSince1970: Double(until.seconds)).ISO8601Format() : nil,
        isKilled: seen.isKilled, isFrozen: seen.isFrozen,
        quotes: open.count { $0.shard == shard && $0.order.isQuote }, protection: seen.protection)
    }
  }

  public var text: String {
    let lines = parts.map { part in
      let state =
        part.isTripped
        ? "TRIPPED: quotes are refused until \(part.refusedUntil ?? "protection is reset")" : "quotes are taken"
      return "  \(part.machine), \(part.underlying): \(state)\(part.isKilled ? ", KILLED" : "")"
        + "\(part.isFrozen ? ", IN LIQUIDATION" : ""), \(part.quotes) sides rest"
        + (part.protection.map(Self.text) ?? ", no protection")
    }
    return (["account \(account)"] + lines).joined(separator: "\n")
  }

  private static func text(_ protection: ProtectionText) -> String {
    let counts = [
      ("quantity", protection.quantity, protection.quantityLimit), ("delta", protection.delta, protection.deltaLimit),
      ("vega", protection.vega, protection.vegaLimit),
    ].compactMap { name, counted, limit in limit.map { "\(name) \(counted) of \($0)" } }
    return ", \(counts.joined(separator: ", ")) in \(protection.windowMilliseconds) ms"
      + (protection.shards > 1 ? ", shared among \(protection.shards) shards" : "")
  }
}
