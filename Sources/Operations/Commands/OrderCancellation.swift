import Bytes
import Cluster
import Market
import MatcherNode
import Wire

/// What a cancel did.
public struct OrderCancellation: CommandReport {
  /// Which orders to cancel.
  public enum Target: Sendable {
    case order(nonce: UInt64, index: UInt16)
    /// All of one instrument, or of all instruments.
    case all(instrument: String?)
  }
  /// One signed action.
  public struct Part: Encodable, Sendable {
    public var machine: String
    public var outcome: String
    public var code: UInt16
    public var isAccepted: Bool
    public var sequence: UInt64?
    public var reason: String?
  }

  public var account: UInt32
  /// Orders that were open before and are not any more.
  public var cancelled: Int
  public var parts: [Part]

  public var isGood: Bool { parts.allSatisfy(\.isAccepted) }

  private static let answerSeconds = 10.0

  public init(_ target: Target, account: AccountID, in session: ClusterSession) throws {
    let key = try session.store.load(account).key
    let actions = try Self.actions(target, account: account, in: session)
    let before = try session.openOrders(of: account)
    self.account = account.rawValue
    parts = []
    let signing = ActionSigning(market: session.market)
    let submission = ActionSubmission(try session.gateway())
    for (operations, instrument) in actions {
      let nonce = ActionSubmission.nonce()
      let action = try signing.signedBatch(
        operations, account: account, nonce: nonce, expiry: ActionSubmission.expiry(),
        underlying: instrument.underlying, key: key)
      let answer = try submission.submit(
        action.encoded, account: account, nonce: nonce, seconds: Self.answerSeconds)
      parts.append(Self.part(answer, machine: .shard(instrument.shard)))
    }
    let after = Set(try session.openOrders(of: account).map(\.order.name))
    cancelled = before.count { !after.contains($0.order.name) }
  }

  /// What to sign for each shard.
  private static func actions(
    _ target: Target, account: AccountID, in session: ClusterSession
  ) throws -> [(operations: [Market.Operation], instrument: Instrument)] {
    switch target {
    case .order(let nonce, let index):
      guard
        let found = try session.openOrders(of: account).first(where: {
          $0.order.nonce == nonce && $0.order.index == index
        })
      else {
        throw CommandRefused("account \(account) has no open order \(nonce)/\(index): filled or cancelled before?")
      }
      let listed = try session.instrument(named: found.order.instrument)
      return [([.init(kind: .cancel, instrument: listed.id, targetNonce: nonce, targetIndex: index)], listed)]
    case .all(let name?):
      let listed = try session.instrument(named: name)
      return [([.init(kind: .cancelAll, instrument: listed.id)], listed)]
    case .all(nil):
      // A cancel-all of everything names no shard; one of an instrument beside it does.
      return session.market.shards.compactMap { shard in
        guard let listed = session.market.instruments(of: shard).first else { return nil }
        let operations: [Market.Operation] = [
          .init(kind: .cancelAll, instrument: listed.id),
          .init(kind: .cancelAll, instrument: Market.Operation.allInstruments),
        ]
        return (operations, listed)
      }
    }
  }

  private static func part(_ answer: ActionSubmission.Answer, machine: MachineID) -> Part {
    switch answer {
    case .refusal(let refusal):
      return Part(
        machine: machine.description, outcome: refusal.outcome.name, code: refusal.outcome.rawValue,
        isAccepted: false, reason: refusal.reason)
    case .reply(let reply):
      let outcome = reply.results.map(\.outcome).first { !$0.isAccepted } ?? .cancelled
      return Part(
        machine: reply.machine.description, outcome: outcome.name, code: outcome.rawValue,
        isAccepted: outcome.isAccepted, sequence: reply.sequence.rawValue,
        reason: outcome.isAccepted ? nil : outcome.text)
    }
  }

  public var text: String {
    var lines = ["\(cancelled) order\(cancelled == 1 ? "" : "s") of account \(account) cancelled"]
    for part in parts {
      lines.append(
        "  \(part.machine): \(part.isAccepted ? "done" : "\(part.code) \(part.outcome)")"
          + (part.reason.map { ": \($0)" } ?? "")
          + (part.sequence.map { ", sequence \($0)" } ?? ""))
    }
    return lines.joined(separator: "\n")
  }
}

extension ClusterSession {
  /// The account's open orders in every shard.
  func openOrders(of account: AccountID) throws -> [(shard: ShardID, order: OpenOrderText)] {
    try map.shards.flatMap { shard in
      try ask([OpenOrderText].self, .openOrders, .shard(shard), account.encoded).map { (shard, $0) }
    }
  }
}

extension OpenOrderText {
  /// Within its account.
  var name: String { "\(nonce)/\(index)" }
}
