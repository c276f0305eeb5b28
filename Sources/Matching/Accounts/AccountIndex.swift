import Market

/// Account → slot. Accounts are numbered from the bottom, so nearly all lie in a plain array; the rest in a table.
struct AccountIndex: ~Copyable {
  private static let dense = 1 << 22
  private let slots: UnsafeMutablePointer<Slot>
  private var table = SlotTable()

  init() {
    slots = LazyMemory.map(byteCount: Self.dense * MemoryLayout<Slot>.stride)
      .bindMemory(to: Slot.self, capacity: Self.dense)
  }
  deinit { LazyMemory.unmap(slots, byteCount: Self.dense * MemoryLayout<Slot>.stride) }

  /// The slot of an account in the array, or 0.
  @inline(__always) func findDense(_ account: AccountID) -> Slot {
    account.rawValue < UInt32(Self.dense) ? slots[Int(account.rawValue)] : 0
  }

  /// The account's slot, or 0.
  @inline(__always) func find(_ account: AccountID, _ accounts: UnsafeMutablePointer<Account>) -> Slot {
    let number = Int(account.rawValue)
    return number < Self.dense ? slots[number] : findSparse(account, accounts)
  }
  @inline(never) private func findSparse(_ account: AccountID, _ accounts: UnsafeMutablePointer<Account>) -> Slot {
    table.find(table.hash(UInt64(account.rawValue))) { accounts[Int($0)].id == account }
  }

  mutating func insert(_ account: AccountID, _ slot: Slot, _ accounts: UnsafeMutablePointer<Account>) {
    if Int(account.rawValue) < Self.dense {
      slots[Int(account.rawValue)] = slot
    } else {
      table.insert(table.hash(UInt64(account.rawValue)), slot) { (UInt64(accounts[Int($0)].id.rawValue), 0) }
    }
  }
}
