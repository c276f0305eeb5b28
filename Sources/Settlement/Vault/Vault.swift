import Bytes
import Market

/// The settlement layer's rules as a pure value: it holds the users' money and pays only against proofs under roots
/// that followed one on the other, each vouched for by the verifiers' quorum.
///
/// An account's granted withdrawals are cumulative in its leaf, and the vault remembers what it paid, so no grant is
/// paid twice, whichever of the recent final roots a proof is under.
public struct Vault: Sendable {
  /// Headers that it remembers: for these a repeated post is known as such, and proofs are taken.
  public static let rememberedHeaders = 1_024

  public let rules: VaultRules
  /// By account id; the house, account 0, has no owner.
  public internal(set) var owners: [Address] = [.zero]
  /// Each owner's first account. Looked up, never walked.
  var accounts: [Address: AccountID] = [:]
  /// Deposits that no posted epoch has consumed, in order of number.
  public internal(set) var pendingDeposits: [Deposit] = []
  /// Deposits made in all.
  public internal(set) var depositCount: UInt64 = 0
  /// What it holds, by currency.
  public internal(set) var holdings: [Money]
  /// What it has paid out, by account and currency.
  var paid: [[Money]]
  /// The accounts as last posted.
  public internal(set) var ledger: PublishedLedger
  /// The last posted headers, in order of epoch, at most `rememberedHeaders`.
  var headers: [EpochHeader] = []

  /// An empty vault.
  public init(_ rules: VaultRules) {
    self.rules = rules
    holdings = Array(repeating: .zero, count: rules.currencies)
    paid = [holdings]
    ledger = PublishedLedger(currencies: rules.currencies)
  }

  /// Root of the empty account tree, on which epoch 1 is built.
  public static let genesisRoot = AccountTree().root

  /// The last epoch posted, 0 before the first.
  public var postedEpoch: Epoch { ledger.epoch }
  /// Root of the last epoch posted.
  public var postedRoot: Digest { ledger.root }
  /// The last header that is posted.
  public var postedHeader: EpochHeader? { ledger.header }
  /// The last final header; `nil` before the first.
  public var finalHeader: EpochHeader? {
    headers.last { UInt64($0.epoch.rawValue) + UInt64(rules.finalityDelay) <= UInt64(postedEpoch.rawValue) }
  }
  /// The last epoch's deposit cursor.
  public var depositCursor: UInt64 { ledger.header?.depositCursor ?? 0 }
  /// The owner's first account.
  public func account(of owner: Address) -> AccountID? { accounts[owner] }
  /// What the vault has paid to an account's owner, by currency.
  public func paid(to account: AccountID) -> [Money] {
    Int(account.rawValue) < paid.count ? paid[Int(account.rawValue)] : []
  }

  /// Applies one transaction; a refusal leaves the vault as it was.
  public mutating func apply(_ transaction: VaultTransaction) -> Result<VaultReceipt, VaultRefusal> {
    do throws(VaultRefusal) {
      switch transaction {
      case .deposit(let owner, let account, let currency, let amount):
        return .success(try deposit(owner, account, currency, amount))
      case .post(let post): return .success(try self.post(post))
      case .withdraw(let proof, let currency): return .success(try withdraw(proof, currency))
      }
    } catch {
      return .failure(error)
    }
  }

  /// What the coordinator may have missed: deposits from `nextDeposit` on, then how far posting and finality have come.
  public func events(from nextDeposit: UInt64) -> [SettlementEvent] {
    var events = pendingDeposits.filter { $0.number >= nextDeposit }.map(SettlementEvent.deposit)
    if let posted = postedHeader { events.append(.posted(posted.epoch, headerHash: posted.headerHash)) }
    if let final = finalHeader { events.append(.final(final.epoch, root: final.root)) }
    return events
  }

  // MARK: Deposits

  private mutating func deposit(
    _ owner: Address, _ named: AccountID?, _ currency: Currency, _ amount: Money
  ) throws(VaultRefusal) -> VaultReceipt {
    guard Int(currency.rawValue) < rules.currencies else { throw .unknownCurrency(currency) }
    guard amount.units > 0 else { throw .amountNotPositive(amount) }
    let held = holdings[Int(currency.rawValue)].units.addingReportingOverflow(amount.units)
    guard !held.overflow else { throw .holdingsOverflow(currency) }
    let account: AccountID
    if let named {
      guard Int(named.rawValue) < owners.count else { throw .unknownAccount(named) }
      guard named == .house || owners[Int(named.rawValue)] == owner else { throw .notTheOwner(named) }
      account = named
    } else {
      account = try firstAccount(of: owner)
    }
    holdings[Int(currency.rawValue)] = Money(units: held.partialValue)
    depositCount += 1
    let deposit = Deposit(
      number: depositCount, account: account, owner: owners[Int(account.rawValue)], currency: currency, amount: amount)
    pendingDeposits.append(deposit)
    return .deposited(deposit)
  }

  /// The owner's first account, opened if there is none: ids go up from 1 in order of opening.
  private mutating func firstAccount(of owner: Address) throws(VaultRefusal) -> AccountID {
    guard owner != .zero else { throw .noOwner }
    if let account = accounts[owner] { return account }
    guard owners.count < 1 << AccountTree.depth else { throw .treeIsFull }
    let account = AccountID(UInt32(owners.count))
    owners.append(owner)
    accounts[owner] = account
    paid.append(Array(repeating: .zero, count: rules.currencies))
    return account
  }

  // MARK: Withdrawals

  private mutating func withdraw(_ proof: AccountProof, _ currency: Currency) throws(VaultRefusal) -> VaultReceipt {
    guard Int(currency.rawValue) < rules.currencies else { throw .unknownCurrency(currency) }
    guard let final = finalHeader, proof.header.epoch <= final.epoch,
      let known = header(of: proof.header.epoch)
    else { throw .notFinal(proof.header.epoch) }
    guard proof.verify(againstHeaderHash: known.headerHash), proof.leaf.withdrawn.count == rules.currencies else {
      throw .invalidProof
    }
    let account = Int(proof.leaf.account.rawValue)
    guard account < owners.count, owners[account] == proof.leaf.owner else { throw .invalidProof }
    guard proof.leaf.owner != .zero else { throw .noOwner }
    let place = Int(currency.rawValue)
    let granted = proof.leaf.withdrawn[place]
    guard granted > paid[account][place] else { throw .nothingDue }
    // Both lie between 0 and what was ever deposited.
    let (due, overflow) = granted.units.subtractingReportingOverflow(paid[account][place].units)
    guard !overflow, due <= holdings[place].units else {
      throw .insufficientHoldings(currency, held: holdings[place])
    }
    holdings[place] -= Money(units: due)
    paid[account][place] = granted
    return .paid(
      account: proof.leaf.account, owner: proof.leaf.owner, currency: currency, amount: Money(units: due))
  }

  /// A remembered header.
  public func header(of epoch: Epoch) -> EpochHeader? {
    guard let first = headers.first, epoch >= first.epoch else { return nil }
    let place = Int(epoch.rawValue - first.epoch.rawValue)
    return place < headers.count ? headers[place] : nil
  }
}
