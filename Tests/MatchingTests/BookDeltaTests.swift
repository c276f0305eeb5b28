import Machine
import Market
import Testing

@testable import Matching

@Suite struct BookDeltaTests {
  /// A consumer's copy of a book: orders by their public number.
  private struct Copy {
    var orders: [UInt64: (side: Side, price: Price, lots: Int64)] = [:]
    var checksum: UInt64 = 0
    var sequence: UInt64 = 0

    /// False if the delta does not continue the copy or tells of another book.
    mutating func take(_ delta: BookDelta) -> Bool {
      sequence += 1
      let before = orders[delta.order]?.lots ?? 0
      let known = orders[delta.order] != nil
      if (delta.event == .added) == known || delta.sequence != sequence { return false }
      orders[delta.order] = delta.orderLots == .zero ? nil : (delta.side, delta.price, delta.orderLots.count)
      checksum &+= UInt64(bitPattern: delta.orderLots.count - before) &* BookDelta.weight(of: delta.side, delta.price)
      return checksum == delta.checksum && level(delta.side, delta.price) == delta.lots.count
    }

    func level(_ side: Side, _ price: Price) -> Int64 {
      orders.values.filter { $0.side == side && $0.price == price }.reduce(0) { $0 + $1.lots }
    }
  }

  @Test func bookDeltasRebuildTheBookOrderByOrder() {
    let venue = Venue()
    var mix = OperationMix(seed: 11, accounts: 4, instruments: [Venue.linear], spread: 8)
    var copy = Copy()
    for _ in 0..<5_000 {
      venue.nonce += 1
      let (name, operation) = mix.next(nonce: venue.nonce, market: venue.market)
      for delta in venue.act(name.account.rawValue, [operation], nonce: name.nonce).deltas {
        let continues = copy.take(delta)
        #expect(continues, "\(delta)")
        if !continues { return }
      }
    }
    let book = venue.machine.bookSnapshot(Venue.linear)!
    #expect(book.sequence == copy.sequence && !copy.orders.isEmpty)
    for (side, levels) in [(Side.buy, book.bids), (.sell, book.asks)] {
      #expect(levels.allSatisfy { copy.level(side, $0.price) == $0.lots.count })
      #expect(
        levels.reduce(0) { $0 + $1.lots.count }
          == copy.orders.values.filter { $0.side == side }.reduce(0) { $0 + $1.lots })
    }
  }
}
