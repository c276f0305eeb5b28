import Bytes
import Market

/// All accounts in the order of their opening, found by id, with the holders of each underlying.
///
/// The state hash of the whole is the sum of the accounts' own hashes, each taken again only after the account was
/// touched, so that a seal costs what the epoch changed and not what exists.
struct AccountBook: Sendable {
  private(set) var accounts: [Account] = []
  private var slots: [AccountID: Int] = [:]
  /// By owner: the trading group of its accounts.
  private var groups: [Address: AccountID] = [:]
  /// By underlying: a bit an account, set for those with a position or a coin of it.
  private var holders: [[UInt64]]

  private var hashes: [UInt64] = []
  private var hashSum: UInt64 = 0
  private var isTouched: [Bool] = []
  private var touched: [Int] = []

  init(underlyings: Int) { holders = Array(repeating: [], count: underlyings) }

  var count: Int { accounts.count }
  func slot(of account: AccountID) -> Int? { slots[account] }
  /// The trading group of an owner's next account; the house is in nobody's.
  func group(of account: AccountID, owner: Address) -> AccountID {
    account == .house ? account : groups[owner] ?? account
  }

  /// Reads an account.
  subscript(slot: Int) -> Account { _read { yield accounts[slot] } }

  /// Changes an account's state.
  @discardableResult
  mutating func change<Result>(_ slot: Int, _ body: (inout Account) -> Result) -> Result {
    if !isTouched[slot] {
      isTouched[slot] = true
      touched.append(slot)
    }
    return body(&accounts[slot])
  }

  /// An account whose measurements, which are no state, may be refreshed.
  subscript(measuring slot: Int) -> Account {
    _read { yield accounts[slot] }
    _modify { yield &accounts[slot] }
  }

  /// Adds an account; its id must be new.
  @discardableResult
  mutating func open(_ account: Account) -> Int {
    let slot = accounts.count
    slots[account.id] = slot
    if account.id != .house && groups[account.owner] == nil { groups[account.owner] = account.group }
    accounts.append(account)
    hashes.append(0)
    isTouched.append(true)
    touched.append(slot)
    for underlying in holders.indices where slot >> 6 >= holders[underlying].count { holders[underlying].append(0) }
    return slot
  }

  /// Keeps the holder list of an underlying right after a position or balance has changed.
  mutating func setHolds(_ holds: Bool, _ slot: Int, underlying: Int) {
    let bit: UInt64 = 1 << UInt64(slot & 63)
    if holds { holders[underlying][slot >> 6] |= bit } else { holders[underlying][slot >> 6] &= ~bit }
  }

  /// The first holder of the underlying at or after `slot`, in order of opening.
  func nextHolder(of underlying: Int, from slot: Int) -> Int? {
    var word = slot >> 6
    guard word < holders[underlying].count else { return nil }
    var bits = holders[underlying][word] & (~0 << UInt64(slot & 63))
    while bits == 0 {
      word += 1
      guard word < holders[underlying].count else { return nil }
      bits = holders[underlying][word]
    }
    return word << 6 + bits.trailingZeroBitCount
  }

  /// Takes the hashes of touched accounts again.
  mutating func settleHashes() {
    for slot in touched {
      hashSum &-= hashes[slot]
      hashes[slot] = accounts[slot].stateHash()
      hashSum &+= hashes[slot]
      isTouched[slot] = false
    }
    touched.removeAll(keepingCapacity: true)
  }

  /// Sum of all accounts' hashes as they are now.
  var stateHash: UInt64 { touched.reduce(hashSum) { $0 &- hashes[$1] &+ accounts[$1].stateHash() } }
}
