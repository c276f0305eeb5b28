/// What a load generator drives.
public struct LoadConfiguration: Sendable {
  /// Orders (operations) a second, offered open loop: at their intended times, whatever the exchange does.
  public var rate = 1_000
  /// Operations under one signature.
  public var batch = 32
  /// Accounts that trade.
  public var accounts = 64
  public var mix = LoadMix.standard
  public var seed: UInt64 = 1
  /// The measured window.
  public var seconds = 10.0
  /// Load before it, not measured.
  public var warmup = 2.0
  /// Validity of a signature; actions still unanswered then are given up.
  public var signatureSeconds: UInt64 = 30
  /// An unanswered action is sent again, byte for byte, after this long.
  public var resendSeconds = 2.0
  /// After the window, how long to wait for answers.
  public var drainSeconds = 10.0
  public init() {}
}

/// What a load did, in orders; an order is one signed operation of the mix, cancels and replaces included.
public struct LoadReport: Codable, Sendable {
  public struct Latency: Codable, Sendable {
    public var p50: Int64 = 0
    public var p99: Int64 = 0
    public var p999: Int64 = 0
    public var max: Int64 = 0
    public init() {}
  }
  /// Length of the measured window.
  public var seconds: Double
  public var offered_per_second: Double
  public var achieved_per_second: Double
  public var sent: Int
  /// Accepted and durable.
  public var acknowledged: Int
  public var rejected: [String: Int]
  /// Trades in which the accounts took.
  public var filled: Int
  /// From the intended time of sending to the answer, per order.
  public var ack_latency_us: Latency
  /// Actions whose answer did not come while the generator lived.
  public var unanswered: Int
  /// Actions sent again for want of an answer.
  public var resent: Int
  /// Share of one CPU that each process took over the window, in percent, by name.
  public var cpu_percent: [String: Double]
}
