import Glibc
import Market
import Testing

@testable import Pricing

@Suite struct IndexWalkTests {
  static func walk(seed: UInt64 = 1, volatility: Double = 0.6, step: Interval = .seconds(1)) throws -> IndexWalk {
    try IndexWalk(
      seed: seed, opening: Price(whole: 100_000), volatility: volatility, origin: Fixture.now, stepLength: step)
  }

  @Test func theSameSeedWalksTheSameWayHoweverItGotThere() throws {
    var often = try Self.walk()
    var once = try Self.walk()
    for second in 0..<1_000 { _ = often.advance(to: Fixture.now + .seconds(Int64(second))) }
    let leap = once.advance(to: Fixture.now + .seconds(999))
    #expect(often.price == leap && often.step == 999)
    var other = try Self.walk(seed: 2)
    #expect(other.advance(to: Fixture.now + .seconds(999)) != leap)
  }

  @Test func itStartsAtTheOpeningAndNeverGoesBack() throws {
    var walk = try Self.walk()
    #expect(walk.price == Price(whole: 100_000))
    #expect(walk.advance(to: .zero) == Price(whole: 100_000))
    let later = walk.advance(to: Fixture.now + .seconds(100))
    #expect(walk.advance(to: Fixture.now) == later)
  }

  @Test func itsVolatilityIsTheOneAskedFor() throws {
    var walk = try Self.walk(volatility: 0.8, step: .seconds(60))
    var sum = 0.0
    let steps = 50_000
    for _ in 0..<steps {
      let before = log(walk.price.dollars)
      walk.takeStep()
      let move = log(walk.price.dollars) - before
      sum += move * move
    }
    let annual = (sum / Double(steps) * Black76.secondsPerYear / 60).squareRoot()
    #expect(abs(annual - 0.8) < 0.02)
    var still = try Self.walk(volatility: 0)
    #expect(still.advance(to: Fixture.now + .days(1)) == Price(whole: 100_000))
  }

  @Test func itStaysWithinAQuarterAndFourTimesTheOpening() throws {
    var walk = try Self.walk(volatility: 10, step: .days(1))
    for _ in 0..<5_000 {
      walk.takeStep()
      #expect(walk.price >= Price(whole: 25_000) && walk.price <= Price(whole: 400_001))
    }
  }

  @Test func absurdWalksAreRefused() {
    #expect(throws: PricingRefusal.self) { try Self.walk(volatility: .nan) }
    #expect(throws: PricingRefusal.self) { try Self.walk(volatility: -1) }
    #expect(throws: PricingRefusal.self) { try Self.walk(step: .seconds(0)) }
    #expect(throws: PricingRefusal.self) {
      try IndexWalk(seed: 1, opening: .zero, volatility: 1, origin: .zero)
    }
  }
}
