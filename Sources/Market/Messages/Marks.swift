import Bytes

/// Lanes of a risk array; scenarios beyond those in use are zero.
public let scenarioLanes = 32

/// Marks to one shard, journalled there as an oracle input: what its admission of orders needs, per instrument. Full,
/// not incremental: a newer version replaces an older one.
public struct ShardMarks: ByteCodable, Sendable, Hashable {
  public struct Entry: Sendable, Hashable, BitwiseCopyable {
    public static let byteCount = 60
    public var instrument: InstrumentID
    public var mark: Price
    /// Stand-alone initial margin of one lot bought (sold), in USD; with the loss to mark and fees it covers the
    /// margin that a fill can add to any portfolio.
    public var marginToBuy: Money
    public var marginToSell: Money
    /// Orders priced outside are refused; market orders stop there.
    public var bandLow: Price
    public var bandHigh: Price
    /// Coins of the underlying that one lot held stands for, in 1e-8: what market-maker protection adds up.
    public var delta: Int64
    /// USD by which one lot's value moves with one volatility point, in 1e-8.
    public var vega: Int64
    public init(
      instrument: InstrumentID, mark: Price, marginToBuy: Money, marginToSell: Money, bandLow: Price, bandHigh: Price,
      delta: Int64 = 0, vega: Int64 = 0
    ) {
      self.delta = delta
      self.vega = vega
      self.instrument = instrument
      self.mark = mark
      self.marginToBuy = marginToBuy
      self.marginToSell = marginToSell
      self.bandLow = bandLow
      self.bandHigh = bandHigh
    }
  }

  /// Deltas and vegas of one lot beyond this are refused.
  public static let largestGreek: UInt64 = 1 << 48

  /// Grows with every publication for this shard.
  public var version: UInt64
  /// The publisher's clock.
  public var stamp: Timestamp
  /// Index of the shard's underlying, USD; converts coin amounts to USD.
  public var index: Price
  public var entries: [Entry]
  public init(version: UInt64, stamp: Timestamp, index: Price, entries: [Entry]) {
    self.version = version
    self.stamp = stamp
    self.index = index
    self.entries = entries
  }

  public func write(to writer: inout ByteWriter) {
    writer.u64(version)
    stamp.write(to: &writer)
    index.write(to: &writer)
    writer.u32(UInt32(entries.count))
    for entry in entries {
      entry.instrument.write(to: &writer)
      entry.mark.write(to: &writer)
      entry.marginToBuy.write(to: &writer)
      entry.marginToSell.write(to: &writer)
      entry.bandLow.write(to: &writer)
      entry.bandHigh.write(to: &writer)
      writer.i64(entry.delta)
      writer.i64(entry.vega)
    }
  }
  public init(from reader: inout ByteReader) {
    version = reader.u64()
    stamp = Timestamp(from: &reader)
    index = Price(from: &reader)
    entries = (0..<reader.itemCount(minimumSize: Entry.byteCount)).map { _ in
      Entry(
        instrument: InstrumentID(from: &reader), mark: Price(from: &reader), marginToBuy: Money(from: &reader),
        marginToSell: Money(from: &reader), bandLow: Price(from: &reader), bandHigh: Price(from: &reader),
        delta: reader.i64(), vega: reader.i64())
    }
    let sane = entries.allSatisfy {
      $0.marginToBuy >= .zero && $0.marginToSell >= .zero && $0.bandLow <= $0.bandHigh && $0.mark.units >= 0
        && max($0.delta.magnitude, $0.vega.magnitude) <= ShardMarks.largestGreek
    }
    if !sane || index.units <= 0 { reader.fail() }
  }
}

/// Marks to risk for one underlying, journalled there as an oracle input: every instrument's mark and risk array.
public struct RiskMarks: ByteCodable, Sendable, Hashable {
  public struct Entry: Sendable, Hashable {
    public static let byteCount = 12 + 8 * scenarioLanes
    public var instrument: InstrumentID
    public var mark: Price
    /// Profit and loss of one lot held, in USD, in each scenario: `scenarioLanes` values.
    public var profitAndLoss: [Money]
    public init(instrument: InstrumentID, mark: Price, profitAndLoss: [Money]) {
      self.instrument = instrument
      self.mark = mark
      self.profitAndLoss = profitAndLoss
    }
  }

  public var version: UInt64
  public var stamp: Timestamp
  public var underlying: UnderlyingID
  /// Index of the underlying, USD.
  public var index: Price
  /// Scenarios in use, at most `scenarioLanes`.
  public var scenarioCount: UInt8
  /// Profit and loss of one whole coin of the underlying held as collateral, in USD, in each scenario.
  public var coinProfitAndLoss: [Money]
  public var entries: [Entry]
  public init(
    version: UInt64, stamp: Timestamp, underlying: UnderlyingID, index: Price, scenarioCount: UInt8,
    coinProfitAndLoss: [Money], entries: [Entry]
  ) {
    self.version = version
    self.stamp = stamp
    self.underlying = underlying
    self.index = index
    self.scenarioCount = scenarioCount
    self.coinProfitAndLoss = coinProfitAndLoss
    self.entries = entries
  }

  public func write(to writer: inout ByteWriter) {
    writer.u64(version)
    stamp.write(to: &writer)
    underlying.write(to: &writer)
    index.write(to: &writer)
    writer.u8(scenarioCount)
    for money in coinProfitAndLoss { money.write(to: &writer) }
    writer.u32(UInt32(entries.count))
    for entry in entries {
      entry.instrument.write(to: &writer)
      entry.mark.write(to: &writer)
      for money in entry.profitAndLoss { money.write(to: &writer) }
    }
  }
  public init(from reader: inout ByteReader) {
    version = reader.u64()
    stamp = Timestamp(from: &reader)
    underlying = UnderlyingID(from: &reader)
    index = Price(from: &reader)
    scenarioCount = reader.u8()
    coinProfitAndLoss = (0..<scenarioLanes).map { _ in Money(from: &reader) }
    entries = (0..<reader.itemCount(minimumSize: Entry.byteCount)).map { _ in
      Entry(
        instrument: InstrumentID(from: &reader), mark: Price(from: &reader),
        profitAndLoss: (0..<scenarioLanes).map { _ in Money(from: &reader) })
    }
    if index.units <= 0 || scenarioCount == 0 || Int(scenarioCount) > scenarioLanes { reader.fail() }
  }
}
