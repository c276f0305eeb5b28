import Cluster
import Foundation
import Market
import Wire

/// Carries one signed action to its machine through a gateway: the same bytes again until an answer comes, which is
/// safe, since the same action gets the same answer.
final class ActionSubmission {
  enum Answer {
    case reply(ActionReply)
    /// It reached no journal.
    case refusal(Refusal)
  }

  private let gateway: GatewayClient
  /// What the exchange told about the account's orders meanwhile.
  private(set) var reports: [ExecutionReport] = []

  private static let resendSeconds = 1.0

  init(_ gateway: GatewayClient) { self.gateway = gateway }

  /// A nonce that no earlier command of the same key has used: the wall clock in nanoseconds.
  static func nonce() -> UInt64 { UInt64(MachineClock.wall().nanoseconds) }

  /// Unix seconds after which a signature made now is void.
  static func expiry() -> UInt64 { UInt64(MachineClock.wall().seconds) + 60 }

  /// - Throws: `CommandRefused` when nobody answers in time; whether the action was taken is not known then.
  func submit(
    _ action: [UInt8], to shard: ShardID? = nil, account: AccountID, nonce: UInt64, seconds: Double
  ) throws -> Answer {
    let deadline = Date().addingTimeInterval(seconds)
    var nextSend = Date.distantPast
    var lastRefusal: Refusal?
    while Date() < deadline {
      if Date() >= nextSend {
        _ = gateway.submit(action, to: shard)
        nextSend = Date().addingTimeInterval(Self.resendSeconds)
      }
      var answer: Answer?
      poll { event in
        switch event {
        case .reply(let reply) where reply.account == account && reply.nonce == nonce: answer = .reply(reply)
        case .refusal(let refusal) where refusal.account == account && refusal.nonce == nonce:
          answer = .refusal(refusal)
        default: break
        }
      }
      switch answer {
      case .refusal(let refusal) where refusal.retryAfterMilliseconds > 0:
        lastRefusal = refusal
        nextSend = Date().addingTimeInterval(Double(refusal.retryAfterMilliseconds) / 1_000)
      case .some(let answer): return answer
      case nil: break
      }
    }
    if let lastRefusal { return .refusal(lastRefusal) }
    throw CommandRefused(
      "no answer within \(Int(seconds)) s; the action with nonce \(nonce) may have been taken: "
        + "see novation account show \(account)")
  }

  /// Gathers reports until `isEnough`, at most `seconds`.
  func gather(seconds: Double, until isEnough: ([ExecutionReport]) -> Bool) {
    let deadline = Date().addingTimeInterval(seconds)
    while !isEnough(reports), Date() < deadline { poll { _ in } }
  }

  private func poll(_ each: (GatewayClient.Event) -> Void) {
    gateway.poll(waitMicroseconds: 20_000) { event in
      if case .report(let report) = event { self.reports.append(report) }
      each(event)
    }
  }
}
