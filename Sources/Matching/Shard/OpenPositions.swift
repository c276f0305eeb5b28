import Market

/// Positions of one side of a book that expires, in the order in which they were opened: a position opens when it
/// becomes other than zero, and anew when it changes sides.
struct PositionList: BitwiseCopyable {
  var first: Slot = 0
  var last: Slot = 0
  var count = 0

  /// Place of a list: each book has one of longs and one of shorts.
  static func place(_ book: Int, isLong: Bool) -> Int { book * 2 + (isLong ? 0 : 1) }
}

extension Position {
  /// Whether its list is another one than when it had `before` lots.
  @inline(__always) func hasReopened(_ before: Int64) -> Bool {
    before == 0 || lots == 0 || before ^ lots < 0
  }
}

extension ShardMachine {
  /// Moves a position, which had `before` lots, to where it belongs now.
  @inline(never) mutating func relist(_ slot: Slot, before: Int64) {
    let position = positions[slot]
    let book = Int(position.book)
    if position.lots == before || books[book].contract.expiry == .never { return }
    if before != 0 {
      let place = PositionList.place(book, isLong: before > 0)
      let (older, newer) = (position.openedBefore, position.openedAfter)
      if older == 0 { openPositions[place].first = newer } else { positions[older].openedAfter = newer }
      if newer == 0 { openPositions[place].last = older } else { positions[newer].openedBefore = older }
      openPositions[place].count -= 1
    }
    if position.lots != 0 {
      let place = PositionList.place(book, isLong: position.lots > 0)
      let last = openPositions[place].last
      positions[slot].openedBefore = last
      positions[slot].openedAfter = 0
      if last == 0 { openPositions[place].first = slot } else { positions[last].openedAfter = slot }
      openPositions[place].last = slot
      openPositions[place].count += 1
    }
  }

  /// The open positions of a book that expires: longs, then shorts.
  borrowing func forEachOpenPosition(_ book: Int, _ body: (Slot) -> Void) {
    for place in book * 2..<book * 2 + 2 {
      var slot = openPositions[place].first
      while slot != 0 {
        body(slot)
        slot = positions[slot].openedAfter
      }
    }
  }
}
