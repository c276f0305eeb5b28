import Glibc
import Market

/// The built-in index: a geometric random walk without drift, by whole steps from an origin.
///
/// The logarithm moves by whole counts of 1e-12, so that the price at a step depends on seed and step alone, however
/// the walk got there: a publisher that starts again goes on where it was.
public struct IndexWalk: Sendable {
  /// The walk turns back here: a quarter of and four times the opening price.
  public static let farthest: Int64 = 1_386_294_361_120

  public let opening: Price
  /// Time of step 0, whose price is the opening.
  public let origin: Timestamp
  public let stepLength: Interval
  /// Steps taken.
  public private(set) var step: Int64 = 0

  private let deviation: Double
  private var state: UInt64
  private var logarithm: Int64 = 0

  /// Refuses a price that is not positive, an annual volatility outside 0 to 10, and steps outside 1 ms to 1 day.
  public init(
    seed: UInt64, opening: Price, volatility: Double, origin: Timestamp,
    stepLength: Interval = .milliseconds(250)
  ) throws(PricingRefusal) {
    try PricingRefusal.require(opening.dollars, in: 1e-6...1e8, "index.opening")
    try PricingRefusal.require(volatility, in: 0...10, "index.volatility")
    guard stepLength >= .milliseconds(1), stepLength <= .days(1) else {
      throw PricingRefusal(
        field: "index.step_length", value: "\(stepLength.nanoseconds) ns", rule: "must be 1 ms to 1 day")
    }
    self.opening = opening
    self.origin = origin
    self.stepLength = stepLength
    state = seed
    deviation = volatility * (Double(stepLength.nanoseconds) / 1e9 / Black76.secondsPerYear).squareRoot()
  }

  /// The price now, in 1e-8 dollars.
  public var price: Price {
    let factor = exp(Double(logarithm) * 1e-12)
    return Price(units: ScaledInteger.nearest(opening.dollars * factor) ?? opening.units)
  }

  /// Takes every step due by `now` and returns the price; an earlier time than the last changes nothing.
  public mutating func advance(to now: Timestamp) -> Price {
    let (elapsed, overflow) = now.nanoseconds.subtractingReportingOverflow(origin.nanoseconds)
    guard !overflow, elapsed > 0 else { return price }
    let due = elapsed / stepLength.nanoseconds
    while step < due { takeStep() }
    return price
  }

  /// One step: a normal deviate, less half the variance so that the price has no drift.
  public mutating func takeStep() {
    let move = deviation * normalDeviate() - 0.5 * deviation * deviation
    logarithm += Int64((move * 1e12).rounded())
    if logarithm > Self.farthest { logarithm = 2 * Self.farthest - logarithm }
    if logarithm < -Self.farthest { logarithm = -2 * Self.farthest - logarithm }
    logarithm = min(Self.farthest, max(-Self.farthest, logarithm))
    step += 1
  }

  /// Box and Muller's transform of two uniform numbers.
  private mutating func normalDeviate() -> Double {
    let radius = (-2 * log(uniform())).squareRoot()
    return radius * cos(2 * Double.pi * uniform())
  }

  /// A number in (0, 1], by SplitMix64.
  private mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ z >> 31) >> 11 + 1) * 0x1p-53
  }
}
