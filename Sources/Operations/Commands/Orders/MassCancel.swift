import Market

/// Which orders a mass cancel is about: all that match every filter given.
public struct MassCancel: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case perpetual, future, option, call, put
    var scope: Market.Operation.Scope {
      switch self {
      case .perpetual: .perpetuals
      case .future: .futures
      case .option: .options
      case .call: .calls
      case .put: .puts
      }
    }
    func holds(_ kind: Instrument.Kind) -> Bool {
      switch self {
      case .perpetual: kind == .perpetual
      case .future: kind == .future
      case .option: kind.isOption
      case .call: kind == .call
      case .put: kind == .put
      }
    }
  }

  public var instrument: String?
  public var underlying: String?
  public var kind: Kind?
  public var label: UInt32?
  public var isQuotesOnly = false

  public init() {}

  /// Refuses filters that leave nothing.
  public func validate() throws(CommandMistake) {
    if instrument != nil, underlying != nil || kind != nil {
      throw CommandMistake(
        "--instrument with \(underlying != nil ? "--underlying" : "--kind"): one instrument has one of each; choose")
    }
    if label == 0 { throw CommandMistake("--label 0: labels are from 1 on") }
  }

  /// The one operation for each shard that has such instruments.
  func operations(in market: MarketDefinition) throws -> [(shard: ShardID, operation: Market.Operation)] {
    try validate()
    if let instrument {
      let listed = try market.listed(instrument)
      return [(listed.shard, operation(on: listed.id))]
    }
    let underlying = try self.underlying.map { try market.underlying(named: $0) }
    let shards = market.shards.filter { shard in
      market.instruments(of: shard).contains { listed in
        (underlying == nil || listed.underlying == underlying) && kind?.holds(listed.kind) ?? true
      }
    }
    guard !shards.isEmpty else {
      throw CommandMistake("--kind \(kind?.rawValue ?? ""): \(self.underlying ?? "the market") has no such instruments")
    }
    return shards.map { ($0, operation(on: Market.Operation.allInstruments)) }
  }

  private func operation(on instrument: InstrumentID) -> Market.Operation {
    var operation = Market.Operation(kind: .cancelAll, instrument: instrument, label: label ?? 0)
    operation.rawType = (kind?.scope ?? .everything).rawValue
    if label != nil { operation.flags.insert(.byLabel) }
    if isQuotesOnly { operation.flags.insert(.quote) }
    return operation
  }
}

extension MarketDefinition {
  /// An underlying by its name, or a mistake that names those that there are.
  func underlying(named name: String) throws(CommandMistake) -> UnderlyingID {
    guard let index = underlyings.firstIndex(where: { $0.name == name.uppercased() }) else {
      throw CommandMistake(
        "--underlying \(name): not listed; it must be one of " + underlyings.map(\.name).joined(separator: ", "))
    }
    return UnderlyingID(UInt8(index))
  }

  /// The shards that host instruments of an underlying, or all.
  func shards(of underlying: UnderlyingID?) -> [ShardID] {
    shards.filter { shard in
      instruments(of: shard).contains { underlying == nil || $0.underlying == underlying }
    }
  }
}
