/// The time of every single operation of a replay, so that its percentiles are exact.
struct LatencySamples: ~Copyable {
  private let times: UnsafeMutableBufferPointer<UInt32>
  private var count = 0

  /// Room for `capacity` samples, all of its memory touched, so that no sample is taken beside a page's first use.
  init(capacity: Int) {
    times = .allocate(capacity: capacity)
    times.initialize(repeating: 0)
  }

  deinit { times.deallocate() }

  /// Where the next `count` samples go, in nanoseconds.
  mutating func extend(by count: Int) -> UnsafeMutablePointer<UInt32> {
    let start = self.count
    self.count += count
    precondition(self.count <= times.count, "samples fit")
    return times.baseAddress! + start
  }

  /// What the samples come to; nil of none.
  mutating func latency() -> ObsReplay.Latency? {
    guard count > 0 else { return nil }
    var taken = times[..<count]
    taken.sort()
    /// The least sample that so many of a thousand do not exceed.
    func rank(_ thousandths: Int) -> UInt32 { times[(count * thousandths + 999) / 1_000 - 1] }
    return ObsReplay.Latency(
      clock: Self.clock(), median: rank(500), p99: rank(990), p999: rank(999), most: times[count - 1])
  }

  /// What two readings of the clock with nothing in between tell: the median of 10,001 pairs.
  private static func clock() -> UInt32 {
    var pairs = (0..<10_001).map { _ in
      let start = monotonicTime()
      return UInt32(clamping: monotonicTime() &- start)
    }
    pairs.sort()
    return pairs[pairs.count / 2]
  }
}
