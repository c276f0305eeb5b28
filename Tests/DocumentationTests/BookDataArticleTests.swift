import Bytes
import Market
import Testing

struct BookDataArticleTests {
  private let article: Article
  init() throws { article = try Article("Sources/Market/Market.docc/BookData") }

  private static let (low, high) = (Price(whole: 100_000), Price(whole: 100_010))

  /// The article's three changes, told from lots and weights alone.
  private static func deltas() -> [BookDelta] {
    let first = 20 &* BookDelta.weight(of: .buy, low)
    let second = first &+ 5 &* BookDelta.weight(of: .sell, high)
    func delta(
      _ event: BookDelta.Event, _ side: Side, _ price: Price, _ order: UInt64, _ lots: Int64, _ sequence: UInt64,
      _ checksum: UInt64
    ) -> BookDelta {
      BookDelta(
        instrument: InstrumentID(5), event: event, side: side, price: price, lots: Lots(lots), order: order,
        orderLots: Lots(lots), sequence: sequence, checksum: checksum)
    }
    return [
      delta(.added, .buy, low, 7, 20, 1, first), delta(.added, .sell, high, 8, 5, 2, second),
      delta(.traded, .sell, high, 8, 2, 3, second &- 3 &* BookDelta.weight(of: .sell, high)),
    ]
  }

  @Test func theChangeIsWhatAShardWrites() throws {
    let delta = Self.deltas()[2]
    try article.holds(
      "book-delta",
      [
        .init(delta.instrument, "0 instrument u32: 5"), .init([delta.event.rawValue], "4 event u8: traded"),
        .init([delta.side.rawValue], "5 side u8: sell"), .init([0, 0], "6 zero u16"),
        .init(delta.price, "8 price i64: 100010"), .init(delta.lots, "16 level's lots i64: 2"),
        .init(WorkedExample.littleEndian(delta.order), "24 order u64: 8"),
        .init(delta.orderLots, "32 order's lots i64: 2"),
        .init(WorkedExample.littleEndian(delta.sequence), "40 sequence u64: 3"),
        .init(WorkedExample.littleEndian(delta.checksum), "48 checksum u64"),
      ])
    #expect(try article.bytes("book-delta") == delta.encoded)
    #expect(delta.encoded.count == BookDelta.byteCount)
  }

  @Test func theStoryIsProvenByBothCopies() throws {
    let deltas = Self.deltas()
    for (delta, digits) in zip(deltas, ["f0736c0af6566c14", "0360be1f25cf1e8f"]) {
      #expect(BookDiscrepancy.text(delta.checksum) == digits)
      #expect(article.text.contains("`0x\(digits)`"))
    }
    var orders = try BookCopy(BookImage(instrument: InstrumentID(5), sequence: 0, checksum: 0, orders: []))
    var levels = try LevelBookCopy(BookLevelsImage(instrument: InstrumentID(5), sequence: 0, checksum: 0, levels: []))
    for delta in deltas {
      try orders.apply(delta)
      try levels.apply(delta)
    }
    #expect(orders.image.orders.map(\.number) == [7, 8] && orders.best(.sell)?.lots == Lots(2))
    #expect(levels.levels(.buy) == orders.levels(.buy) && levels.checksum == orders.checksum)
  }

  @Test func aTradingStateHasTheSizeAndOffsetsThatTheTableSays() throws {
    let status = InstrumentStatus(
      instrument: InstrumentID(5), state: .uncrossing, until: Timestamp(nanoseconds: 1), price: Price(units: 2),
      volume: Lots(3), imbalance: Lots(4), sequence: 6)
    let bytes = status.encoded
    #expect(bytes.count == 45 && bytes[0] == 5 && bytes[4] == 3 && bytes[5] == 1)
    #expect(bytes[13] == 2 && bytes[21] == 3 && bytes[29] == 4 && bytes[37] == 6)
  }
}
