import Bytes
import Market
import MatcherNode
import Wire

/// One batch of operations that was signed, sent to its shard and answered.
struct SignedBatch {
  var nonce: UInt64
  var shard: ShardID
  var answer: ActionSubmission.Answer

  /// Seconds in which the exchange must answer.
  static let answerSeconds = 10.0

  /// - Throws: `CommandRefused` when nobody answers in time.
  init(
    _ operations: [Market.Operation], by signer: AccountCredentials, to shard: ShardID, in session: ClusterSession,
    through submission: ActionSubmission
  ) throws {
    guard let underlying = try session.market.instruments(of: shard).first?.underlying else {
      throw CommandRefused("shard \(shard) has no instruments")
    }
    let nonce = ActionSubmission.nonce()
    let action = try ActionSigning(market: session.market).signedBatch(
      operations, account: signer.account, nonce: nonce, expiry: ActionSubmission.expiry(), underlying: underlying,
      key: signer.key)
    self.nonce = nonce
    self.shard = shard
    answer = try submission.submit(
      action.encoded, to: shard, account: signer.account, nonce: nonce, seconds: Self.answerSeconds)
  }

  /// The answer to each of `count` operations; a refusal answers all alike.
  func results(_ count: Int) -> [ActionReply.Result] {
    switch answer {
    case .refusal(let refusal): Array(repeating: .init(outcome: refusal.outcome), count: count)
    case .reply(let reply):
      reply.results.count == count ? reply.results : Array(repeating: .init(outcome: .malformed), count: count)
    }
  }

  /// Why a gateway let it not through, in its words.
  var refusalReason: String? {
    if case .refusal(let refusal) = answer, !refusal.reason.isEmpty { return refusal.reason }
    return nil
  }

  var reply: ActionReply? {
    if case .reply(let reply) = answer { return reply }
    return nil
  }

  /// What a refused operation means; `nil` for an accepted one.
  func reason(of outcome: Outcome) -> String? { outcome.isAccepted ? nil : refusalReason ?? outcome.text }
}

/// What one shard said to one signed action, as commands show it.
public struct ActionPart: Encodable, Sendable {
  public var machine: String
  public var outcome: String
  public var code: UInt16
  public var isAccepted: Bool
  /// Where the action stands in the shard's journal; absent when it reached none.
  public var sequence: UInt64?
  public var reason: String?

  init(_ batch: SignedBatch, operations: Int) {
    let outcomes = batch.results(operations).map(\.outcome)
    let outcome = outcomes.first { !$0.isAccepted } ?? outcomes.first ?? .malformed
    machine = MachineID.shard(batch.shard).description
    self.outcome = outcome.name
    code = outcome.rawValue
    isAccepted = outcome.isAccepted
    sequence = batch.reply?.sequence.rawValue
    reason = batch.reason(of: outcome)
  }

  var line: String {
    "  \(machine): \(isAccepted ? "done" : "\(code) \(outcome)")" + (reason.map { ": \($0)" } ?? "")
      + (sequence.map { ", sequence \($0)" } ?? "")
  }
}
