import Market

/// Scratch memory of one measurement: profit and loss by expiry bucket and scenario, in USD units.
///
/// ```
/// bucket 0: lane 0 … 31 │ bucket 1: lane 0 … 31 │ …      the last bucket has no expiry
/// ```
struct ScenarioSums: Sendable {
  private(set) var values: [Int64] = []
  private(set) var bucketCount = 0

  /// Zeroes the first `buckets` rows and makes them the ones in use.
  mutating func clear(buckets: Int) {
    bucketCount = buckets
    if values.count < buckets * scenarioLanes { values = Array(repeating: 0, count: buckets * scenarioLanes) }
    for place in 0..<buckets * scenarioLanes { values[place] = 0 }
  }

  /// Adds lots × array to a bucket. The caller has bounded the sum of magnitudes, so nothing wraps.
  mutating func add(_ lots: Int64, of instrument: Int, from profitAndLoss: [Int64], to bucket: Int) {
    profitAndLoss.withUnsafeBufferPointer { arrays in
      values.withUnsafeMutableBufferPointer { sums in
        let array = UnsafeBufferPointer(rebasing: arrays[instrument * scenarioLanes..<(instrument + 1) * scenarioLanes])
        let sum = UnsafeMutableBufferPointer(rebasing: sums[bucket * scenarioLanes..<(bucket + 1) * scenarioLanes])
        for lane in 0..<scenarioLanes { sum[lane] &+= lots &* array[lane] }
      }
    }
  }

  /// Profit and loss of all buckets in one scenario.
  func total(_ lane: Int) -> Int64 {
    var total: Int64 = 0
    for bucket in 0..<bucketCount { total &+= values[bucket * scenarioLanes + lane] }
    return total
  }
}
