import Market

/// The operator's word on how instruments trade.
public struct TradingStateChange: CommandReport {
  public enum State: String, Sendable, CaseIterable {
    case halt, auction, open
    var state: TradingState { self == .halt ? .halted : self == .auction ? .auction : .open }
  }
  /// Whose state changes.
  public enum Scope: Sendable {
    case instrument(String)
    case underlying(String)
    case everything
  }

  /// `halt`, `auction` or `open`.
  public var state: String
  /// An instrument's or underlying's name; absent for all of the market.
  public var name: String?
  /// Length of an auction.
  public var seconds: Double?
  public var parts: [ActionPart]

  public var isGood: Bool { parts.allSatisfy(\.isAccepted) }

  /// - Parameter seconds: length of an auction; nothing else has one.
  public init(_ state: State, _ scope: Scope, seconds: Double?, in session: ClusterSession) throws {
    let targets = try Self.targets(state, scope, seconds: seconds, in: session.market)
    let signer = try session.operatorCredentials()
    self.state = state.rawValue
    self.seconds = seconds
    switch scope {
    case .instrument(let name), .underlying(let name): self.name = name.uppercased()
    case .everything: name = nil
    }
    parts = []
    let submission = ActionSubmission(try session.gateway())
    for (shard, operation) in targets {
      let batch = try SignedBatch([operation], by: signer, to: shard, in: session, through: submission)
      parts.append(ActionPart(batch, operations: 1))
    }
  }

  static func targets(
    _ state: State, _ scope: Scope, seconds: Double?, in market: MarketDefinition
  ) throws -> [(shard: ShardID, operation: Market.Operation)] {
    if let seconds {
      guard state == .auction else {
        throw CommandMistake("--seconds \(seconds): only an auction has a length; leave it out")
      }
      guard seconds >= 0.001, seconds <= 86_400 else {
        throw CommandMistake("--seconds \(seconds): an auction lasts 0.001 to 86400 seconds")
      }
    } else if state == .auction {
      throw CommandMistake("--seconds is missing: how long the auction lasts")
    }
    func operation(_ instrument: InstrumentID) -> Market.Operation {
      var operation = Market.Operation(
        kind: .tradingState, instrument: instrument, targetNonce: UInt64(((seconds ?? 0) * 1_000).rounded()))
      operation.rawType = state.state.rawValue
      return operation
    }
    switch scope {
    case .instrument(let name):
      let listed = try market.listed(name)
      return [(listed.shard, operation(listed.id))]
    case .underlying(let name):
      return market.shards(of: try market.underlying(named: name)).map {
        ($0, operation(Market.Operation.allInstruments))
      }
    case .everything: return market.shards(of: nil).map { ($0, operation(Market.Operation.allInstruments)) }
    }
  }

  public var text: String {
    let first = "\(state) \(name ?? "every instrument")\(seconds.map { " for \($0) s" } ?? "")"
    return ([first] + parts.map(\.line)).joined(separator: "\n")
  }
}
