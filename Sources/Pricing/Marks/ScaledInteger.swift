import Market

/// Floating-point amounts as the integers of 1e-8 in which they are published.
enum ScaledInteger {
  /// Largest count that is published: beyond 2⁵³ a floating-point number no longer tells neighbours apart.
  static let limit: Int64 = 1 << 53

  /// The nearest count of 1e-8 in `amount`; `nil` for what is no number or too large.
  @inline(__always) static func nearest(_ amount: Double) -> Int64? {
    count((amount * Double(fixedPointScale)).rounded())
  }

  /// `units` rounded up to a whole count; `nil` for what is no number or too large.
  @inline(__always) static func ceiling(units: Double) -> Int64? { count(units.rounded(.up)) }

  private static func count(_ units: Double) -> Int64? {
    guard abs(units) <= Double(limit) else { return nil }
    return Int64(units)
  }
}
