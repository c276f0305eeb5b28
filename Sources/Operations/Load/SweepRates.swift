/// Rates of a sweep, in orders a second: `RATE,RATE,…` or `FROM:TO:STEP`.
public struct SweepRates: Sendable, Hashable {
  public let rates: [Int]

  /// Rates that a load can have.
  public static let limits = 1...10_000_000
  /// Most rates of one sweep.
  public static let maximumCount = 100

  public init(parsing text: String) throws(SweepRatesError) {
    let isRange = text.contains(":")
    let parts = text.split(separator: isRange ? ":" : ",", omittingEmptySubsequences: false)
    var numbers: [Int] = []
    for part in parts {
      guard let number = Int(part), Self.limits.contains(number) else {
        throw SweepRatesError(reason: "'\(part)' is no rate; a rate is 1 to \(Self.limits.upperBound)")
      }
      numbers.append(number)
    }
    if isRange {
      guard numbers.count == 3, numbers[0] <= numbers[1] else {
        throw SweepRatesError(reason: "'\(text)' is not of the form FROM:TO:STEP with FROM at most TO")
      }
      guard (numbers[1] - numbers[0]) / numbers[2] < Self.maximumCount else {
        throw SweepRatesError(reason: "'\(text)' has more than \(Self.maximumCount) rates")
      }
      numbers = Array(stride(from: numbers[0], through: numbers[1], by: numbers[2]))
    }
    guard numbers.count <= Self.maximumCount else {
      throw SweepRatesError(reason: "\(numbers.count) rates are more than \(Self.maximumCount)")
    }
    rates = numbers
  }
}

/// A sweep that cannot be read.
public struct SweepRatesError: Error, CustomStringConvertible {
  public var reason: String
  public var description: String { "--sweep: \(reason)" }
}
