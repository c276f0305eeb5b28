import Bytes
import Market
import Settlement

/// What each transaction that the settlement layer accepted came to, one after another. It asks nothing of the vault's
/// own code.
package struct LedgerWalk {
  private let currencies: Int
  private var owners: [Address] = [.zero]
  private var accounts: [Address: AccountID] = [:]
  private var paid: [[Money]] = []
  /// Deposits so far.
  package private(set) var deposits: UInt64 = 0

  package init(currencies: Int) { self.currencies = currencies }

  package mutating func step(_ transaction: VaultTransaction) -> LedgerEvidence.Step {
    switch transaction {
    case .deposit(let owner, let named, let currency, let amount): deposit(owner, named, currency, amount)
    case .post(let post): .posted(post)
    case .withdraw(let proof, let currency): pay(proof, currency)
    }
  }

  private mutating func deposit(
    _ owner: Address, _ named: AccountID?, _ currency: Currency, _ amount: Money
  ) -> LedgerEvidence.Step {
    deposits += 1
    let account = named ?? accounts[owner] ?? AccountID(UInt32(owners.count))
    guard Int(account.rawValue) <= owners.count, Int(currency.rawValue) < currencies, amount > .zero else {
      return .impossible("deposit \(deposits) of \(amount) in currency \(currency) for account \(account)")
    }
    if Int(account.rawValue) == owners.count {
      owners.append(owner)
      accounts[owner] = account
    }
    return .deposited(
      Deposit(
        number: deposits, account: account, owner: owners[Int(account.rawValue)], currency: currency, amount: amount))
  }

  private mutating func pay(_ proof: AccountProof, _ currency: Currency) -> LedgerEvidence.Step {
    let account = Int(proof.leaf.account.rawValue)
    let place = Int(currency.rawValue)
    while paid.count <= account { paid.append(Array(repeating: .zero, count: currencies)) }
    guard place < currencies, place < proof.leaf.withdrawn.count, proof.leaf.withdrawn[place] > paid[account][place]
    else { return .impossible("a payment to account \(account) of what was not granted") }
    let due = proof.leaf.withdrawn[place] - paid[account][place]
    paid[account][place] = proof.leaf.withdrawn[place]
    return .paid(proof, currency, due)
  }
}
