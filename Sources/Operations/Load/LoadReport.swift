/// What a load did, in orders; an order is one signed operation of the mix, cancels and replaces included.
/// `sent` = `acknowledged` + all of `rejected` + `unanswered_orders`.
public struct LoadReport: Codable, Sendable {
  public struct Latency: Codable, Sendable, Hashable {
    public var p50: Int64 = 0
    public var p99: Int64 = 0
    public var p999: Int64 = 0
    public var max: Int64 = 0
    public init() {}
  }
  /// The rate asked for, in orders a second.
  public var rate: Int = 0
  /// Operations under one signature.
  public var batch: Int = 0
  /// Length of the measured window.
  public var seconds: Double
  /// Orders due in the window, a second.
  public var offered_per_second: Double
  /// Orders whose acceptance came back within the window, a second: what is answered only later does not count here, so
  /// that a growing backlog shows.
  public var achieved_per_second: Double
  public var sent: Int
  /// Accepted and durable.
  public var acknowledged: Int
  public var rejected: [String: Int]
  /// Trades in which the accounts took.
  public var filled: Int
  /// From the intended time of sending to the answer, per order; an order without an answer counts with the time that
  /// it was waited for.
  public var ack_latency_us: Latency
  /// Actions whose answer did not come while the generator lived.
  public var unanswered: Int
  /// Orders due in the window whose answer did not come.
  public var unanswered_orders: Int = 0
  /// Actions sent again for want of an answer.
  public var resent: Int
  /// Share of one CPU that each process took over the window, in percent, by name; `load` is the generator.
  public var cpu_percent: [String: Double]
  /// Sum of `cpu_percent`.
  public var total_cpu_percent: Double = 0
  /// Resident memory of each process at the end of the window, in bytes, by name.
  public var resident_bytes: [String: Int] = [:]
  /// What bounds the rate, or would next.
  public var limit = LoadLimit()

  /// A report of nothing.
  public init() {
    seconds = 0
    offered_per_second = 0
    achieved_per_second = 0
    sent = 0
    acknowledged = 0
    rejected = [:]
    filled = 0
    ack_latency_us = Latency()
    unanswered = 0
    resent = 0
    cpu_percent = [:]
  }

  /// Share of the orders sent that were rejected, 0 to 1.
  public var rejectedShare: Double { sent > 0 ? Double(rejected.values.reduce(0, +)) / Double(sent) : 0 }
}
