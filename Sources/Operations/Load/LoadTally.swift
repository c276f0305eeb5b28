import Histogram
import Market

/// Counts and latencies of one measured window, in orders. Times are nanoseconds of the monotonic clock.
struct LoadTally {
  /// Latencies in microseconds, to three digits, up to two minutes.
  private(set) var latencies = Histogram<UInt64>(
    lowestDiscernibleValue: 1, highestTrackableValue: maximumMicroseconds, numberOfSignificantValueDigits: .three)
  private(set) var sent = 0
  private(set) var acknowledged = 0
  private(set) var filled = 0
  private(set) var unansweredActions = 0
  private(set) var unansweredOrders = 0
  private(set) var resent = 0
  private var acceptedInWindow = 0
  private var rejections: [Outcome: Int] = [:]
  private let window: Range<Int64>

  private static let maximumMicroseconds: UInt64 = 120_000_000

  /// A tally of the orders that are due within `window`.
  init(window: Range<Int64>) { self.window = window }

  /// Whether an action that is due then is counted.
  func measures(_ intended: Int64) -> Bool { window.contains(intended) }

  /// An action was handed to the transport for the first time.
  mutating func submitted(_ orders: Int, intended: Int64) {
    if measures(intended) { sent += orders }
  }

  mutating func sentAgain() { resent += 1 }

  /// The answer to an action, one outcome an order.
  mutating func answered(_ results: [ActionReply.Result], intended: Int64, now: Int64) {
    let isMeasured = measures(intended)
    if isMeasured { record(results.count, intended, now) }
    for result in results {
      if result.outcome.isAccepted {
        if window.contains(now) { acceptedInWindow += 1 }
        if isMeasured { acknowledged += 1 }
      } else if isMeasured {
        rejections[result.outcome, default: 0] += 1
      }
    }
  }

  /// A whole action was refused before any journal. Its time is no latency of an acknowledgement.
  mutating func refused(_ outcome: Outcome, orders: Int, intended: Int64) {
    if measures(intended) { rejections[outcome, default: 0] += orders }
  }

  /// An action was given up: its orders count with the time that they were waited for.
  mutating func abandoned(_ orders: Int, intended: Int64, now: Int64) {
    unansweredActions += 1
    guard measures(intended) else { return }
    unansweredOrders += orders
    record(orders, intended, now)
  }

  /// A trade in which an account took.
  mutating func traded(now: Int64) {
    if window.contains(now) { filled += 1 }
  }

  private mutating func record(_ orders: Int, _ intended: Int64, _ now: Int64) {
    guard orders > 0 else { return }
    let micros = min(UInt64(max(1, (now - intended) / 1_000)), Self.maximumMicroseconds)
    _ = latencies.record(micros, count: UInt64(orders))
  }

  /// The report, for a window that ended at `end` (earlier than planned if the load was stopped).
  func report(_ configuration: LoadConfiguration, rate: Int, end: Int64) -> LoadReport {
    var report = LoadReport()
    report.rate = rate
    report.batch = configuration.batch
    report.seconds = Double(max(0, min(end, window.upperBound) - window.lowerBound)) / 1e9
    if report.seconds > 0 {
      report.offered_per_second = Double(sent) / report.seconds
      report.achieved_per_second = Double(acceptedInWindow) / report.seconds
    }
    report.sent = sent
    report.acknowledged = acknowledged
    for (outcome, count) in rejections { report.rejected[outcome.name] = count }
    report.filled = filled
    report.unanswered = unansweredActions
    report.unanswered_orders = unansweredOrders
    report.resent = resent
    if latencies.totalCount > 0 {
      report.ack_latency_us.p50 = Int64(latencies.valueAtPercentile(50))
      report.ack_latency_us.p99 = Int64(latencies.valueAtPercentile(99))
      report.ack_latency_us.p999 = Int64(latencies.valueAtPercentile(99.9))
      report.ack_latency_us.max = Int64(latencies.max)
    }
    return report
  }
}
