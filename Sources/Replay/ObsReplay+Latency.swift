extension ObsReplay {
  /// How long one operation took, in nanoseconds of a monotonic clock read right before and right after `apply`; the
  /// clock's own cost is in every figure.
  public struct Latency: Encodable, Sendable, Equatable {
    /// The clock's own cost: what two readings with nothing in between tell.
    public var clock: UInt32
    public var median: UInt32
    public var p99: UInt32
    public var p999: UInt32
    public var most: UInt32

    enum CodingKeys: String, CodingKey {
      case clock = "clock_ns"
      case median = "p50_ns"
      case p99 = "p99_ns"
      case p999 = "p999_ns"
      case most = "max_ns"
    }
  }
}
