import Bytes
import Market
import Pricing

extension ListingFile {
  /// Instruments of one market at most.
  public static let instrumentLimit = 16_384

  /// One expiry with its instruments; the perpetuals' group has no day when there is no expiry to join.
  private struct Group {
    var day: CalendarDay?
    var hasFuture: Bool
    var instruments: [Instrument]
  }

  /// Opens the market: fixes expiries and ids, and gives every instrument its shard. The same file, time and number of
  /// shards give the same market.
  ///
  /// - Parameters:
  ///   - now: days count from the UTC day in which it lies. Expiries that have passed are left out.
  ///   - shards: in all; `nil` for two of each underlying. At least one for each underlying, at most one for each
  ///     expiry: a shard is of one underlying, and an expiry is never split.
  public func open(at now: Timestamp, shards: Int? = nil) throws(ListingError) -> Listing {
    let today = CalendarDay(of: now)
    guard CalendarDay.numbers.contains(today.number) else {
      throw error("now", "\(now)", "must lie between 1970 and 2106")
    }
    var groups: [[Group]] = []
    var surfaces: [UnderlyingSurface] = []
    var expired: Set<CalendarDay> = []
    for (index, underlying) in underlyings.enumerated() {
      let dated = try dated(underlying, at: index, today: today)
      expired.formUnion(dated.filter { $0.day.expiry <= now }.map(\.day))
      let alive = dated.filter { $0.day.expiry > now }
      groups.append(self.groups(underlying, UnderlyingID(UInt8(index)), alive))
      surfaces.append(try surface(underlying, at: index, alive))
    }
    let instruments = groups.reduce(0) { $0 + $1.reduce(0) { $0 + $1.instruments.count } }
    guard instruments <= Self.instrumentLimit else {
      throw error("instruments", "\(instruments)", "must be at most \(Self.instrumentLimit)")
    }
    if let index = groups.firstIndex(where: \.isEmpty) {
      throw error(
        "underlyings[\(index)]", underlyings[index].name,
        "has no instrument alive at the opening; list a perpetual or a later expiry")
    }
    let loads = groups.map { $0.map(\.instruments.count) }
    let limits = ShardPlan.limits(loads: loads)
    let count = shards ?? ShardPlan.defaultCount(loads: loads)
    guard limits.contains(count) else {
      throw error(
        "shards", "\(count)",
        "must be \(limits.lowerBound) to \(limits.upperBound): a shard is of one underlying (\(groups.count) listed)"
          + " and an expiry is never split (\(loads.reduce(0) { $0 + $1.count }) groups)")
    }
    return Listing(
      openedAt: now, market: market(groups, ShardPlan(loads: loads, count: count)),
      surface: VolatilitySurface(underlyings: surfaces), marks: marks,
      indexVolatilities: underlyings.map(\.indexVolatility), expired: expired.sorted())
  }

  private func error(_ field: String, _ value: String, _ rule: String) -> ListingError {
    ListingError(field: field, value: value, rule: rule, file: name)
  }

  // MARK: Expiries

  private func dated(
    _ underlying: ListedUnderlying, at index: Int, today: CalendarDay
  ) throws(ListingError) -> [(day: CalendarDay, expiry: ListedExpiry)] {
    let dated = underlying.expiries.map { expiry in
      switch expiry.day {
      case .afterOpening(let days): (day: CalendarDay(number: today.number + days), expiry: expiry)
      case .on(let day): (day: day, expiry: expiry)
      }
    }.sorted { $0.day < $1.day }
    if let last = dated.last?.day, !CalendarDay.numbers.contains(last.number) {
      throw error("underlyings[\(index)].expiries", "\(last)", "must lie before 2106")
    }
    for (before, after) in zip(dated, dated.dropFirst()) where before.day == after.day {
      throw error("underlyings[\(index)].expiries", "\(after.day)", "falls twice on the same day, as days and as date")
    }
    return dated
  }

