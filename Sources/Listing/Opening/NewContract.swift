import Bytes
import Market

/// A contract that is to join an opened market, said by its name: `BTC-27MAR27-100000-C` tells underlying, settlement,
/// expiry, strike and kind. Its terms are those of the market's contracts of the same sort, unless they are given.
public struct NewContract: Sendable {
  public var name: String
  /// What differs from the contracts of the same sort, or all of it where there are none.
  public var tickSize: Price?
  public var lotSize: Quantity?
  public var minimumOrder: Quantity?
  public var maximumOrder: Quantity?
  /// Otherwise the shard of its expiry, or, for a new one, that of its underlying with the fewest contracts.
  public var shard: ShardID?

  public init(name: String) { self.name = name.uppercased() }

  /// What the name says.
  private struct Reading {
    var kind: Instrument.Kind
    var settlement: Instrument.Settlement
    var underlying: Int
    var expiry: Timestamp
    var strike: Price
  }

  /// The instrument with the market's next number.
  /// - Throws: what is wrong with the name or the terms, and what would be right.
  public func instrument(in market: MarketDefinition, now: Timestamp) throws(ListingError) -> Instrument {
    let reading = try read(market)
    guard market.instrument(named: name) == nil else { throw error("name", name, "is listed already") }
    guard reading.expiry > now else { throw error("name", name, "would have expired") }
    let underlying = UnderlyingID(UInt8(reading.underlying))
    let like = market.instruments.last {
      $0.underlying == underlying && $0.settlement == reading.settlement
        && ($0.kind == reading.kind || $0.kind.isOption && reading.kind.isOption)
    }
    let coin = market.currencies.firstIndex { $0.underlying == underlying }
    guard reading.settlement == .linear || coin != nil else {
      throw error("name", name, "would be settled in \(market.underlyings[reading.underlying].name), no currency here")
    }
    let lot = try required(lotSize ?? like?.lotSize, "lot-size")
    return Instrument(
      id: InstrumentID(UInt32(market.instruments.count)), name: name, kind: reading.kind,
      settlement: reading.settlement, underlying: underlying,
      settlementCurrency: reading.settlement == .linear ? .usd : Currency(UInt8(coin ?? 0)),
      shard: try place(reading, market), expiry: reading.expiry, strike: reading.strike,
      tickSize: try required(tickSize ?? like?.tickSize, "tick-size"), lotSize: lot,
      maximumOrder: try lots(maximumOrder ?? like?.quantity(like?.maximumOrder ?? Lots(0)), of: lot, "maximum"),
      minimumOrder: try lots(minimumOrder ?? like?.quantity(like?.minimumOrder ?? Lots(0)) ?? lot, of: lot, "minimum"),
      tickSteps: tickSize == nil ? like?.tickSteps ?? [] : [],
      asset: ContractAddress.asset(
        underlying: market.underlyings[reading.underlying].name, settlement: reading.settlement),
      subID: ContractAddress.subID(kind: reading.kind, expiry: reading.expiry, strike: reading.strike))
  }

  private func error(_ field: String, _ value: String, _ rule: String) -> ListingError {
    ListingError(field: field, value: value, rule: rule, file: "new contract")
  }

  private func required<Value: FixedPoint>(_ value: Value?, _ field: String) throws(ListingError) -> Value {
    guard let value else {
      throw error(field, "", "\(field) must be given: no contract of the sort of \(name) is listed")
    }
    guard value > .zero else { throw error(field, "\(value)", "must be above zero") }
    return value
  }

  private func lots(_ quantity: Quantity?, of lot: Quantity, _ field: String) throws(ListingError) -> Lots {
    let quantity = try required(quantity, field)
    guard quantity.units.isMultiple(of: lot.units) else {
      throw error(field, "\(quantity)", "must be whole lots of \(lot)")
    }
    return Lots(quantity.units / lot.units)
  }

  // MARK: The name

  private static let rule =
    "must be a contract's name such as BTC-PERPETUAL, BTC_USDC-27MAR27 or BTC-27MAR27-100000-C, of an underlying of "
    + "this market"

  private func read(_ market: MarketDefinition) throws(ListingError) -> Reading {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    let dollar = market.currencies[0].name
    let stem = parts[0].split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
    guard let underlying = market.underlyings.firstIndex(where: { $0.name == stem[0] }),
      stem.count == 1 || stem[1] == dollar, (2...4).contains(parts.count), parts.count != 3
    else { throw error("name", name, Self.rule) }
    let isLinear = stem.count == 2
    let ticker = market.underlyings[underlying].name
    if parts.count == 2, parts[1] == "PERPETUAL" {
      return Reading(
        kind: .perpetual, settlement: isLinear ? .linear : .inverse, underlying: underlying, expiry: .never,
        strike: .zero)
    }
    guard let day = CalendarDay(contractName: parts[1]) else { throw error("name", name, Self.rule) }
    var reading = Reading(
      kind: .future, settlement: isLinear ? .linear : .inverse, underlying: underlying, expiry: day.expiry,
      strike: .zero)
    var canonical = ContractName.future(ticker, reading.settlement, dollar: dollar, day: day)
    if parts.count == 4 {
      // A point in a strike is written d.
      guard let strike = Price(String(parts[2].map { $0 == "D" ? "." : $0 })), strike > .zero,
        parts[3] == "C" || parts[3] == "P"
      else { throw error("name", name, Self.rule) }
      reading.kind = parts[3] == "C" ? .call : .put
      reading.settlement = isLinear ? .linear : .coin
      reading.strike = strike
      canonical = ContractName.option(
        ticker, reading.settlement, dollar: dollar, day: day, strike: strike, isCall: reading.kind == .call)
    }
    guard canonical.uppercased() == name else {
      throw error("name", name, "is written \(canonical)")
    }
    return reading
  }

  private func place(_ reading: Reading, _ market: MarketDefinition) throws(ListingError) -> ShardID {
    let own = market.instruments.filter { Int($0.underlying.rawValue) == reading.underlying }
    if let shard {
      guard shard.rawValue < market.shardCount else {
        throw error("shard", "\(shard)", "must be 0 to \(market.shardCount - 1)")
      }
      return shard
    }
    // An expiry is never split over shards.
    if let neighbour = own.first(where: { $0.expiry == reading.expiry }) { return neighbour.shard }
    let loads = market.shards.map { shard in (shard: shard, load: own.count { $0.shard == shard }) }
    guard let least = loads.filter({ $0.load > 0 }).min(by: { ($0.load, $0.shard) < ($1.load, $1.shard) }) else {
      throw error("shard", "", "shard must be given: none has this underlying yet")
    }
    return least.shard
  }
}
