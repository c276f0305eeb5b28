import Bytes
import Market
import Pricing

/// An opened market: all that the machines and the mark publisher start from. Written once, at the first opening, and
/// read back at every later start, so that expiries stay what they were.
public struct Listing: Sendable, Hashable {
  /// Layout version of the encoded listing.
  public static let formatVersion: UInt16 = 1

  public var openedAt: Timestamp
  public var market: MarketDefinition
  public var surface: VolatilitySurface
  public var marks: MarkSettings
  /// Annual volatility of the built-in index, by underlying.
  public var indexVolatilities: [Double]
  /// Days of expiry in the file that had passed at the opening: nothing of them is listed.
  public var expired: [CalendarDay] = []

  /// The walk of an underlying's built-in index from the opening on.
  public func indexWalk(of underlying: UnderlyingID, seed: UInt64) throws(PricingRefusal) -> IndexWalk {
    let index = Int(underlying.rawValue)
    guard market.underlyings.indices.contains(index), indexVolatilities.indices.contains(index) else {
      throw PricingRefusal(field: "underlying", value: "\(underlying)", rule: "must be listed")
    }
    return try IndexWalk(
      seed: seed &+ UInt64(underlying.rawValue) &* 0x9E37_79B9_7F4A_7C15,
      opening: market.underlyings[index].openingIndex, volatility: indexVolatilities[index], origin: openedAt)
  }

  /// What turns an index into marks.
  public func markCalculator() throws(PricingRefusal) -> MarkCalculator {
    try MarkCalculator(market: market, surface: surface, settings: marks)
  }
}

/// Layout: version u16, opening i64, market, surface, four f64 of the mark settings, count u32 and f64 of the index
/// volatilities, count u32 and i64 of the expired days. The scenario grid is the standard one.
extension Listing: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    writer.u16(Self.formatVersion)
    openedAt.write(to: &writer)
    market.write(to: &writer)
    surface.write(to: &writer)
    for value in [marks.futureBand, marks.optionBand, marks.optionBandOfIndex, marks.shortOptionContingency] {
      writer.u64(value.bitPattern)
    }
    writer.u32(UInt32(indexVolatilities.count))
    for value in indexVolatilities { writer.u64(value.bitPattern) }
    writer.u32(UInt32(expired.count))
    for day in expired { writer.i64(day.number) }
  }

  public init(from reader: inout ByteReader) {
    if reader.u16() != Self.formatVersion { reader.fail() }
    openedAt = Timestamp(from: &reader)
    market = MarketDefinition(from: &reader)
    surface = VolatilitySurface(from: &reader)
    marks = MarkSettings()
    marks.futureBand = Double(bitPattern: reader.u64())
    marks.optionBand = Double(bitPattern: reader.u64())
    marks.optionBandOfIndex = Double(bitPattern: reader.u64())
    marks.shortOptionContingency = Double(bitPattern: reader.u64())
    indexVolatilities = (0..<reader.itemCount(minimumSize: 8)).map { _ in Double(bitPattern: reader.u64()) }
    expired = (0..<reader.itemCount(minimumSize: 8)).map { _ in CalendarDay(number: reader.i64()) }
    let underlyings = market.underlyings.count
    if indexVolatilities.count != underlyings || surface.underlyings.count != underlyings
      || !expired.allSatisfy({ CalendarDay.numbers.contains($0.number) })
    {
      reader.fail()
    }
  }
}
