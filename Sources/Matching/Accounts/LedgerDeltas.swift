/// What each account's ledger moved by in this epoch, per currency of the shard, in one flat growing array.
struct LedgerDeltas: ~Copyable {
  private var amounts: UnsafeMutablePointer<Int64>
  private var accounts = 0
  let currencies: Int

  init(currencies: Int) {
    self.currencies = max(1, currencies)
    amounts = .allocate(capacity: 1)
  }
  deinit { amounts.deallocate() }

  /// Makes room for the account; every account is announced before it moves.
  mutating func reserve(_ account: Slot) {
    let needed = Int(account) + 1
    if needed <= accounts { return }
    let larger = UnsafeMutablePointer<Int64>.allocate(capacity: max(64, needed * 2) * currencies)
    larger.initialize(repeating: 0, count: max(64, needed * 2) * currencies)
    larger.update(from: amounts, count: accounts * currencies)
    amounts.deallocate()
    amounts = larger
    accounts = max(64, needed * 2)
  }

  /// The amount in place, until the next account is announced.
  @inline(__always) func at(_ account: Slot, _ currency: Int) -> UnsafeMutablePointer<Int64> {
    assert(Int(account) < accounts && currency < currencies)
    return amounts + (Int(account) &* currencies &+ currency)
  }

  @inline(__always) subscript(account: Slot, currency: Int) -> Int64 {
    get {
      precondition(Int(account) < accounts && currency < currencies)
      return amounts[Int(account) &* currencies &+ currency]
    }
    set {
      precondition(Int(account) < accounts && currency < currencies)
      amounts[Int(account) &* currencies &+ currency] = newValue
    }
  }
}
