import Synchronization

/// Counts of observations by size, in fixed buckets. Any thread may observe, without a lock and without allocating.
public final class Histogram: Sendable {
  /// Upper ends of the buckets, growing; what is larger is counted beyond the last.
  public let bounds: [Double]
  // Memory of its own, since an array cannot hold atomics. Each is only ever used atomically.
  private nonisolated(unsafe) let counts: UnsafeMutablePointer<Atomic<UInt64>>
  /// A double's bits.
  private let sum = Atomic<UInt64>(0)

  public init(bounds: [Double]) {
    precondition(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy(<), "bounds grow")
    self.bounds = bounds
    counts = .allocate(capacity: bounds.count + 1)
    for index in 0...bounds.count { (counts + index).initialize(to: Atomic(0)) }
  }

  deinit {
    counts.deinitialize(count: bounds.count + 1)
    counts.deallocate()
  }

  /// Bounds that grow by `factor` from `first`.
  public static func bounds(from first: Double, factor: Double, count: Int) -> [Double] {
    var bounds = [first]
    while bounds.count < count { bounds.append(bounds[bounds.count - 1] * factor) }
    return bounds
  }

  /// Counts `value` once.
  public func observe(_ value: Double) {
    var low = 0
    var high = bounds.count
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] < value { low = middle + 1 } else { high = middle }
    }
    counts[low].wrappingAdd(1, ordering: .relaxed)
    var seen = sum.load(ordering: .relaxed)
    while true {
      let next = (Double(bitPattern: seen) + value).bitPattern
      let (exchanged, original) = sum.weakCompareExchange(expected: seen, desired: next, ordering: .relaxed)
      if exchanged { return }
      seen = original
    }
  }

  /// Observations so far.
  public var count: UInt64 { (0...bounds.count).reduce(0) { $0 + counts[$1].load(ordering: .relaxed) } }
  /// Sum of what was observed.
  public var total: Double { Double(bitPattern: sum.load(ordering: .relaxed)) }

  /// As Prometheus wants it: each bucket counts all that is not larger.
  func samples(_ labels: [MetricLabel]) -> [MetricFamily.Sample] {
    var samples: [MetricFamily.Sample] = []
    var cumulative: UInt64 = 0
    func add(_ suffix: String, _ labels: [MetricLabel], _ value: Double) {
      var sample = MetricFamily.Sample(labels, value)
      sample.suffix = suffix
      samples.append(sample)
    }
    for index in 0...bounds.count {
      cumulative += counts[index].load(ordering: .relaxed)
      let bound = index < bounds.count ? MetricText.number(bounds[index]) : "+Inf"
      add("_bucket", labels + [MetricLabel("le", bound)], Double(cumulative))
    }
    add("_sum", labels, total)
    add("_count", labels, Double(cumulative))
    return samples
  }
}
