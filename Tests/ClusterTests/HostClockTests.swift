import Machine
import Market
import Testing

@testable import Cluster

/// What an owner does about a clock that is not its peers'.
struct HostClockTests {
  private static let hour: Int64 = 3_600
  private let market = MarketDefinition(
    currencies: [], underlyings: [], instruments: [], shardCount: 1, parameters: MarketParameters())

  @Test func anOwnerAheadOfItsPeersStampsNothingAndStops() throws {
    let host = try LoneHost(market)
    host.answerTime([-Self.hour, -Self.hour])
    host.submit([1])
    #expect(try host.entries().isEmpty)
    #expect(host.endings.isEmpty)
    for _ in 0..<6 {
      host.settle(after: 250_000_000)
      host.answerTime([-Self.hour, -Self.hour])
    }
    #expect(host.endings.count == 1)
    #expect(host.endings.first?.contains("its clock is 3600000 ms ahead of its peers' (risk, settlement)") == true)
    #expect(try host.entries().isEmpty)
  }

  @Test func anOwnerBehindItsPeersIsSetForwardAndServes() throws {
    let host = try LoneHost(market)
    host.answerTime([Self.hour, Self.hour])
    host.settle(after: 300_000_000)
    host.answerTime([0, 0])
    host.submit([1])
    let stamp = try #require(try host.entries().last).header.stamp
    #expect((stamp - host.wall()).nanoseconds / 1_000_000_000 == Self.hour - 1 || (stamp - host.wall()).nanoseconds > 0)
    #expect(abs((stamp - host.wall()).nanoseconds - Self.hour * 1_000_000_000) < 1_000_000_000)
    #expect(host.endings.isEmpty)
  }

  @Test func onePeerThatIsWrongChangesNothing() throws {
    let host = try LoneHost(market)
    for _ in 0..<10 {
      host.answerTime([-Self.hour, 0])
      host.settle(after: 250_000_000)
    }
    host.submit([1])
    let stamp = try #require(try host.entries().last).header.stamp
    #expect(abs((stamp - host.wall()).nanoseconds) < 1_000_000_000)
    #expect(host.endings.isEmpty)
  }

  @Test func anOwnerWaitsForItsPeersClocksAndGoesOnAloneWithoutThem() throws {
    let host = try LoneHost(market)
    host.submit([1])
    #expect(try host.entries().isEmpty)
    host.settle(after: 1_900_000_000)
    #expect(try host.entries().isEmpty)
    host.settle(after: 200_000_000)
    host.submit([2])
    #expect(try host.entries().map(\.payload) == [[1], [2]])
  }

  @Test func aClockThatAgreesAgainServesAgain() throws {
    let host = try LoneHost(market)
    host.answerTime([-1, -1])
    host.submit([1])
    #expect(try host.entries().isEmpty)
    host.settle(after: 300_000_000)
    host.answerTime([0, 0])
    host.submit([2])
    #expect(try host.entries().map(\.payload) == [[1], [2]])
    #expect(host.endings.isEmpty)
  }
}
