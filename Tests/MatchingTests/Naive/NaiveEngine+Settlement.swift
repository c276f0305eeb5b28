import Bytes
import Machine
import Market

// Expiry: the book is emptied, then every position is closed at the settlement price.
extension NaiveEngine {
  mutating func take(_ settle: Settle) {
    guard let book = book(of: settle.instrument).book, settle.index.units > 0, !books[book].isSettling,
      books[book].instrument.expiry != .never
    else { return }
    books[book].isSettling = true
    books[book].settlementIndex = settle.index.units
    start(NaiveJob(kind: .settle, book: book))
  }

  mutating func settle(_ book: Int, into output: inout OutputBuffer) -> Bool {
    for side in Side.allCases {
      while let place = best(book, side) {
        if budget == 0 { return false }
        budget -= 1
        remove(place, because: .cancelledByExpiry, into: &output)
      }
    }
    while let place = stops.lastIndex(where: { $0.book == book }) {
      if budget == 0 { return false }
      budget -= 1
      removeStop(place, because: .cancelledByExpiry, into: &output)
    }
    while true {
      let open = positions.indices.filter { positions[$0].book == book && positions[$0].lots != 0 }
      if open.isEmpty { break }
      if budget == 0 { return false }
      close(open, book, into: &output)
    }
    books[book].isSettled = true
    return true
  }

  /// Closes as many positions as the units allow, such that lots and cash of the step sum to zero: where not all fit,
  /// longs and shorts in turn, and the last one in part.
  private mutating func close(_ open: [Int], _ book: Int, into output: inout OutputBuffer) {
    var closing = open.map { (place: $0, lots: positions[$0].lots) }
    if open.count > budget {
      var longs = closing.filter { $0.lots > 0 }[...]
      var shorts = closing.filter { $0.lots < 0 }[...]
      closing = []
      var balance: Int64 = 0
      while closing.count < max(2, budget) {
        let next = balance <= 0 && !longs.isEmpty ? longs.popFirst() : shorts.popFirst()
        guard let next else { break }
        closing.append(next)
        balance += next.lots
      }
      if balance != 0, let last = closing.lastIndex(where: { ($0.lots > 0) == (balance > 0) }) {
        closing[last].lots -= balance
        if closing[last].lots == 0 { closing.remove(at: last) }
      }
    }
    closing.sort { accounts[positions[$0.place].account].id < accounts[positions[$1.place].account].id }
    let instrument = books[book].instrument
    let price = instrument.settlementPrice(index: Price(units: books[book].settlementIndex)) ?? .zero
    var balance: Int128 = 0
    // Places change when a position closes.
    for (account, lots) in closing.map({ (positions[$0.place].account, $0.lots) }) {
      guard let place = positions.firstIndex(where: { $0.account == account && $0.book == book }) else { continue }
      let before = Self.worth(instrument, positions[place].lots, price)
      let cash = before - Self.worth(instrument, positions[place].lots - lots, price)
      let room = Self.largestSum - Int64(ledger(account, instrument.settlementCurrency).magnitude)
      let bounded = min(max(cash, -room), room)
      balance += Int128(bounded)
      move(account, book, lots: -lots)
      emitCash(.settlement, account, book, lots: -lots, cash: bounded, price, into: &output)
    }
    budget = max(0, budget - closing.count)
    let residue = Int64(clamping: -balance)
    if residue != 0 { emitCash(.residue, 0, book, lots: 0, cash: residue, price, into: &output) }
  }

  /// What a position is worth, rounded down; beyond the range of money it stops at the range's end.
  private static func worth(_ instrument: Instrument, _ lots: Int64, _ price: Price) -> Int64 {
    guard let value = instrument.positionValue(Lots(lots), at: price)?.units else {
      return instrument.settlement == .inverse && price.units <= 0 ? 0 : lots.signum() * largestAmount
    }
    return min(max(value, -largestAmount), largestAmount)
  }

  private mutating func emitCash(
    _ kind: Fill.Kind, _ account: Int, _ book: Int, lots: Int64, cash: Int64, _ price: Price,
    into output: inout OutputBuffer
  ) {
    move(account, books[book].instrument.settlementCurrency, cash: cash)
    emitFill(
      Fill(
        number: 0, kind: kind, instrument: books[book].instrument.id,
        order: orderID(account, NaiveName(key: 0, nonce: 0, index: 0)), lots: Lots(lots), price: price,
        cash: Money(units: cash), fee: .zero, consumed: Money(units: accounts[account].consumed)),
      remaining: 0, isMaker: false, into: &output)
  }
}
