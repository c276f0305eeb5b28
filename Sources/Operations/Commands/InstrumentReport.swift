import Bytes
import Foundation
import Market

/// One listed contract.
public struct InstrumentReport: CommandReport {
  public struct TickStep: Encodable, Sendable {
    public var from: String
    public var tick: String
  }
  public var name: String
  public var id: UInt32
  /// `perpetual`, `future`, `call` or `put`.
  public var kind: String
  /// `linear`, `coin` or `inverse`.
  public var settlement: String
  public var underlying: String
  public var settlementCurrency: String
  public var shard: UInt16
  /// ISO 8601; absent for a perpetual.
  public var expiry: String?
  /// Absent unless an option.
  public var strike: String?
  public var tickSize: String
  /// Coarser ticks from a price on; absent where one tick holds throughout.
  public var tickSteps: [TickStep]?
  public var lotSize: String
  /// As quantities.
  public var minimumOrder: String
  public var maximumOrder: String
  /// The asset and sub-id by which Derive-form orders name it.
  public var asset: String
  public var subId: String

  init(_ listed: Instrument, _ market: MarketDefinition) {
    name = listed.name
    id = listed.id.rawValue
    kind = "\(listed.kind)"
    settlement = "\(listed.settlement)"
    underlying = market.underlyings[Int(listed.underlying.rawValue)].name
    settlementCurrency = market.currencies[Int(listed.settlementCurrency.rawValue)].name
    shard = listed.shard.rawValue
    expiry =
      listed.expiry == .never
      ? nil : Date(timeIntervalSince1970: Double(listed.expiry.seconds)).ISO8601Format()
    strike = listed.kind.isOption ? listed.strike.description : nil
    tickSize = listed.tickSize.description
    tickSteps =
      listed.tickSteps.isEmpty
      ? nil : listed.tickSteps.map { TickStep(from: $0.from.description, tick: $0.tick.description) }
    lotSize = listed.lotSize.description
    minimumOrder = listed.quantity(listed.minimumOrder)?.description ?? ""
    maximumOrder = listed.quantity(listed.maximumOrder)?.description ?? ""
    asset = listed.asset.description
    subId = listed.subID.description
  }

  /// One instrument of a market by its name.
  public init(named name: String, in market: MarketDefinition) throws {
    self.init(try market.listed(name), market)
  }

  public var text: String {
    """
    \(name)  \(settlement) \(kind) on \(underlying), settled in \(settlementCurrency), shard \(shard)
    tick \(tickSize)\((tickSteps ?? []).map { ", \($0.tick) from \($0.from)" }.joined()), lot \(lotSize), \
    orders of \(minimumOrder) to \(maximumOrder)\
    \(strike.map { ", strike \($0)" } ?? "")\(expiry.map { ", expires \($0)" } ?? "")
    asset \(asset), sub-id \(subId)
    """
  }
}

/// The listed contracts of a market.
public struct InstrumentList: CommandReport {
  public var instruments: [InstrumentReport]

  /// - Parameters:
  ///   - underlying: only this one's.
  ///   - kind: only `perpetual`, `future`, `call` or `put`.
  public init(in market: MarketDefinition, underlying: String? = nil, kind: String? = nil) throws {
    if let underlying, !market.underlyings.contains(where: { $0.name == underlying.uppercased() }) {
      throw CommandMistake(
        "--underlying \(underlying): not listed; it must be one of "
          + market.underlyings.map(\.name).joined(separator: ", "))
    }
    instruments = market.instruments.map { InstrumentReport($0, market) }.filter { report in
      (underlying == nil || report.underlying == underlying?.uppercased()) && (kind == nil || report.kind == kind)
    }
  }

  public var text: String {
    var table = TextTable(["instrument", "kind", "settled", "shard", "tick", "lot", "expiry"])
    for listed in instruments {
      table.add([
        listed.name, listed.kind, listed.settlement, "\(listed.shard)", listed.tickSize, listed.lotSize,
        listed.expiry.map { String($0.prefix(10)) } ?? "-",
      ])
    }
    return "\(table.text)\n\(instruments.count) instruments"
  }
}
