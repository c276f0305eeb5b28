import Market

/// What one publication says of one underlying.
public struct UnderlyingMarks: Sendable, Hashable {
  /// An instrument that has no mark this time, and why.
  public struct LeftOut: Sendable, Hashable, CustomStringConvertible {
    public var instrument: InstrumentID
    public var name: String
    public var reason: PricingRefusal
    public var description: String { "\(name): \(reason)" }
  }

  /// To risk.
  public var risk: RiskMarks
  /// To each shard of the underlying, in order of shard; every one carries the index, though it may have no entry.
  public var shards: [(shard: ShardID, marks: ShardMarks)]
  /// Instruments that could not be priced; an expired one is not listed here.
  public var leftOut: [LeftOut]

  public static func == (a: UnderlyingMarks, b: UnderlyingMarks) -> Bool {
    a.risk == b.risk && a.leftOut == b.leftOut && a.shards.elementsEqual(b.shards) { $0 == $1 }
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(risk) }
}
