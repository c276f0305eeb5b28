import Market

/// A day of the Gregorian calendar in UTC, counted from 1970-01-01, with the names that contracts use.
public struct CalendarDay: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Days since 1970-01-01.
  public let number: Int64
  /// Days that fit the 32-bit seconds of a contract's sub-id: up to the year 2105.
  public static let numbers: ClosedRange<Int64> = 0...49_672

  static let months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]

  public init(number: Int64) { self.number = number }
  /// The day in which `instant` lies.
  public init(of instant: Timestamp) {
    let seconds = instant.seconds
    number = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
  }

  /// `nil` for a date that does not exist. The count of days is Howard Hinnant's `days_from_civil`.
  public init?(year: Int64, month: Int64, day: Int64) {
    guard (1970...2105).contains(year), (1...12).contains(month), day >= 1 else { return nil }
    let leap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    let lengths: [Int64] = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard day <= lengths[Int(month) - 1] else { return nil }
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    number = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// From `2027-03-27`.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2,
      let year = Int64(parts[0]), let month = Int64(parts[1]), let day = Int64(parts[2])
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  /// From `27MAR27`, of this century; the day of the month has no zero before it.
  public init?(contractName text: some StringProtocol) {
    let day = text.prefix { $0.isNumber }
    let month = text.dropFirst(day.count).prefix(3)
    let year = text.suffix(2)
    guard (1...2).contains(day.count), text.count == day.count + 5, let day = Int64(day), let year = Int64(year),
      let index = Self.months.firstIndex(of: String(month))
    else { return nil }
    self.init(year: 2000 + year, month: Int64(index) + 1, day: day)
    if contractName != text { return nil }
  }

  public static func < (a: CalendarDay, b: CalendarDay) -> Bool { a.number < b.number }

  /// Year, month and day of the month.
  public var civil: (year: Int64, month: Int64, day: Int64) {
    let shifted = number + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  /// `27MAR27`, as in the names of contracts.
  public var contractName: String {
    let (year, month, day) = civil
    let short = year % 100
    return "\(day)\(Self.months[Int(month) - 1])\(short < 10 ? "0" : "")\(short)"
  }

  /// `2027-03-27`.
  public var description: String {
    let (year, month, day) = civil
    return "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
  }

  /// 08:00 UTC, when contracts expire.
  public var expiry: Timestamp { Timestamp(seconds: number * 86_400 + 8 * 3_600) }
}
