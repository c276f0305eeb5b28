/// A number that cannot be priced with: which field, its value, and the rule it breaks.
public struct PricingRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// Where the number stands, for example `smile.svi.rho`.
  public var field: String
  public var value: String
  /// What would be right.
  public var rule: String
  public init(field: String, value: String, rule: String) {
    self.field = field
    self.value = value
    self.rule = rule
  }
  public var description: String { "\(field) is \(value): \(rule)" }

  /// The same refusal, seen from a level further out.
  func within(_ outer: String) -> PricingRefusal {
    PricingRefusal(field: "\(outer).\(field)", value: value, rule: rule)
  }

  /// Throws unless `value` is a number in `range`.
  static func require(
    _ value: Double, in range: ClosedRange<Double>, _ field: String
  ) throws(PricingRefusal) {
    guard range.contains(value) else {
      throw PricingRefusal(
        field: field, value: "\(value)", rule: "must be a number from \(range.lowerBound) to \(range.upperBound)")
    }
  }
}
