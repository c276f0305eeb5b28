/// A consumer's copy of one instrument's book order by order (L3): a snapshot and every `BookDelta` after it.
///
/// Each delta is held against the copy: its number follows the last one, the order and its level are as the delta says
/// they were, whoever trades was first in turn, and the copy's own checksum is the delta's. So a delta that was left
/// out, repeated or altered is noticed at once, and what is noticed is said exactly.
///
/// Orders lie in a pool whose places are used again: a copy that follows a book of steady size does not allocate.
public struct BookCopy: Sendable {
  public let instrument: InstrumentID
  /// Number of the last delta in the copy.
  public private(set) var sequence: UInt64
  /// Σ lots · `BookDelta.weight(of:_:)` over the copy's own orders.
  public private(set) var checksum: UInt64 = 0
  private var pool = BookOrderPool()
  private var places: [UInt64: UInt32] = [:]
  private var bids = BookSideCopy(.buy)
  private var asks = BookSideCopy(.sell)

  /// Begins with a snapshot. - Throws: where its orders do not give its checksum, come twice, or stand out of order.
  public init(_ image: BookImage) throws(BookDiscrepancy) {
    instrument = image.instrument
    sequence = image.sequence
    places.reserveCapacity(2 * image.orders.count)
    for order in image.orders {
      guard order.lots > .zero else { throw .impossibleLots(order: order.number, own: .zero, told: order.lots) }
      // Levels come best first: a price that is not the last one's must be a new, worse one.
      if let worst = (order.side == .buy ? bids : asks).levels.first?.price,
        order.side == .buy ? order.price > worst : order.price < worst
      {
        throw .outOfOrder(order.number)
      }
      try add(order)
    }
    guard checksum == image.checksum else { throw .checksumDiffers(own: checksum, told: image.checksum) }
  }

  /// Takes the next delta. - Throws: what is wrong with it, or with the copy; the copy is of no use then.
  public mutating func apply(_ delta: BookDelta) throws(BookDiscrepancy) {
    try Self.checkNumber(of: delta, instrument, sequence)
    sequence = delta.sequence
    if delta.event == .added {
      guard delta.orderLots > .zero else {
        throw .impossibleLots(order: delta.order, own: .zero, told: delta.orderLots)
      }
      try add(BookOrder(side: delta.side, price: delta.price, number: delta.order, lots: delta.orderLots))
    } else {
      try change(delta)
    }
    let own = lots(delta.side, at: delta.price)
    guard own == delta.lots else { throw .levelDiffers(delta.side, delta.price, own: own, told: delta.lots) }
    guard checksum == delta.checksum else { throw .checksumDiffers(own: checksum, told: delta.checksum) }
  }

  static func checkNumber(
    of delta: BookDelta, _ instrument: InstrumentID, _ sequence: UInt64
  ) throws(BookDiscrepancy) {
    guard delta.instrument == instrument else { throw .otherInstrument(own: instrument, told: delta.instrument) }
    guard delta.sequence > sequence else { throw .repeated(last: sequence, told: delta.sequence) }
    guard delta.sequence == sequence + 1 else { throw .gap(expected: sequence + 1, told: delta.sequence) }
  }

  // MARK: Changes

  private mutating func add(_ order: BookOrder) throws(BookDiscrepancy) {
    guard places[order.number] == nil else { throw .orderTwice(order.number) }
    // What no exchange shows; the sum would not fit either.
    let (_, overflow) = lots(order.side, at: order.price).count.addingReportingOverflow(order.lots.count)
    guard !overflow, pool.hasRoom else {
      throw .impossibleLots(order: order.number, own: .zero, told: order.lots)
    }
    places[order.number] = order.side == .buy ? pool.append(order, to: &bids) : pool.append(order, to: &asks)
    count(order.side, order.price, order.lots.count)
  }

  private mutating func change(_ delta: BookDelta) throws(BookDiscrepancy) {
    guard let place = places[delta.order] else { throw .unknownOrder(delta.order) }
    let entry = pool[place].order
    guard entry.side == delta.side, entry.price == delta.price else { throw .orderElsewhere(delta.order) }
    let isPossible =
      switch delta.event {
      case .removed: delta.orderLots == .zero
      case .reduced: delta.orderLots > .zero && delta.orderLots < entry.lots
      case .traded: delta.orderLots >= .zero && delta.orderLots < entry.lots
      case .added: false
      }
    guard isPossible else { throw .impossibleLots(order: delta.order, own: entry.lots, told: delta.orderLots) }
    if delta.event == .traded, let first = (entry.side == .buy ? bids.best : asks.best)?.first, first != place {
      throw .outOfTurn(delta.order, first: pool[first].order.number)
    }
    if entry.side == .buy {
      pool.shrink(place, to: delta.orderLots, in: &bids)
    } else {
      pool.shrink(place, to: delta.orderLots, in: &asks)
    }
    if delta.orderLots == .zero { places[delta.order] = nil }
    count(entry.side, entry.price, delta.orderLots.count &- entry.lots.count)
  }

  private mutating func count(_ side: Side, _ price: Price, _ change: Int64) {
    checksum &+= UInt64(bitPattern: change) &* BookDelta.weight(of: side, price)
  }

  // MARK: Reading

  /// Orders in the book.
  public var orderCount: Int { places.count }

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

  /// L3: the orders at a price, the first in priority first.
  public func queue(_ side: Side, at price: Price) -> [BookOrder] {
    let copy = side == .buy ? bids : asks
    guard let level = copy.place(of: price) else { return [] }
    var orders: [BookOrder] = []
    orders.reserveCapacity(copy[level].orders)
    var place = copy[level].first
    while place != 0 {
      orders.append(pool[place].order)
      place = pool[place].next
    }
    return orders
  }

  /// The whole copy as a snapshot.
  public var image: BookImage {
    let orders = [Side.buy, .sell].flatMap { side in
      levels(side).flatMap { queue(side, at: $0.price) }
    }
    return BookImage(instrument: instrument, sequence: sequence, checksum: checksum, orders: orders)
  }

  /// The copy by levels.
  public var levelImage: BookLevelsImage {
    BookLevelsImage(
      instrument: instrument, sequence: sequence, checksum: checksum, levels: levels(.buy) + levels(.sell))
  }
}
