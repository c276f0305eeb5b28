import Bytes
import Glibc
import Market
import Testing

@testable import Pricing

@Suite struct SmileTests {
  @Test(.enabled(if: SharedData.isPresent, "\(SharedData.absence)"))
  func publishedSVIVolatilitiesAreReproduced() throws {
    let cases = try #require(SharedData.json("vectors/black76_svi.json")["svi"] as? [[String: Any]])
    #expect(cases.count >= 5)
    for row in cases {
      func number(_ key: String) -> Double { SharedData.number(row[key]) }
      let svi = try SVIParameters(
        a: number("a"), b: number("b"), rho: number("rho"), m: number("m"), sigma: number("sigma"),
        referenceYears: number("tau"))
      for (strike, volatility) in try #require(row["vols"] as? [String: Any]) {
        let k = log(try #require(Double(strike)) / number("fwd"))
        #expect(abs(svi.volatility(logMoneyness: k) - SharedData.number(volatility)) < 1e-5, "\(row)")
      }
    }
  }

  @Test func pointsAreMetExactlyAndVarianceIsLinearBetweenThem() throws {
    let points = try SmilePoints(axis: .logMoneyness, places: [-0.5, 0, 0.5], volatilities: [0.9, 0.5, 0.7])
    let forward = 100.0
    #expect(points.volatility(strike: forward, forward: forward) == 0.5)
    let between = points.volatility(strike: forward * exp(0.25), forward: forward)
    #expect(abs(between * between - (0.25 + 0.49) / 2) < 1e-12)
    #expect(points.volatility(strike: forward * exp(-2), forward: forward) == 0.9)
    #expect(points.volatility(strike: forward * exp(2), forward: forward) == 0.7)
  }

  @Test func pointsByStrikeStayWhenTheForwardMoves() throws {
    let points = try SmilePoints(axis: .strike, places: [80, 100, 120], volatilities: [0.9, 0.5, 0.7])
    for forward in [50.0, 100, 200] {
      #expect(points.volatility(strike: 80, forward: forward) == 0.9)
      #expect(points.volatility(strike: 100, forward: forward) == 0.5)
    }
  }

  @Test func insaneSVIIsRefusedByFieldValueAndRule() {
    func refusal(
      a: Double = 0.04, b: Double = 0.1, rho: Double = 0, m: Double = 0, sigma: Double = 0.1, years: Double = 1
    ) -> String? {
      do throws(PricingRefusal) {
        _ = try SVIParameters(a: a, b: b, rho: rho, m: m, sigma: sigma, referenceYears: years)
        return nil
      } catch { return error.field }
    }
    #expect(refusal() == nil)
    #expect(refusal(a: .nan) == "svi.a")
    #expect(refusal(a: -0.1) == "svi.a", "a smile whose variance is negative at its lowest")
    #expect(refusal(b: -0.1) == "svi.b")
    #expect(refusal(b: 3, rho: 0.9) == "svi.b", "wings too steep")
    #expect(refusal(rho: 1) == "svi.rho")
    #expect(refusal(m: .infinity) == "svi.m")
    #expect(refusal(sigma: 0) == "svi.sigma")
    #expect(refusal(years: 0) == "svi.reference_years")
  }

  @Test func insanePointsAreRefused() {
    func refusal(_ places: [Double], _ volatilities: [Double], _ axis: SmilePoints.Axis = .strike) -> String? {
      do throws(PricingRefusal) {
        _ = try SmilePoints(axis: axis, places: places, volatilities: volatilities)
        return nil
      } catch { return error.description }
    }
    #expect(refusal([1], [0.5]) == nil)
    #expect(refusal([], [])?.hasPrefix("points is 0 places") == true)
    #expect(refusal([1, 2], [0.5]) != nil)
    #expect(refusal([2, 1], [0.5, 0.5])?.contains("must ascend") == true)
    #expect(refusal([1, 1], [0.5, 0.5]) != nil)
    #expect(refusal([0], [0.5]) != nil)
    #expect(refusal([1], [0]) != nil)
    #expect(refusal([1], [.nan]) != nil)
    #expect(refusal([1], [25]) != nil)
    #expect(refusal([.nan], [0.5], .logMoneyness) != nil)
  }
}

