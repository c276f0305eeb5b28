import Bytes
import Market

/// What can be asked of the vault. A vault is its rules and its transactions, in order: a store that keeps these
/// can replay them. Layout: kind u8 (1, 2, 3 in order of the cases), then the parts in order.
public enum VaultTransaction: ByteCodable, Sendable, Hashable {
  /// Pays into an account. Without an account: the owner's first one, opened now if there is none. Anyone may pay into
  /// the house's.
  case deposit(owner: Address, account: AccountID?, currency: Currency, amount: Money)
  /// Brings an epoch on top of the last one.
  case post(EpochPost)
  /// Pays out what was granted to the proven account in one currency and not paid yet.
  case withdraw(AccountProof, currency: Currency)

  public func write(to writer: inout ByteWriter) {
    switch self {
    case .deposit(let owner, let account, let currency, let amount):
      writer.u8(1)
      owner.write(to: &writer)
      writer.bool(account != nil)
      (account ?? .house).write(to: &writer)
      currency.write(to: &writer)
      amount.write(to: &writer)
    case .post(let post):
      writer.u8(2)
      post.write(to: &writer)
    case .withdraw(let proof, let currency):
      writer.u8(3)
      proof.write(to: &writer)
      currency.write(to: &writer)
    }
  }

  public init(from reader: inout ByteReader) {
    switch reader.u8() {
    case 2: self = .post(EpochPost(from: &reader))
    case 3: self = .withdraw(AccountProof(from: &reader), currency: Currency(from: &reader))
    case let kind:
      if kind != 1 { reader.fail() }
      let owner = Address(from: &reader)
      let isNamed = reader.bool()
      let account = AccountID(from: &reader)
      self = .deposit(
        owner: owner, account: isNamed ? account : nil, currency: Currency(from: &reader),
        amount: Money(from: &reader))
    }
  }
}

/// What a transaction did.
public enum VaultReceipt: Sendable, Hashable {
  case deposited(Deposit)
  /// The epoch is posted; `final` is the last final epoch now, 0 while none is.
  case posted(Epoch, headerHash: Digest, final: Epoch)
  /// This very header was posted before; nothing changed.
  case alreadyPosted(Epoch, headerHash: Digest)
  case paid(account: AccountID, owner: Address, currency: Currency, amount: Money)
}

/// Why a transaction was refused; nothing changed.
public enum VaultRefusal: Error, Sendable, Hashable {
  // Deposits.
  case amountNotPositive(Money)
  case unknownCurrency(Currency)
  /// The zero address owns nothing.
  case noOwner
  case unknownAccount(AccountID)
  case notTheOwner(AccountID)
  /// Every place in the account tree is taken.
  case treeIsFull
  /// The vault would hold more than 64 bits count.
  case holdingsOverflow(Currency)

  // Posts.
  case wrongEpoch(expected: Epoch)
  /// Another header was posted for that epoch.
  case conflictingHeader(Epoch)
  /// Posted too long ago to tell whether the header is the same.
  case forgotten(Epoch)
  case wrongPreviousRoot
  case noQuorum(valid: Int, needed: Int)
  case depositCursor(UInt64)
  case misplacedLeaf
  case inconsistentLeaf(AccountID)
  case wrongOwner(AccountID)
  /// Cumulative withdrawals fell.
  case withdrawnFell(AccountID)
  /// The currency's balances changed by other than deposits less withdrawals.
  case ledgerNotConserved(Currency)
  case positionsNotConserved(InstrumentID)
  case wrongRoot
  case wrongTotalPositiveEquity

  // Withdrawals.
  /// The proof's header is not among the vault's recent final ones.
  case notFinal(Epoch)
  case invalidProof
  case nothingDue
  case insufficientHoldings(Currency, held: Money)
}
