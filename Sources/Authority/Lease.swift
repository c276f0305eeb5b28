import Messaging

/// For how long its holder may believe that the authority takes it for alive.
public struct Lease: Sendable, Hashable {
  /// The authority's number for it.
  public var identifier: UInt64
  /// The node that it says is alive.
  public var node: String
  /// How long the holder relies on it from each asking; the authority forgets it no sooner.
  public var milliseconds: Int
  /// When the last answered grant or renewal was asked for, on the holder's own clock: before the authority can have
  /// begun to count.
  public var askedAt: MonotonicTime

  public init(identifier: UInt64, node: String, milliseconds: Int, askedAt: MonotonicTime) {
    self.identifier = identifier
    self.node = node
    self.milliseconds = milliseconds
    self.askedAt = askedAt
  }

  /// One part in so many is given up to the clocks of two machines running apart.
  private static let drift: Int64 = 1_000

  /// The first instant at which the holder must not rely on it any more: never later than the authority's own end.
  public var validUntil: MonotonicTime {
    let nanoseconds = Int64(milliseconds) * 1_000_000
    return askedAt.advanced(by: nanoseconds - nanoseconds / Self.drift)
  }

  public func isValid(at now: MonotonicTime) -> Bool { now < validUntil }
}
