import Market
import Testing

@testable import Cluster

/// What follows from what peers' clocks say.
struct PeerClocksTests {
  private static let second: Int64 = 1_000_000_000

  /// The own clock stands at zero; each peer's at so many seconds, and answers at once.
  private func clocks(_ seconds: Int64..., at now: Int64 = 0) -> PeerClocks {
    var clocks = PeerClocks()
    for (peer, offset) in seconds.enumerated() {
      clocks.heard(peer, Timestamp(nanoseconds: offset * Self.second), asked: .zero, own: .zero, at: now)
    }
    return clocks
  }

  @Test func oneThatIsAheadOfAllKnowsIt() {
    #expect(clocks(-3600).ahead(at: 0) == 3600 * Self.second)
    #expect(clocks(-3600, -3600, -3599).ahead(at: 0) == 3600 * Self.second)
    #expect(clocks(-3600).behind(at: 0) == 0)
  }

  @Test func onePeerThatIsWrongMakesNobodyElseWrong() {
    for wrong in [-3600, 3600] as [Int64] {
      for clocks in [clocks(wrong, 0), clocks(0, wrong, 0), clocks(0, 0, 0, 0, wrong)] {
        #expect(clocks.ahead(at: 0) <= 0 && clocks.behind(at: 0) == 0, "\(wrong)")
      }
    }
  }

  @Test func oneThatIsBehindOfMostIsSetForward() {
    #expect(clocks(3600, 3600).behind(at: 0) == 3600 * Self.second)
    #expect(clocks(3600, 3600, 0).behind(at: 0) == 0)
    // Of two alone nobody can say which is right: the one ahead gives way.
    #expect(clocks(3600).behind(at: 0) == 0)
  }

  @Test func anAnswerThatWasLongUnderWayProvesNothing() {
    var clocks = PeerClocks()
    // Asked at 0, read at 4 s by a clock that agrees, heard at 9 s.
    clocks.heard(
      0, Timestamp(nanoseconds: 4 * Self.second), asked: .zero, own: Timestamp(nanoseconds: 9 * Self.second), at: 0)
    #expect(clocks.ahead(at: 0) <= 0 && clocks.behind(at: 0) == 0)
  }

  @Test func whatWasHeardLongAgoCountsNoMore() {
    let clocks = clocks(-3600, at: 0)
    #expect(clocks.count(at: 2 * Self.second) == 1)
    #expect(clocks.count(at: 3 * Self.second) == 0 && clocks.ahead(at: 3 * Self.second) == 0)
  }
}
