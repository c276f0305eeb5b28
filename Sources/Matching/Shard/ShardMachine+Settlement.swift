import Bytes
import Machine
import Market

// Expiry: the book is emptied, then every position is closed at the settlement price.
extension ShardMachine {
  /// Takes the order to settle once; what comes before the expiry waits for it.
  mutating func take(_ settle: Settle, into output: inout OutputBuffer) {
    let (book, absent) = book(of: settle.instrument)
    guard absent == nil, settle.index.units > 0, !books[book].isSettling, books[book].contract.expiry != .never else {
      return
    }
    books[book].isSettling = true
    updateGate(book)
    books[book].settlementIndex = settle.index.units
    if books[book].contract.expiry > now { wake(at: books[book].contract.expiry) }
    start(Job(kind: .settle, book: UInt32(book)))
  }

  mutating func settle(_ book: Int, into output: inout OutputBuffer) -> Bool {
    if !empty(book, into: &output) { return false }
    while openPositions[book * 2].count + openPositions[book * 2 + 1].count != 0 {
      if budget == 0 { return false }
      close(book, into: &output)
    }
    books[book].isSettled = true
    return true
  }

  /// Cancels the book's orders, then its stops, newest first.
  private mutating func empty(_ book: Int, into output: inout OutputBuffer) -> Bool {
    for side in Side.allCases {
      let handle = books.side(book, side)
      while handle.pointee.best >= 0 {
        if budget == 0 { return false }
        budget -= 1
        withdraw(handle.pointee.firstOrder, because: .cancelledByExpiry, into: &output)
      }
    }
    while books[book].stops != 0 {
      let stop = triggers[book].newest
      if budget == 0 { return false }
      budget -= 1
      let deferral = stops[stop].deferral
      dropStop(stop)
      conclude(stop: deferral, .cancelledByExpiry, into: &output)
    }
    return true
  }

  /// Closes as many positions as the budget allows. Lots and cash of every step sum to zero, so that an epoch may end
  /// between two steps: where not all fit, longs and shorts are taken so that they balance, and the last one in part.
  private mutating func close(_ book: Int, into output: inout OutputBuffer) {
    var closing: [(slot: Slot, lots: Int64)] = []
    var nextLong = openPositions[book * 2].first
    var nextShort = openPositions[book * 2 + 1].first
    var balance: Int64 = 0
    let most = max(2, budget)
    let areFew = openPositions[book * 2].count + openPositions[book * 2 + 1].count <= budget
    while closing.count < most {
      let slot = balance <= 0 && nextLong != 0 || nextShort == 0 && areFew ? nextLong : nextShort
      if slot == 0 { break }
      if slot == nextLong {
        nextLong = positions[slot].openedAfter
      } else {
        nextShort = positions[slot].openedAfter
      }
      closing.append((slot, positions[slot].lots))
      balance += positions[slot].lots
    }
    if !areFew, balance != 0, let place = closing.lastIndex(where: { ($0.lots > 0) == (balance > 0) }) {
      closing[place].lots -= balance
      if closing[place].lots == 0 { closing.remove(at: place) }
    }
    closing.sort { accounts[positions[$0.slot].accountSlot].id < accounts[positions[$1.slot].accountSlot].id }
    let instrument = instruments[book]
    let price = instrument.settlementPrice(index: Price(units: books[book].settlementIndex)) ?? .zero
    let currency = books[book].currency
    var paid: Int128 = 0
    for (slot, lots) in closing {
      let account = positions[slot].accountSlot
      let cash =
        settlementValue(instrument, positions[slot].lots, price)
        - settlementValue(instrument, positions[slot].lots - lots, price)
      let room = Contract.largestSum - Int64(ledger[account, currency].magnitude)
      let bounded = min(max(cash, -room), room)
      paid += Int128(bounded)
      emitSettlement(.settlement, account, slot, -lots, bounded, price, book, into: &output)
    }
    budget = max(0, budget - closing.count)
    let residue = Int64(clamping: -paid)
    if residue != 0 { emitSettlement(.residue, Self.houseSlot, 0, 0, residue, price, book, into: &output) }
  }

  /// What the position is worth, rounded down; beyond the range of money it stops at the range's end.
  private func settlementValue(_ instrument: Instrument, _ lots: Int64, _ price: Price) -> Int64 {
    guard let value = instrument.positionValue(Lots(lots), at: price) else {
      return instrument.settlement == .inverse && price.units <= 0 ? 0 : lots.signum() * Contract.largestAmount
    }
    return min(max(value.units, -Contract.largestAmount), Contract.largestAmount)
  }

  private mutating func emitSettlement(
    _ kind: Fill.Kind, _ account: Slot, _ position: Slot, _ lots: Int64, _ cash: Int64, _ price: Price, _ book: Int,
    into output: inout OutputBuffer
  ) {
    move(account, position, lots, cash, books[book].currency)
    fillNumber &+= 1
    let trade = Trade(
      instrument: instruments[book].id, price: price.units, fills: fillNumber,
      messages: streams.takeNext(to: .risk), sequence: sequence, stamp: now)
    emitFill(
      kind, trade, accounts.base + Int(account), 0, Self.ownerKey, 0, lots: lots, cash: cash, fee: 0,
      consumed: accounts[account].consumed, remaining: 0, into: &output)
  }
}
