import Market
import MatcherNode

/// What a cancel did.
public struct OrderCancellation: CommandReport {
  /// Which orders to cancel.
  public enum Target: Sendable {
    case order(OrderTarget)
    case mass(MassCancel)
  }

  public var account: UInt32
  /// Orders that were open before and are not any more.
  public var cancelled: Int
  public var parts: [ActionPart]

  public var isGood: Bool { parts.allSatisfy(\.isAccepted) }

  public init(_ target: Target, account: AccountID, in session: ClusterSession) throws {
    let signer = try session.store.load(account)
    let actions = try Self.actions(target, account: account, in: session)
    let before = try session.openOrders(of: account)
    self.account = account.rawValue
    parts = []
    let submission = ActionSubmission(try session.gateway())
    for (shard, operation) in actions {
      let batch = try SignedBatch([operation], by: signer, to: shard, in: session, through: submission)
      parts.append(ActionPart(batch, operations: 1))
    }
    let after = Set(try session.openOrders(of: account).map(\.order.name))
    cancelled = before.count { !after.contains($0.order.name) }
  }

  /// What to sign for each shard.
  private static func actions(
    _ target: Target, account: AccountID, in session: ClusterSession
  ) throws -> [(shard: ShardID, operation: Market.Operation)] {
    switch target {
    case .mass(let mass): return try mass.operations(in: session.market)
    case .order(let order):
      let found = try order.find(account: account, in: session)
      var operation = Market.Operation(kind: .cancel, instrument: found.listed.id)
      order.aim(&operation)
      return [(found.listed.shard, operation)]
    }
  }

  public var text: String {
    let first = "\(cancelled) order\(cancelled == 1 ? "" : "s") of account \(account) cancelled"
    return ([first] + parts.map(\.line)).joined(separator: "\n")
  }
}
