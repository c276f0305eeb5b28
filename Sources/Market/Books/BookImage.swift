import Bytes

/// One displayed order of a book, as market data names it.
public struct BookOrder: Sendable, Hashable, BitwiseCopyable {
  public var side: Side
  public var price: Price
  /// The order's public number; a refreshed iceberg has a new one.
  public var number: UInt64
  /// Lots that it shows.
  public var lots: Lots
  public init(side: Side, price: Price, number: UInt64, lots: Lots) {
    self.side = side
    self.price = price
    self.number = number
    self.lots = lots
  }
}

/// A book order by order (L3) as of one sequence of its deltas.
public struct BookImage: Sendable, Hashable {
  public var instrument: InstrumentID
  /// The last `BookDelta` that is in it; the next one continues it.
  public var sequence: UInt64
  /// That delta's checksum; zero for a book that never changed.
  public var checksum: UInt64
  /// Of each side the best price first, at a price the first in priority first.
  public var orders: [BookOrder]
  public init(instrument: InstrumentID, sequence: UInt64, checksum: UInt64, orders: [BookOrder]) {
    self.instrument = instrument
    self.sequence = sequence
    self.checksum = checksum
    self.orders = orders
  }
}

/// One price level of a book: what L2 knows of it.
public struct BookLevelImage: Sendable, Hashable, BitwiseCopyable {
  public var side: Side
  public var price: Price
  /// Σ displayed lots, more than zero.
  public var lots: Lots
  public init(side: Side, price: Price, lots: Lots) {
    self.side = side
    self.price = price
    self.lots = lots
  }
}

/// A book level by level (L2) as of one sequence of its deltas. It must be whole: a checksum covers every level.
public struct BookLevelsImage: Sendable, Hashable {
  public var instrument: InstrumentID
  /// The last `BookDelta` that is in it; the next one continues it.
  public var sequence: UInt64
  /// That delta's checksum; zero for a book that never changed.
  public var checksum: UInt64
  /// Of each side the best price first.
  public var levels: [BookLevelImage]
  public init(instrument: InstrumentID, sequence: UInt64, checksum: UInt64, levels: [BookLevelImage]) {
    self.instrument = instrument
    self.sequence = sequence
    self.checksum = checksum
    self.levels = levels
  }
}

extension BookOrder: ByteCodable {
  static let byteCount = 25
  public func write(to writer: inout ByteWriter) {
    writer.u8(side.rawValue)
    price.write(to: &writer)
    writer.u64(number)
    lots.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    side = reader.enumeration(Side.self, otherwise: .buy)
    price = Price(from: &reader)
    number = reader.u64()
    lots = Lots(from: &reader)
  }
}

extension BookLevelImage: ByteCodable {
  static let byteCount = 17
  public func write(to writer: inout ByteWriter) {
    writer.u8(side.rawValue)
    price.write(to: &writer)
    lots.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    side = reader.enumeration(Side.self, otherwise: .buy)
    price = Price(from: &reader)
    lots = Lots(from: &reader)
  }
}

extension BookImage: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    instrument.write(to: &writer)
    writer.u64(sequence)
    writer.u64(checksum)
    writer.u32(UInt32(orders.count))
    for order in orders { order.write(to: &writer) }
  }
  public init(from reader: inout ByteReader) {
    instrument = InstrumentID(from: &reader)
    sequence = reader.u64()
    checksum = reader.u64()
    orders = (0..<reader.itemCount(minimumSize: BookOrder.byteCount)).map { _ in BookOrder(from: &reader) }
  }
}

extension BookLevelsImage: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    instrument.write(to: &writer)
    writer.u64(sequence)
    writer.u64(checksum)
    writer.u32(UInt32(levels.count))
    for level in levels { level.write(to: &writer) }
  }
  public init(from reader: inout ByteReader) {
    instrument = InstrumentID(from: &reader)
    sequence = reader.u64()
    checksum = reader.u64()
    levels = (0..<reader.itemCount(minimumSize: BookLevelImage.byteCount)).map { _ in BookLevelImage(from: &reader) }
  }
}