  private func surface(
    _ underlying: ListedUnderlying, at index: Int, _ alive: [(day: CalendarDay, expiry: ListedExpiry)]
  ) throws(ListingError) -> UnderlyingSurface {
    do throws(PricingRefusal) {
      var slices: [ExpirySlice] = []
      for (day, expiry) in alive {
        guard let smile = expiry.smile else { continue }
        slices.append(try ExpirySlice(expiry: day.expiry, carry: expiry.carry ?? underlying.carry, smile: smile))
      }
      return try UnderlyingSurface(carry: underlying.carry, slices: slices)
    } catch {
      throw self.error("underlyings[\(index)].\(error.field)", error.value, error.rule)
    }
  }

  // MARK: Instruments

  /// The instruments of an underlying by expiry, perpetuals first in the nearest group that has a future.
  private func groups(
    _ underlying: ListedUnderlying, _ id: UnderlyingID, _ alive: [(day: CalendarDay, expiry: ListedExpiry)]
  ) -> [Group] {
    let dollar = currencies[0].name
    func instrument(
      _ name: String, _ kind: Instrument.Kind, _ terms: ContractTerms, expiry: Timestamp, strike: Price
    ) -> Instrument {
      let coin = currencies.firstIndex { $0.underlying == id } ?? 0
      return Instrument(
        id: InstrumentID(0), name: name, kind: kind, settlement: terms.quoting, underlying: id,
        settlementCurrency: terms.quoting == .linear ? .usd : Currency(UInt8(coin)), shard: ShardID(0),
        expiry: expiry, strike: strike, tickSize: terms.tickSize, lotSize: terms.lotSize,
        maximumOrder: terms.maximumOrder, minimumOrder: terms.minimumOrder, tickSteps: terms.tickSteps,
        asset: ContractAddress.asset(underlying: underlying.name, settlement: terms.quoting),
        subID: ContractAddress.subID(kind: kind, expiry: expiry, strike: strike))
    }
    var groups: [Group] = []
    for (day, expiry) in alive {
      var group = Group(day: day, hasFuture: !expiry.futures.isEmpty, instruments: [])
      for quoting in expiry.futures {
        guard let terms = underlying.terms(.future, quoting) else { continue }
        let name = ContractName.future(underlying.name, quoting, dollar: dollar, day: day)
        group.instruments.append(instrument(name, .future, terms, expiry: day.expiry, strike: .zero))
      }
      for quoting in expiry.options {
        guard let terms = underlying.terms(.option, quoting) else { continue }
        for strike in expiry.strikes {
          for (kind, letter) in [(Instrument.Kind.call, "C"), (.put, "P")] {
            guard !expiry.unlisted.contains("\(ContractName.strike(strike))-\(letter)") else { continue }
            let name = ContractName.option(
              underlying.name, quoting, dollar: dollar, day: day, strike: strike, isCall: kind == .call)
            group.instruments.append(instrument(name, kind, terms, expiry: day.expiry, strike: strike))
          }
        }
      }
      if !group.instruments.isEmpty { groups.append(group) }
    }
    let perpetuals = underlying.contracts.filter { $0.kind == .perpetual }.map { terms in
      instrument(
        ContractName.perpetual(underlying.name, terms.quoting, dollar: dollar), .perpetual, terms, expiry: .never,
        strike: .zero)
    }
    guard !perpetuals.isEmpty else { return groups }
    guard !groups.isEmpty else { return [Group(day: nil, hasFuture: false, instruments: perpetuals)] }
    let nearest = groups.firstIndex(where: \.hasFuture) ?? 0
    groups[nearest].instruments = perpetuals + groups[nearest].instruments
    return groups
  }

  /// The market's definition: ids run by underlying, then by expiry.
  private func market(_ groups: [[Group]], _ plan: ShardPlan) -> MarketDefinition {
    var instruments: [Instrument] = []
    for (underlying, groups) in groups.enumerated() {
      for (index, group) in groups.enumerated() {
        for var instrument in group.instruments {
          instrument.id = InstrumentID(UInt32(instruments.count))
          instrument.shard = ShardID(plan.shards[underlying][index])
          instruments.append(instrument)
        }
      }
    }
    return MarketDefinition(
      currencies: currencies,
      underlyings: underlyings.map { .init(name: $0.name, openingIndex: $0.openingIndex) },
      instruments: instruments, shardCount: UInt16(plan.count), parameters: parameters)
  }
}
