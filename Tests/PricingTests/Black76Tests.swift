import Glibc
import Testing

@testable import Pricing

@Suite struct Black76Tests {
  @Test(.enabled(if: SharedData.isPresent, "\(SharedData.absence)"))
  func publishedPricesAndDeltasAreReproduced() throws {
    let cases = try #require(SharedData.json("vectors/black76_svi.json")["black76"] as? [[String: Any]])
    #expect(cases.count >= 7)
    for row in cases {
      func number(_ key: String) -> Double { SharedData.number(row[key]) }
      func option(_ right: Black76.Right) throws -> Black76 {
        try #require(
          Black76(
            right, forward: number("fwd"), strike: number("strike"), volatility: number("vol"),
            years: number("secToExpiry") / Black76.secondsPerYear, discount: number("discount")))
      }
      let (call, put) = try (option(.call), option(.put))
      #expect(abs(call.price - number("call")) < 1e-9 * max(1, number("fwd")), "\(row)")
      #expect(abs(put.price - number("put")) < 1e-9 * max(1, number("fwd")), "\(row)")
      #expect(abs(call.delta / call.discount - number("undiscountedCallDelta")) < 1e-9, "\(row)")
    }
  }

  @Test func callLessPutIsTheDiscountedForwardLessStrike() throws {
    var random = Random(seed: 7)
    for _ in 0..<10_000 {
      let forward = random.within(0.01...200_000)
      let strike = forward * exp(random.within(-3...3))
      let volatility = random.within(0.01...5)
      let years = random.within(0.000_002...5)
      let discount = random.within(0.5...1)
      let call = try #require(
        Black76(
          .call, forward: forward, strike: strike, volatility: volatility, years: years, discount: discount))
      let put = try #require(
        Black76(
          .put, forward: forward, strike: strike, volatility: volatility, years: years, discount: discount))
      let scale = max(forward, strike)
      #expect(abs(call.price - put.price - discount * (forward - strike)) <= 1e-13 * scale)
      #expect(abs(call.delta - put.delta - discount) < 1e-14)
      #expect(call.gamma == put.gamma && call.vega == put.vega)
      #expect(call.price >= call.discountedIntrinsic - 1e-13 * scale && call.price <= discount * forward)
      #expect(put.price >= put.discountedIntrinsic - 1e-13 * scale && put.price <= discount * strike)
    }
  }

  @Test func greeksAreTheSlopesOfThePrice() throws {
    let (forward, strike, volatility, years, rate) = (100.0, 110.0, 0.6, 0.4, 0.05)
    func option(
      _ right: Black76.Right, forward: Double = 100, volatility: Double = 0.6, years: Double = 0.4
    ) throws -> Black76 {
      try #require(
        Black76(
          right, forward: forward, strike: strike, volatility: volatility, years: years,
          discount: exp(-rate * years)))
    }
    let step = 1e-4
    for right in Black76.Right.allCases {
      let center = try option(right, forward: forward, volatility: volatility, years: years)
      let slope = try (option(right, forward: forward + step).price - option(right, forward: forward - step).price)
      #expect(abs(center.delta - slope / (2 * step)) < 1e-8)
      let bend = try (option(right, forward: forward + step).delta - option(right, forward: forward - step).delta)
      #expect(abs(center.gamma - bend / (2 * step)) < 1e-8)
      let vega =
        try (option(right, volatility: volatility + step).price - option(right, volatility: volatility - step).price)
      #expect(abs(center.vega - vega / (2 * step)) < 1e-6)
      let decay = try (option(right, years: years - step).price - option(right, years: years + step).price)
      #expect(abs(center.theta - decay / (2 * step)) < 1e-5)
    }
  }

  @Test func withoutVolatilityOrTimeAnOptionIsItsIntrinsicValueExactly() throws {
    for (volatility, years) in [(0.0, 1.0), (0.8, 0.0), (0.0, 0.0)] {
      let call = try #require(Black76(.call, forward: 120, strike: 100, volatility: volatility, years: years))
      let put = try #require(Black76(.put, forward: 120, strike: 100, volatility: volatility, years: years))
      #expect(call.price == 20 && put.price == 0)
      #expect(call.delta == 1 && put.delta == 0 && call.gamma == 0 && call.vega == 0 && call.theta == 0)
      let atTheMoney = try #require(Black76(.call, forward: 100, strike: 100, volatility: volatility, years: years))
      #expect(atTheMoney.price == 0 && atTheMoney.delta == 0.5 && atTheMoney.gamma == 0)
    }
  }

  @Test func zeroForwardAndZeroStrikeAreExact() throws {
    let worthless = try #require(Black76(.call, forward: 0, strike: 100, volatility: 1, years: 1, discount: 0.9))
    #expect(worthless.price == 0 && worthless.delta == 0 && worthless.coinPrice == nil)
    let sure = try #require(Black76(.put, forward: 0, strike: 100, volatility: 1, years: 1, discount: 0.9))
    #expect(sure.price == 90)
    let forward = try #require(Black76(.call, forward: 100, strike: 0, volatility: 1, years: 1, discount: 0.9))
    #expect(forward.price == 90 && forward.delta == 0.9)
  }

  @Test func aCoinPremiumIsTheDollarPremiumOverTheForward() throws {
    let option = try #require(Black76(.call, forward: 50_000, strike: 50_000, volatility: 0.5, years: 0.25))
    #expect(option.coinPrice == option.price / 50_000)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, -1])
  func whatIsNoNumberOrNegativeIsRefused(_ bad: Double) {
    #expect(Black76(.call, forward: bad, strike: 1, volatility: 1, years: 1) == nil)
    #expect(Black76(.call, forward: 1, strike: bad, volatility: 1, years: 1) == nil)
    #expect(Black76(.call, forward: 1, strike: 1, volatility: bad, years: 1) == nil)
    #expect(Black76(.call, forward: 1, strike: 1, volatility: 1, years: bad) == nil)
    #expect(Black76(.call, forward: 1, strike: 1, volatility: 1, years: 1, discount: bad) == nil)
    #expect(Black76(.call, forward: 1, strike: 1, volatility: 1, years: 1, discount: 0) == nil)
  }
}
