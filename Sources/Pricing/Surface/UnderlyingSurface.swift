import Glibc
import Market

/// The volatility surface and forward curve of one underlying: slices in order of expiry.
public struct UnderlyingSurface: Sendable, Hashable {
  /// Slices of one underlying at most.
  public static let limit = 256

  /// Annual carry where there is no slice at all.
  public let carry: Double
  public let slices: [ExpirySlice]

  /// Refuses slices that do not ascend by expiry.
  public init(carry: Double, slices: [ExpirySlice]) throws(PricingRefusal) {
    try PricingRefusal.require(carry, in: ExpirySlice.carries, "carry")
    guard slices.count <= Self.limit else {
      throw PricingRefusal(field: "slices", value: "\(slices.count)", rule: "must be at most \(Self.limit)")
    }
    for index in slices.indices.dropFirst() where slices[index - 1].expiry >= slices[index].expiry {
      throw PricingRefusal(
        field: "slices[\(index)].expiry", value: "\(slices[index].expiry)", rule: "expiries must ascend")
    }
    self.carry = carry
    self.slices = slices
  }

  /// The slices on either side of `expiry`; the same one twice where it is listed or lies beyond an end.
  private func neighbours(of expiry: Timestamp) -> (before: ExpirySlice, after: ExpirySlice)? {
    guard let first = slices.first, let last = slices.last else { return nil }
    var low = 0
    var high = slices.count
    while low < high {
      let middle = (low + high) / 2
      if slices[middle].expiry < expiry { low = middle + 1 } else { high = middle }
    }
    if low == slices.count { return (last, last) }
    if low == 0 || slices[low].expiry == expiry { return (low == 0 ? first : slices[low], slices[low]) }
    return (slices[low - 1], slices[low])
  }

  /// Weight of the later neighbour at `expiry`, by time.
  private func weight(
    _ expiry: Timestamp, between before: ExpirySlice, and after: ExpirySlice, now: Timestamp
  ) -> Double {
    let from = before.years(from: now)
    let to = after.years(from: now)
    return to > from ? min(1, max(0, (now.years(until: expiry) - from) / (to - from))) : 1
  }

  /// Forward for delivery at `expiry` when the index is `index`: index · exp(carry · years). Between slices the
  /// logarithm is linear in time, beyond them the nearest carry holds.
  public func forward(index: Double, expiry: Timestamp, now: Timestamp) -> Double {
    let years = now.years(until: expiry)
    guard let (before, after) = neighbours(of: expiry) else { return index * exp(carry * years) }
    if before.expiry == after.expiry { return index * exp(before.carry * years) }
    let weight = weight(expiry, between: before, and: after, now: now)
    let logarithm =
      (1 - weight) * before.carry * before.years(from: now) + weight * after.carry * after.years(from: now)
    return index * exp(logarithm)
  }

  /// Annual volatility of an option: the slice's own where its expiry is listed; else total variance is linear in time
  /// between the neighbours at equal log-moneyness, and volatility flat beyond them. `nil` when there is no slice.
  public func volatility(strike: Double, expiry: Timestamp, index: Double, now: Timestamp) -> Double? {
    guard let (before, after) = neighbours(of: expiry) else { return nil }
    let forward = forward(index: index, expiry: expiry, now: now)
    if before.expiry == expiry { return before.volatility(strike: strike, forward: forward) }
    let moneyness = strike / forward
    func volatility(of slice: ExpirySlice) -> Double {
      let own = index * exp(slice.carry * slice.years(from: now))
      return slice.volatility(strike: moneyness * own, forward: own)
    }
    if before.expiry == after.expiry { return volatility(of: before) }
    let years = now.years(until: expiry)
    let later = volatility(of: after)
    guard years > 0 else { return later }
    let weight = weight(expiry, between: before, and: after, now: now)
    let earlier = volatility(of: before)
    let variance =
      (1 - weight) * earlier * earlier * before.years(from: now) + weight * later * later * after.years(from: now)
    return (variance / years).squareRoot()
  }
}
