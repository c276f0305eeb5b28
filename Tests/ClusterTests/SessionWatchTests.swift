import Machine
import Market
import Testing
import Wire

@testable import Cluster

struct SessionWatchTests {
  private static let gateway = MachineID(.gateway, 0)
  private static let second: Int64 = 1_000_000_000
  private static let times = SessionWatch.Times(silence: 5 * second, linger: 2 * second)

  private static func watch(isFresh: Bool = true) -> SessionWatch {
    SessionWatch(gateways: [gateway, MachineID(.gateway, 1)], times: times, now: 0, isFresh: isFresh)
  }
  private static func session(_ place: UInt16, of gateway: UInt16 = 0) -> UInt64 {
    SessionName(gateway: gateway, place: place).rawValue
  }
  /// Lets time pass as a host does, which looks several times a second.
  private static func pass(_ watch: inout SessionWatch, from: Int64, to: Int64) -> [SessionEnd] {
    stride(from: from, through: to, by: 250_000_000).flatMap { watch.due(at: $0) }
  }

  @Test func namesOfSessionsAreReadAsWritten() {
    for (gateway, place) in [(UInt16(0), UInt16(0)), (3, 17), (.max, SessionName.mostPlaces - 1)] {
      let name = SessionName(gateway: gateway, place: place)
      #expect(name.rawValue != 0 && SessionName(rawValue: name.rawValue) == name)
    }
    for other in [0, 5, UInt64.max, 1 << 33, 1 << 32 | UInt64(SessionName.mostPlaces)] {
      #expect(SessionName(rawValue: other) == nil)
    }
  }

  @Test func aSilentGatewaysSessionsEndTwiceAndNotBefore() {
    var watch = Self.watch()
    #expect(watch.heard(GatewayHeartbeat(gateway: Self.gateway, incarnation: 7), at: 0).isEmpty)
    watch.saw(Self.session(1))
    #expect(Self.pass(&watch, from: 0, to: 5 * Self.second).isEmpty)
    let ends = [0, 1].map { SessionEnd(session: Self.session($0), generation: .max) }
    #expect(watch.due(at: 5 * Self.second + 1) == ends)
    #expect(Self.pass(&watch, from: 5 * Self.second + 2, to: 7 * Self.second).isEmpty)
    #expect(watch.due(at: 7 * Self.second + 1) == ends)
    #expect(Self.pass(&watch, from: 7 * Self.second + 2, to: 60 * Self.second).isEmpty)
  }

  @Test func aNewProcessEndsWhatTheOneBeforeItHadAndNothingOfItsOwn() {
    var watch = Self.watch()
    _ = watch.heard(GatewayHeartbeat(gateway: Self.gateway, incarnation: 7), at: 0)
    watch.saw(Self.session(0))
    let ends = [SessionEnd(session: Self.session(0), generation: 99)]
    #expect(watch.heard(GatewayHeartbeat(gateway: Self.gateway, incarnation: 100), at: 1) == ends)
    #expect(watch.heard(GatewayHeartbeat(gateway: Self.gateway, incarnation: 100), at: 2).isEmpty)
    #expect(watch.due(at: 2 * Self.second + 1) == ends)
  }

  @Test func aGatewayThatIsHeardAgainKeepsWhatItSentSince() {
    var watch = Self.watch()
    _ = watch.heard(GatewayHeartbeat(gateway: Self.gateway, incarnation: 7), at: 0)
    watch.saw(Self.session(0))
    #expect(Self.pass(&watch, from: 0, to: 5 * Self.second + 250_000_000).count == 1)
    #expect(watch.heard(GatewayHeartbeat(gateway: Self.gateway, incarnation: 7), at: 6 * Self.second).isEmpty)
    watch.saw(Self.session(0))
    #expect(Self.pass(&watch, from: 6 * Self.second, to: 10 * Self.second).isEmpty)
  }

  @Test func aMachineThatCameBackEndsEveryPlaceOfAGatewayThatDidNot() {
    var watch = Self.watch(isFresh: false)
    let ends = Self.pass(&watch, from: 0, to: 6 * Self.second)
    #expect(ends.count == 2 * Int(SessionName.mostPlaces))
    #expect(Set(ends.map(\.session)).count == ends.count)
    // The second time, too; then nothing is left that nobody remembers.
    #expect(Self.pass(&watch, from: 6 * Self.second, to: 9 * Self.second).count == ends.count)
    #expect(watch.heard(GatewayHeartbeat(gateway: Self.gateway, incarnation: 7), at: 9 * Self.second).isEmpty)
  }

  @Test func whoDidNotLookForAWhileAccusesNobodyOfSilence() {
    var watch = Self.watch()
    _ = watch.heard(GatewayHeartbeat(gateway: Self.gateway, incarnation: 7), at: 0)
    watch.saw(Self.session(0))
    #expect(watch.due(at: 60 * Self.second).isEmpty)
    #expect(Self.pass(&watch, from: 60 * Self.second, to: 64 * Self.second).isEmpty)
    #expect(Self.pass(&watch, from: 64 * Self.second, to: 66 * Self.second).count == 1)
  }

  @Test func aClientsOwnWordsForItsSessionAreNobodys() {
    var watch = Self.watch()
    watch.saw(UInt64.max)
    watch.saw(7)
    watch.saw(Self.session(0, of: 9))
    #expect(Self.pass(&watch, from: 0, to: 6 * Self.second).isEmpty)
  }
}
