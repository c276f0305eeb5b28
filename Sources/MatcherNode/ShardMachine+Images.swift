import Market
import Matching

/// A shard's books in the words that consumers' copies begin with.
extension ShardMachine {
  /// The whole book by levels; `nil` for an instrument that is not of this shard.
  borrowing func levelsImage(of instrument: InstrumentID) -> BookLevelsImage? {
    guard let snapshot = bookSnapshot(instrument) else { return nil }
    let levels =
      snapshot.bids.map { BookLevelImage(side: .buy, price: $0.price, lots: $0.lots) }
      + snapshot.asks.map { BookLevelImage(side: .sell, price: $0.price, lots: $0.lots) }
    return BookLevelsImage(
      instrument: instrument, sequence: snapshot.sequence, checksum: snapshot.checksum, levels: levels)
  }

  /// The whole book order by order; `nil` for an instrument that is not of this shard.
  borrowing func ordersImage(of instrument: InstrumentID) -> BookImage? {
    guard let book = orderBook(instrument) else { return nil }
    return BookImage(
      instrument: instrument, sequence: book.sequence, checksum: book.checksum,
      orders: book.orders.map { BookOrder(side: $0.side, price: $0.price, number: $0.number, lots: $0.lots) })
  }
}
