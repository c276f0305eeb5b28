import Bytes
import Market

/// Finds an instrument by the asset and sub-id that Derive-form orders name it by.
struct InstrumentNames: Sendable {
  private struct Name: Hashable {
    let asset: Address
    let subID: Digest
    // The words that tell sub-ids apart are their low ones.
    func hash(into hasher: inout Hasher) {
      hasher.combine(subID.words.2)
      hasher.combine(subID.words.3)
      hasher.combine(asset)
    }
  }
  /// `nil` inside where several instruments share a name, which then names none.
  private var instruments: [Name: InstrumentID?] = [:]

  init(_ market: MarketDefinition) {
    instruments.reserveCapacity(market.instruments.count)
    for instrument in market.instruments {
      let name = Name(asset: instrument.asset, subID: instrument.subID)
      instruments[name] = .some(instruments[name] == nil ? instrument.id : nil)
    }
  }

  subscript(asset: Address, subID: Digest) -> InstrumentID? {
    instruments[Name(asset: asset, subID: subID)] ?? nil
  }
}
