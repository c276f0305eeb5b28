import Machine
import Market
import Testing
import Wire

@testable import GatewayNode

struct ClientSessionsTests {
  private static let second: Int64 = 1_000_000_000
  private let alice: [UInt8] = [1]
  private let bob: [UInt8] = [2]

  private static func sessions() -> ClientSessions {
    ClientSessions(gateway: 3, firstGeneration: 100, linger: 2 * second)
  }
  private static func enter(
    _ sessions: inout ClientSessions, _ identity: [UInt8], _ back: Int
  ) throws -> ClientSessions.Session {
    let session = sessions.enter(identity, back)
    return try #require(session)
  }
  private static func isNeeded(_ operations: [Market.Operation]) -> Bool {
    operations.withUnsafeBytes { ClientSessions.isNeeded(for: $0) }
  }

  @Test func onlyOrdersThatLiveWithTheirSessionNeedOne() {
    let instrument = InstrumentID(0)
    let plain = Market.Operation(kind: .new, instrument: instrument)
    #expect(!Self.isNeeded([plain, .init(kind: .cancel, instrument: instrument)]))
    for kind in [Market.Operation.Kind.new, .replace, .quote] {
      #expect(Self.isNeeded([plain, .init(kind: kind, flags: .cancelOnDisconnect, instrument: instrument)]))
    }
    #expect(!Self.isNeeded([.init(kind: .cancelAll, flags: .cancelOnDisconnect, instrument: instrument)]))
  }

  @Test func aClientHasOneSessionAndEachItsOwn() throws {
    var sessions = Self.sessions()
    let first = try Self.enter(&sessions, alice, 0)
    let again = try Self.enter(&sessions, alice, 1)
    let other = try Self.enter(&sessions, bob, 0)
    #expect(first.name == again.name && first.generation == again.generation && again.backs == [0, 1])
    #expect(first.name != other.name && first.name.gateway == 3)
    #expect(first.generation >= 100 && other.generation > first.generation)
  }

  @Test func aPlaceUsedAgainHasAHigherGeneration() throws {
    var sessions = Self.sessions()
    let first = try Self.enter(&sessions, alice, 0)
    sessions.end(alice, at: 0)
    let next = try Self.enter(&sessions, bob, 0)
    #expect(next.name == first.name && next.generation > first.generation)
  }

  @Test func anEndIsToldUntilItIsConfirmedAndOnceMoreWhenNothingCanWaitAnyLonger() throws {
    var sessions = Self.sessions()
    let session = try Self.enter(&sessions, alice, 0)
    _ = sessions.enter(alice, 2)
    let end = SessionEnd(session: session.name.rawValue, generation: session.generation)
    sessions.end(alice, at: 0)
    #expect(sessions.due(at: 0).map(\.back) == [0, 2] && sessions.due(at: 1).isEmpty)
    sessions.confirmed(end, by: 0)
    let again = sessions.due(at: Self.second)
    #expect(again.map(\.back) == [2] && again.allSatisfy { $0.end == end })
    sessions.confirmed(end, by: 2)
    #expect(sessions.due(at: Self.second * 3 / 2).isEmpty && sessions.endings == 2)
    #expect(sessions.due(at: 2 * Self.second).map(\.back) == [0, 2])
    sessions.confirmed(end, by: 0)
    #expect(sessions.due(at: 3 * Self.second).map(\.back) == [2])
    sessions.confirmed(end, by: 2)
    #expect(sessions.endings == 0 && sessions.due(at: 9 * Self.second).isEmpty)
  }

  @Test func whoSentNoSuchOrderEndsNothing() {
    var sessions = Self.sessions()
    sessions.end(alice, at: 0)
    #expect(sessions.due(at: 0).isEmpty && sessions.endings == 0)
  }

  @Test func thereAreSoManyPlacesAndNoMore() {
    var sessions = Self.sessions()
    for number in 0..<SessionName.mostPlaces {
      #expect(sessions.enter([1, UInt8(number >> 8), UInt8(number & 0xFF)], 0) != nil)
    }
    #expect(sessions.enter(alice, 0) == nil)
    sessions.end([1, 0, 5], at: 0)
    #expect(sessions.enter(alice, 0)?.name.place == 5)
  }

  /// A client that comes and goes leaves no growing list of ends behind.
  @Test func endsOfOnePlaceAreToldAsOne() {
    var sessions = Self.sessions()
    for round in 0..<100 {
      _ = sessions.enter(alice, 0)
      sessions.end(alice, at: Int64(round))
    }
    #expect(sessions.endings == 1 && sessions.due(at: 100).first?.end.generation == 199)
  }
}
