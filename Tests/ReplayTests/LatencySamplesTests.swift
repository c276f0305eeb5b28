import Testing

@testable import Replay

@Suite struct LatencySamplesTests {
  /// Takes in samples in runs of three, as they come.
  private func taken(_ times: [UInt32], capacity: Int) -> ObsReplay.Latency? {
    var samples = LatencySamples(capacity: capacity)
    var rest = times[...]
    while !rest.isEmpty {
      let run = rest.prefix(3)
      let place = samples.extend(by: run.count)
      for (offset, time) in run.enumerated() { place[offset] = time }
      rest = rest.dropFirst(run.count)
    }
    return samples.latency()
  }

  @Test func percentilesAreRanksAmongAllSamples() throws {
    let latency = try #require(taken((1...2_000).shuffled(), capacity: 2_000))
    #expect(latency.median == 1_000 && latency.p99 == 1_980 && latency.p999 == 1_998 && latency.most == 2_000)
  }

  @Test func aPercentileBetweenTwoSamplesIsTheUpperOne() throws {
    let latency = try #require(taken([50, 10, 40, 20, 30], capacity: 5))
    #expect(latency.median == 30 && latency.p99 == 50 && latency.p999 == 50 && latency.most == 50)
  }

  @Test func roomThatWasNotNeededCountsForNothing() throws {
    let latency = try #require(taken([7], capacity: 100))
    #expect(latency.median == 7 && latency.p999 == 7 && latency.most == 7)
    #expect(taken([], capacity: 100) == nil)
  }
}
