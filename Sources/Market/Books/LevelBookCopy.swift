/// A consumer's copy of one instrument's book by levels (L2): a snapshot and every `BookDelta` after it, each proved by
/// its sequence, its level and the running checksum, for which levels are enough.
public struct LevelBookCopy: Sendable {
  public let instrument: InstrumentID
  /// Number of the last delta in the copy.
  public private(set) var sequence: UInt64
  /// Σ lots · `BookDelta.weight(of:_:)` over the copy's own levels.
  public private(set) var checksum: UInt64 = 0
  private var bids = BookSideCopy(.buy)
  private var asks = BookSideCopy(.sell)

  /// Begins with a snapshot. - Throws: where its levels do not give its checksum, or come twice.
  public init(_ image: BookLevelsImage) throws(BookDiscrepancy) {
    instrument = image.instrument
    sequence = image.sequence
    for level in image.levels {
      let own = lots(level.side, at: level.price)
      guard level.lots > .zero, own == .zero else {
        throw .levelDiffers(level.side, level.price, own: own, told: level.lots)
      }
      set(level.side, level.price, level.lots)
    }
    guard checksum == image.checksum else { throw .checksumDiffers(own: checksum, told: image.checksum) }
  }

  /// Takes the next delta. - Throws: what is wrong with it, or with the copy; the copy is of no use then.
  public mutating func apply(_ delta: BookDelta) throws(BookDiscrepancy) {
    try BookCopy.checkNumber(of: delta, instrument, sequence)
    let own = lots(delta.side, at: delta.price)
    let grows = delta.event == .added
    guard delta.lots >= .zero, grows ? delta.lots > own : delta.lots < own else {
      throw .levelDiffers(delta.side, delta.price, own: own, told: delta.lots)
    }
    set(delta.side, delta.price, delta.lots)
    sequence = delta.sequence
    guard checksum == delta.checksum else { throw .checksumDiffers(own: checksum, told: delta.checksum) }
  }

  private mutating func set(_ side: Side, _ price: Price, _ lots: Lots) {
    let change = lots.count &- self.lots(side, at: price).count
    checksum &+= UInt64(bitPattern: change) &* BookDelta.weight(of: side, price)
    if side == .buy { Self.set(&bids, price, lots) } else { Self.set(&asks, price, lots) }
  }

  private static func set(_ side: inout BookSideCopy, _ price: Price, _ lots: Lots) {
    if lots > .zero {
      let place = side.openPlace(of: price)
      side[place].lots = lots
    } else if let place = side.place(of: price) {
      side.remove(at: place)
    }
  }

  /// Σ displayed lots at a price; zero where there are none.
  public func lots(_ side: Side, at price: Price) -> Lots {
    side == .buy ? bids.lots(at: price) : asks.lots(at: price)
  }

  /// L1: the best price of a side and what is shown there.
  public func best(_ side: Side) -> BookLevelImage? {
    (side == .buy ? bids.best : asks.best).map { BookLevelImage(side: side, price: $0.price, lots: $0.lots) }
  }

  /// L2: at most `depth` levels of a side, the best first.
  public func levels(_ side: Side, depth: Int = .max) -> [BookLevelImage] {
    side == .buy ? bids.images(depth) : asks.images(depth)
  }
}
