import Bytes
import Machine
import Market

extension RiskMachine {
  /// An account without anything in it.
  func account(_ id: AccountID, owner: Address) -> Account {
    Account(
      id: id, owner: owner, group: book.group(of: id, owner: owner),
      currencies: board.definition.currencies.count, underlyings: board.quotations.count,
      shards: id == .house ? 0 : shardCount)
  }

  /// Credits a deposit; the first one opens the account here and, by a `Credit` to each shard, there. A deposit that
  /// cannot be booked is counted and left out.
  mutating func consume(_ deposit: Deposit, into output: inout OutputBuffer) -> Bool {
    guard ledgers.depositCursor < RiskLimits.streamNumber, deposit.number == ledgers.depositCursor + 1 else {
      return false
    }
    ledgers.depositCursor += 1
    let currency = Int(deposit.currency.rawValue)
    let known = book.slot(of: deposit.account)
    guard deposit.amount > .zero, currency < ledgers.vault.count,
      (known.map { book[$0].ledger[currency] } ?? 0).boundedSum(deposit.amount.units) != nil,
      deposit.amount.units <= Int64.max - ledgers.vault[currency]
    else { return false }
    ledgers.vault[currency] += deposit.amount.units
    let slot = known ?? book.open(account(deposit.account, owner: deposit.owner))
    move(slot, currency: currency, by: deposit.amount.units)
    #if NOVATION_PLANT
      if faults.contains(.doubleDeposit) { move(slot, currency: currency, by: deposit.amount.units) }
      if faults.contains(.hideDeposits) {
        if known == nil { openInShards(slot, into: &output) }
        return true
      }
    #endif
    ledgers.record(deposit.account, currency: deposit.currency, amount: deposit.amount)
    if known == nil { openInShards(slot, into: &output) }
    if book[slot].isExhausted { book.change(slot) { $0.isExhausted = false } }
    if book[slot].isFrozen {
      reconsiderFrozen(slot, into: &output)
    } else if !book[slot].lines.isEmpty {
      queueReview(slot)
    }
    return true
  }

  /// Moves a ledger by an amount that was checked to fit, and keeps what follows from ledgers right.
  mutating func move(_ slot: Int, currency: Int, by amount: Int64) {
    let coin = board.definition.currencies[currency].underlying
    book.change(slot) { account in
      if let moved = account.ledger[currency].boundedSum(amount) { account.ledger[currency] = moved }
      if let coin { account.exposures[Int(coin.rawValue)].isStale = true }
    }
    if let coin { refreshHolder(slot, Int(coin.rawValue)) }
  }

  /// Whether the account is among those that a tick of the underlying re-margins. The house is never margined.
  mutating func refreshHolder(_ slot: Int, _ underlying: Int) {
    guard slot != Self.houseSlot else { return }
    let holds =
      !book[slot].exposures[underlying].positions.isEmpty || board.coinBalance(of: book[slot], in: underlying) != 0
    book.setHolds(holds, slot, underlying: underlying)
  }
}
