import Bytes
import Market

/// Instruments of a market from one on, as `Query.Kind.listings` answers them.
public struct Listings: ByteCodable, Sendable, Hashable {
  public var instruments: [Instrument]
  public init(instruments: [Instrument]) { self.instruments = instruments }

  /// Those of `market` from `first` on.
  public init(in market: MarketDefinition, from first: InstrumentID) {
    instruments = Array(market.instruments.dropFirst(Int(first.rawValue)))
  }

  public func write(to writer: inout ByteWriter) {
    writer.u32(UInt32(instruments.count))
    for instrument in instruments { instrument.write(to: &writer) }
  }
  public init(from reader: inout ByteReader) {
    instruments = (0..<reader.itemCount(minimumSize: 104)).map { _ in Instrument(from: &reader) }
  }
}

extension MarketDefinition {
  /// Takes what it does not have yet; only the next numbers count.
  /// - Returns: what is new.
  public mutating func take(_ listings: Listings) -> [Instrument] {
    listings.instruments.filter { instrument in
      guard Int(instrument.id.rawValue) == instruments.count else { return false }
      instruments.append(instrument)
      return true
    }
  }
}

extension Query {
  /// What to ask risk for: the instruments that `market` does not have yet.
  public static func listings(beyond market: MarketDefinition, tag: UInt64) -> Query {
    let first = InstrumentID(UInt32(market.instruments.count))
    return Query(tag: tag, kind: .listings, machine: .risk, body: first.encoded)
  }
}
