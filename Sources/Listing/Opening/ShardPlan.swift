/// Which shard owns which group of instruments.
///
/// A shard is of one underlying, and an expiry is never split. Shards are first given to underlyings, one each and then
/// one by one to where the load of a shard is highest; within an underlying the largest group goes first, each to the
/// shard with the least load so far.
struct ShardPlan {
  /// `shards[underlying][group]`.
  let shards: [[UInt16]]
  let count: Int

  /// The number of shards when nobody asked for one: two for each underlying that has so many groups.
  static func defaultCount(loads: [[Int]]) -> Int { loads.reduce(0) { $0 + min(2, $1.count) } }

  /// Smallest and largest number of shards possible.
  static func limits(loads: [[Int]]) -> ClosedRange<Int> {
    loads.count...max(loads.count, loads.reduce(0) { $0 + $1.count })
  }

  /// `loads[underlying][group]` is the number of instruments of a group; `count` lies within the limits.
  init(loads: [[Int]], count: Int) {
    var allotted = loads.map { _ in 1 }
    for _ in 0..<max(0, count - loads.count) {
      // The underlying whose shards are busiest, among those with a group to give; the first of equals.
      var best: Int?
      for (index, groups) in loads.enumerated() where allotted[index] < groups.count {
        guard let current = best else {
          best = index
          continue
        }
        let load = groups.reduce(0, +) * allotted[current]
        if load > loads[current].reduce(0, +) * allotted[index] { best = index }
      }
      if let best { allotted[best] += 1 }
    }
    var first = 0
    shards = loads.enumerated().map { index, groups in
      defer { first += allotted[index] }
      var filled = [Int](repeating: 0, count: allotted[index])
      var owners = [UInt16](repeating: 0, count: groups.count)
      for group in groups.indices.sorted(by: { (groups[$1], $0) < (groups[$0], $1) }) {
        let lightest = filled.indices.min { (filled[$0], $0) < (filled[$1], $1) } ?? 0
        filled[lightest] += groups[group]
        owners[group] = UInt16(first + lightest)
      }
      return owners
    }
    self.count = first
  }
}
