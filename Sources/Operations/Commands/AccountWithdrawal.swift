import Bytes
import Foundation
import Market
import Settlement
import SettlementNode
import Wire

/// A withdrawal from the signed wish to the vault's payment.
public struct AccountWithdrawal: CommandReport {
  public var account: UInt32
  public var currency: String
  /// What was asked for.
  public var amount: String
  /// `filled` once granted; otherwise why not.
  public var outcome: String
  public var code: UInt16
  public var isGranted: Bool
  /// The final epoch whose root the proof stood under; absent unless granted.
  public var epoch: UInt32?
  /// What the vault paid: all that was granted to the account in this currency and not claimed before.
  public var paid: String?
  public var recipient: String
  public var nonce: UInt64
  public var sequence: UInt64?
  public var reason: String?

  public var isGood: Bool { paid != nil }

  private static let decisionSeconds = 30.0
  private static let finalitySeconds = 60.0

  /// - Parameter say: is told each step as it is done.
  public init(
    account: AccountID, currency name: String, amount: Money, in session: ClusterSession, say: (String) -> Void
  ) throws {
    let place = try session.currency(named: name)
    guard amount > .zero else { throw CommandMistake("--amount \(amount): a withdrawal must be positive") }
    let credentials = try session.store.load(account)
    let nonce = ActionSubmission.nonce()
    let action = try Self.sign(place, amount, credentials, nonce, session.market)
    let currency = try session.market.currencies[Int(place.rawValue)].name
    say("signed a withdrawal of \(amount) \(currency) from account \(account), nonce \(nonce)")
    let verdict = Verdict(try Self.decide(action, account: account, nonce: nonce, in: session))
    var receipt: Receipt?
    if verdict.outcome.isAccepted {
      say("risk has granted it (sequence \(verdict.sequence ?? 0))")
      // The coordinator's open epoch is never behind risk's, so the grant lies in it or before.
      let wanted = try session.epoch(0).openEpoch
      say("waiting until epoch \(wanted) is final")
      let claimed = try Self.claim(account, place, notBefore: wanted, in: session, say: say)
      say("the vault has paid \(claimed.amount) \(currency) to \(credentials.owner)")
      receipt = claimed
    }
    self.account = account.rawValue
    self.currency = currency
    self.amount = amount.description
    self.nonce = nonce
    recipient = credentials.owner.description
    outcome = verdict.outcome.name
    code = verdict.outcome.rawValue
    isGranted = verdict.outcome.isAccepted
    sequence = verdict.sequence
    reason = verdict.reason
    epoch = receipt?.epoch.rawValue
    paid = receipt?.amount
  }

  /// What risk, or the gateway, said in the end.
  private struct Verdict {
    var outcome: Outcome
    var sequence: UInt64?
    var reason: String?

    init(_ answer: ActionSubmission.Answer) {
      switch answer {
      case .refusal(let refusal):
        outcome = refusal.outcome
        reason = refusal.reason.isEmpty ? outcome.text : refusal.reason
      case .reply(let reply):
        outcome = reply.results.first?.outcome ?? .malformed
        sequence = reply.sequence.rawValue
        reason = outcome.isAccepted ? nil : outcome.text
      }
    }
  }

  /// What the vault paid, and under which epoch.
  private struct Receipt {
    var epoch: Epoch
    var amount: String
  }

  /// Derive's withdrawal form, to the owner, without a fee.
  private static func sign(
    _ currency: Currency, _ amount: Money, _ credentials: AccountCredentials, _ nonce: UInt64,
    _ market: MarketDefinition
  ) throws -> [UInt8] {
    let withdrawal = Withdrawal(
      currency: currency, amount: amount, recipient: credentials.owner, maximumFee: .zero)
    let header = SignedActionHeader(
      module: .withdrawal, operationCount: 1, account: credentials.account, nonce: nonce,
      expiry: ActionSubmission.expiry(), underlying: UnderlyingID(0), signer: credentials.owner,
      owner: credentials.owner, signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
    // A withdrawal fills the place of an operation, byte for byte.
    var action = SignedAction(header: header, operations: [try Market.Operation(decoding: withdrawal.encoded)])
    do {
      try ActionSigning(market: market).sign(&action, with: credentials.key)
    } catch {
      throw CommandMistake("--\(error)")
    }
    return action.encoded
  }

  /// The same bytes again until risk has decided.
  private static func decide(
    _ action: [UInt8], account: AccountID, nonce: UInt64, in session: ClusterSession
  ) throws -> ActionSubmission.Answer {
    let submission = ActionSubmission(try session.gateway())
    let deadline = Date().addingTimeInterval(decisionSeconds)
    while true {
      let answer = try submission.submit(action, account: account, nonce: nonce, seconds: 10)
      guard case .reply(let reply) = answer, reply.results.first?.outcome == .pending, Date() < deadline else {
        return answer
      }
      usleep(100_000)
    }
  }

  /// Proves the grant to the vault once an epoch that holds it is final.
  private static func claim(
    _ account: AccountID, _ currency: Currency, notBefore wanted: UInt32, in session: ClusterSession,
    say: (String) -> Void
  ) throws -> Receipt {
    let deadline = Date().addingTimeInterval(finalitySeconds)
    while true {
      let state = try session.epoch(0)
      if let stopped = state.stopped { throw CommandRefused("settlement posts no more: \(stopped)") }
      if state.lastFinalEpoch >= wanted {
        let proof = try session.proof(of: account)
        // The newest applied epoch may be posted a moment later.
        if proof.header.epoch.rawValue <= (try session.epoch(0).lastFinalEpoch) {
          say("claiming with the proof under epoch \(proof.header.epoch), root \(proof.header.root)")
          let transaction = VaultTransaction.withdraw(proof, currency: currency)
          let receipt = try session.ask(ReceiptText.self, .transaction, .settlement, transaction.encoded)
          return Receipt(epoch: proof.header.epoch, amount: receipt.amount ?? "0")
        }
      }
      guard Date() < deadline else {
        throw CommandRefused(
          "epoch \(wanted) is not final after \(Int(finalitySeconds)) s; the grant stands, and the next withdrawal "
            + "claims it too")
      }
      usleep(50_000)
    }
  }

  public var text: String {
    guard let paid, let epoch else {
      return "withdrawal of \(amount) \(currency) refused: \(code) \(outcome)\(reason.map { ": \($0)" } ?? "")"
    }
    return "paid \(paid) \(currency) to \(recipient), under epoch \(epoch)"
  }
}

extension ClusterSession {
  /// An epoch as the coordinator tells it; 0 for the last final one.
  func epoch(_ number: UInt32) throws -> EpochText {
    try ask(EpochText.self, .epoch, .settlement, Epoch(number).encoded)
  }

  /// The account's proof under the last epoch applied.
  func proof(of account: AccountID) throws -> AccountProof {
    let answer = try ask(.proof, .settlement, account.encoded)
    guard let proof = try? AccountProof(decoding: answer) else {
      throw CommandRefused("settlement answered with no proof; is it of the same version?")
    }
    return proof
  }
}