@Suite struct VolatilitySurfaceTests {
  static let now = Timestamp(seconds: 1_800_000_000)

  static func slice(days: Int64, volatility: Double, carry: Double = 0) throws -> ExpirySlice {
    try ExpirySlice(
      expiry: now + .days(days), carry: carry,
      smile: .points(SmilePoints(axis: .logMoneyness, places: [0], volatilities: [volatility])))
  }

  @Test func totalVarianceIsLinearInTimeBetweenExpiries() throws {
    let surface = try UnderlyingSurface(
      carry: 0, slices: [Self.slice(days: 10, volatility: 0.8), Self.slice(days: 30, volatility: 0.4)])
    let between = try #require(
      surface.volatility(strike: 100, expiry: Self.now + .days(20), index: 100, now: Self.now))
    #expect(abs(between * between * 20 - (0.64 * 10 + 0.16 * 30) / 2) < 1e-9)
    for (days, expected) in [(5, 0.8), (10, 0.8), (30, 0.4), (90, 0.4)] as [(Int64, Double)] {
      let volatility = surface.volatility(strike: 100, expiry: Self.now + .days(days), index: 100, now: Self.now)
      #expect(volatility == expected)
    }
  }

  @Test func theForwardIsTheIndexGrownByItsCarry() throws {
    let surface = try UnderlyingSurface(
      carry: 0.5,
      slices: [
        Self.slice(days: 73, volatility: 0.5, carry: 0.1), Self.slice(days: 146, volatility: 0.5, carry: 0.2),
      ])
    func forward(_ days: Int64) -> Double {
      surface.forward(index: 100, expiry: Self.now + .days(days), now: Self.now)
    }
    #expect(abs(forward(73) - 100 * exp(0.02)) < 1e-9)
    #expect(abs(forward(146) - 100 * exp(0.08)) < 1e-9)
    #expect(abs(forward(109) - 100 * exp(0.02 + 36.0 / 73 * 0.06)) < 1e-9)
    #expect(abs(forward(365) - 100 * exp(0.2)) < 1e-9)
    #expect(forward(0) == 100)
    let empty = try UnderlyingSurface(carry: 0.5, slices: [])
    #expect(abs(empty.forward(index: 100, expiry: Self.now + .days(365), now: Self.now) - 100 * exp(0.5)) < 1e-9)
    #expect(empty.volatility(strike: 100, expiry: Self.now + .days(1), index: 100, now: Self.now) == nil)
  }

  @Test func expiriesOutOfOrderAreRefused() throws {
    #expect(throws: PricingRefusal.self) {
      try UnderlyingSurface(
        carry: 0, slices: [Self.slice(days: 30, volatility: 0.5), Self.slice(days: 10, volatility: 0.5)])
    }
    #expect(throws: PricingRefusal.self) { try UnderlyingSurface(carry: .nan, slices: []) }
    #expect(throws: PricingRefusal.self) { try Self.slice(days: 1, volatility: 0.5, carry: 11) }
  }

  @Test func theSurfaceReadsBackBitForBit() throws {
    let surface = Fixture.surface
    #expect(try VolatilitySurface(decoding: surface.encoded) == surface)
  }

  @Test func anotherVersionAndInsaneNumbersAreRefusedWhenRead() throws {
    var bytes = Fixture.surface.encoded
    bytes[0] = 2
    #expect(throws: MalformedBytes.self) { try VolatilitySurface(decoding: bytes) }
    bytes = Fixture.surface.encoded
    for byte in 6..<14 { bytes[byte] = 0xFF }
    #expect(throws: MalformedBytes.self) { try VolatilitySurface(decoding: bytes) }
    // No bytes trap, whatever they are.
    var random = Random(seed: 3)
    for _ in 0..<5_000 {
      bytes = Fixture.surface.encoded
      for _ in 0..<3 { bytes[Int(random.whole(2...Int64(bytes.count - 1)))] = UInt8(random.whole(0...255)) }
      bytes.removeLast(Int(random.whole(0...40)))
      _ = try? VolatilitySurface(decoding: bytes)
    }
  }
}
