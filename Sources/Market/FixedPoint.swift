import Bytes

/// A decimal held as an integer count of 1e-8, the one fixed-point scale of the exchange.
public protocol FixedPoint: Hashable, Comparable, Sendable, BitwiseCopyable, ByteCodable, CustomStringConvertible {
  var units: Int64 { get }
  init(units: Int64)
}

/// Units in 1: every price, quantity and amount of money counts hundred-millionths.
public let fixedPointScale: Int64 = 100_000_000

extension FixedPoint {
  public static var zero: Self { Self(units: 0) }
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.units < b.units }
  @inlinable public func write(to writer: inout ByteWriter) { writer.i64(units) }
  @inlinable public init(from reader: inout ByteReader) { self.init(units: reader.i64()) }

  /// A whole number, for constants and tests; traps beyond ±92 billion.
  public init(whole: Int64) { self.init(units: whole * fixedPointScale) }

  /// Parses a plain decimal such as `-12.0001`; `nil` for anything else, for more than 8 decimals, or out of range.
  public init?(_ text: String) {
    var digits = text.utf8[...]
    let negative = digits.first == UInt8(ascii: "-")
    if negative { digits = digits.dropFirst() }
    guard let first = digits.first, first != UInt8(ascii: ".") else { return nil }
    // Summed below zero, where the range reaches one further.
    var units: Int64 = 0
    var decimals: Int?
    for digit in digits {
      if digit == UInt8(ascii: "."), decimals == nil {
        decimals = 0
        continue
      }
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      if let seen = decimals {
        if seen == 8 { return nil }
        decimals = seen + 1
      }
      let (product, tooLarge) = units.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = product.subtractingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
      if tooLarge || overflow { return nil }
      units = sum
    }
    if decimals == 0 { return nil }
    for _ in (decimals ?? 0)..<8 {
      let (product, tooLarge) = units.multipliedReportingOverflow(by: 10)
      if tooLarge { return nil }
      units = product
    }
    if !negative, units == .min { return nil }
    self.init(units: negative ? units : -units)
  }

  /// The shortest decimal that parses back to the same value.
  public var description: String {
    let magnitude = units.magnitude
    let whole = magnitude / UInt64(fixedPointScale)
    var fraction = String(magnitude % UInt64(fixedPointScale))
    let sign = units < 0 ? "-" : ""
    if fraction == "0" { return "\(sign)\(whole)" }
    fraction = String(repeating: "0", count: 8 - fraction.count) + fraction
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(sign)\(whole).\(fraction)"
  }
}

/// A price in the instrument's quote currency, in 1e-8.
@frozen public struct Price: FixedPoint {
  public let units: Int64
  @inlinable public init(units: Int64) { self.units = units }
}

/// A quantity of underlying (linear, coin-quoted) or of USD (inverse), in 1e-8.
@frozen public struct Quantity: FixedPoint {
  public let units: Int64
  @inlinable public init(units: Int64) { self.units = units }
}

/// An amount of one currency, in 1e-8. Which currency is said by the field's name or its neighbour.
@frozen public struct Money: FixedPoint {
  public let units: Int64
  @inlinable public init(units: Int64) { self.units = units }
  @inlinable public static func + (a: Money, b: Money) -> Money { Money(units: a.units + b.units) }
  @inlinable public static func - (a: Money, b: Money) -> Money { Money(units: a.units - b.units) }
  @inlinable public static prefix func - (a: Money) -> Money { Money(units: -a.units) }
  @inlinable public static func += (a: inout Money, b: Money) { a = a + b }
  @inlinable public static func -= (a: inout Money, b: Money) { a = a - b }
}

/// A whole number of an instrument's lots; positive buys, negative sells where a sign is allowed.
@frozen public struct Lots: Hashable, Comparable, Sendable, BitwiseCopyable, ByteCodable, CustomStringConvertible {
  public let count: Int64
  @inlinable public init(_ count: Int64) { self.count = count }
  public static let zero = Lots(0)
  @inlinable public static func < (a: Lots, b: Lots) -> Bool { a.count < b.count }
  @inlinable public static func + (a: Lots, b: Lots) -> Lots { Lots(a.count + b.count) }
  @inlinable public static func - (a: Lots, b: Lots) -> Lots { Lots(a.count - b.count) }
  @inlinable public static prefix func - (a: Lots) -> Lots { Lots(-a.count) }
  public func write(to writer: inout ByteWriter) { writer.i64(count) }
  public init(from reader: inout ByteReader) { count = reader.i64() }
  public var description: String { "\(count)" }
}

/// Exact integer division of products wider than 64 bits, with the rounding named.
public enum ExactDivision {
  /// ⌊a·b / divisor⌋ for a positive divisor; `nil` when the quotient does not fit.
  @inlinable public static func floor(_ a: Int64, times b: Int64, by divisor: Int64) -> Int64? {
    guard divisor > 0 else { return nil }
    let product = Int128(a) * Int128(b)
    let (quotient, remainder) = product.quotientAndRemainder(dividingBy: Int128(divisor))
    return Int64(exactly: remainder < 0 ? quotient - 1 : quotient)
  }
  /// ⌈a·b / divisor⌉ for a positive divisor; `nil` when the quotient does not fit.
  @inlinable public static func ceiling(_ a: Int64, times b: Int64, by divisor: Int64) -> Int64? {
    guard divisor > 0 else { return nil }
    let product = Int128(a) * Int128(b)
    let (quotient, remainder) = product.quotientAndRemainder(dividingBy: Int128(divisor))
    return Int64(exactly: remainder > 0 ? quotient + 1 : quotient)
  }
}
