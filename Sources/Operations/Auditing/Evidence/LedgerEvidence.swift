import Bytes
import Market
import Settlement
import SettlementNode

/// The settlement layer as its transactions tell, replayed one by one: owners, deposits, what it holds and has paid. It
/// asks nothing of the vault's own code.
package struct LedgerEvidence {
  /// What one transaction came to.
  package enum Step {
    case deposited(Deposit)
    case posted(EpochPost)
    /// Paid out of the account's granted withdrawals.
    case paid(AccountProof, Currency, Money)
    /// The vault accepted what it must not.
    case impossible(String)
  }

  /// Walks every transaction that the layer accepted, in order.
  package typealias Transactions = ((VaultTransaction) throws -> Void) throws -> Void

  private let forEachTransaction: Transactions
  private let currencies: Int
  /// The last epoch on the layer; the local ledger makes each final at once.
  private(set) var lastFinalEpoch = Epoch(0)
  private(set) var depositCount: UInt64 = 0
  private(set) var posts = 0

  /// Opens the ledger and looks how far it has come.
  init(directory: String, currencies: Int) throws {
    let reader = try LedgerReader(directory: directory)
    try self.init(currencies: currencies) { try reader.forEachTransaction($0) }
  }

  /// From wherever the transactions are kept.
  package init(currencies: Int, _ forEachTransaction: @escaping Transactions) throws {
    self.forEachTransaction = forEachTransaction
    self.currencies = currencies
    var last = Epoch(0)
    var deposits: UInt64 = 0
    var posts = 0
    try forEachTransaction { transaction in
      switch transaction {
      case .deposit: deposits += 1
      case .post(let post):
        last = max(last, post.header.epoch)
        posts += 1
      case .withdraw: break
      }
    }
    lastFinalEpoch = last
    depositCount = deposits
    self.posts = posts
  }

  /// Walks the transactions up to the post of `lastFinalEpoch`, or to the end of what was there when it was opened.
  func forEachStep(_ body: (Step) throws -> Void) throws {
    var walk = LedgerWalk(currencies: currencies)
    var postsSeen = 0
    try forEachTransaction { transaction in
      switch transaction {
      case .deposit: if walk.deposits >= depositCount { return }
      case .post:
        guard postsSeen < posts else { return }
        postsSeen += 1
      case .withdraw: break
      }
      try body(walk.step(transaction))
    }
  }
}
