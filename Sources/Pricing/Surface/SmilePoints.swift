import Glibc

/// One expiry's smile as volatilities at given places: variance is linear between them and flat beyond the ends.
/// Linear interpolation keeps variance positive and monotone wherever the points are.
public struct SmilePoints: Sendable, Hashable {
  /// What the places are. Strikes stay where they are when the forward moves; log-moneyness moves with it.
  public enum Axis: UInt8, Sendable, BitwiseCopyable {
    case logMoneyness = 0
    case strike = 1
  }
  /// Points of one smile at most.
  public static let limit = 1_024
  /// Volatilities that are believed: 0.1 % to 2,000 %.
  public static let volatilities = 0.001...20.0

  public let axis: Axis
  /// Strikes in USD or logarithms of strike over forward, ascending.
  public let places: [Double]
  /// Annual volatility at each place.
  public let volatilities: [Double]
  /// Where on the interpolation axis each place lies: ln(strike), or log-moneyness.
  private let coordinates: [Double]

  /// Refuses an empty or overlong list, places that do not ascend, strikes that are not positive, and volatilities that
  /// nobody believes.
  public init(axis: Axis, places: [Double], volatilities: [Double]) throws(PricingRefusal) {
    guard !places.isEmpty, places.count <= Self.limit, places.count == volatilities.count else {
      throw PricingRefusal(
        field: "points", value: "\(places.count) places and \(volatilities.count) volatilities",
        rule: "must be as many volatilities as places, from 1 to \(Self.limit)")
    }
    for (index, place) in places.enumerated() {
      try PricingRefusal.require(
        place, in: axis == .strike ? 1e-8...1e9 : -20...20, "points[\(index)] place")
      try PricingRefusal.require(volatilities[index], in: Self.volatilities, "points[\(index)] volatility")
      guard index == 0 || places[index - 1] < place else {
        throw PricingRefusal(field: "points[\(index)] place", value: "\(place)", rule: "places must ascend")
      }
    }
    self.axis = axis
    self.places = places
    self.volatilities = volatilities
    coordinates = axis == .strike ? places.map { log($0) } : places
  }

  /// Annual volatility at a strike, given the forward.
  public func volatility(strike: Double, forward: Double) -> Double {
    let x = axis == .strike ? log(strike) : log(strike / forward)
    var low = 0
    var high = coordinates.count
    while low < high {
      let middle = (low + high) / 2
      if coordinates[middle] < x { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return volatilities[0] }
    guard low < coordinates.count else { return volatilities[low - 1] }
    // Exactly at a place its own volatility, untouched by squaring and rooting.
    if coordinates[low] == x { return volatilities[low] }
    let weight = (x - coordinates[low - 1]) / (coordinates[low] - coordinates[low - 1])
    let before = volatilities[low - 1] * volatilities[low - 1]
    let after = volatilities[low] * volatilities[low]
    return (before + weight * (after - before)).squareRoot()
  }
}
