import Bytes
import Market
import Settlement

/// `exit`: a proof of each account, made from published leaves alone, leads to the last final header.
package final class ExitCheck {
  package let findings = Findings(.exit)
  package init() {}
  /// Accounts for which a proof is made: all, up to so many, then an even spread of them.
  static let mostProofs = 4_096

  /// - Parameter headerHash: of the last final header as the settlement layer holds it.
  package func finish(_ ledger: PublishedLedger, headerHash: Digest?) {
    let accounts = ledger.book.accounts
    guard let headerHash, !accounts.isEmpty else { return }
    for place in stride(from: 0, to: accounts.count, by: max(1, accounts.count / Self.mostProofs)) {
      let account = accounts[place].leaf.account
      let holds = ledger.proof(of: account)?.verify(againstHeaderHash: headerHash) ?? false
      findings.check(holds, "account \(account): the published leaves prove nothing under the last final header")
    }
  }
}
