import Bytes
import Market
import Settlement
import SettlementNode

/// The settlement layer as its transactions tell, replayed one by one: owners, deposits, what it holds and has paid. It
/// asks nothing of the vault's own code.
struct LedgerEvidence {
  /// What one transaction came to.
  enum Step {
    case deposited(Deposit)
    case posted(EpochPost)
    /// Paid out of the account's granted withdrawals.
    case paid(AccountProof, Currency, Money)
    /// The vault accepted what it must not.
    case impossible(String)
  }

  private let reader: LedgerReader
  private let currencies: Int
  /// The last epoch on the layer; the local ledger makes each final at once.
  private(set) var lastFinalEpoch = Epoch(0)
  private(set) var depositCount: UInt64 = 0
  private(set) var posts = 0

  /// Opens the ledger and looks how far it has come.
  init(directory: String, currencies: Int) throws {
    reader = try LedgerReader(directory: directory)
    self.currencies = currencies
    var last = Epoch(0)
    var deposits: UInt64 = 0
    var posts = 0
    try reader.forEachTransaction { transaction in
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
    var owners: [Address] = [.zero]
    var accounts: [Address: AccountID] = [:]
    var number: UInt64 = 0
    var paid: [[Money]] = []
    var postsSeen = 0
    try reader.forEachTransaction { transaction in
      switch transaction {
      case .deposit(let owner, let named, let currency, let amount):
        guard number < depositCount else { return }
        number += 1
        let account = named ?? accounts[owner] ?? AccountID(UInt32(owners.count))
        guard Int(account.rawValue) <= owners.count, Int(currency.rawValue) < currencies, amount > .zero else {
          return try body(.impossible("deposit \(number) of \(amount) in currency \(currency) for account \(account)"))
        }
        if Int(account.rawValue) == owners.count {
          owners.append(owner)
          accounts[owner] = account
        }
        try body(
          .deposited(
            Deposit(
              number: number, account: account, owner: owners[Int(account.rawValue)], currency: currency,
              amount: amount)))
      case .post(let post):
        guard postsSeen < posts else { return }
        postsSeen += 1
        try body(.posted(post))
      case .withdraw(let proof, let currency):
        let account = Int(proof.leaf.account.rawValue)
        let place = Int(currency.rawValue)
        while paid.count <= account { paid.append(Array(repeating: .zero, count: currencies)) }
        guard place < currencies, place < proof.leaf.withdrawn.count,
          proof.leaf.withdrawn[place] > paid[account][place]
        else { return try body(.impossible("a payment to account \(account) of what was not granted")) }
        let due = proof.leaf.withdrawn[place] - paid[account][place]
        paid[account][place] = proof.leaf.withdrawn[place]
        try body(.paid(proof, currency, due))
      }
    }
  }
}
