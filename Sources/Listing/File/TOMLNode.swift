import TOMLKit

/// A value of a TOML document, copied out of the parser's own memory.
enum TOMLNode {
  case integer(Int64)
  case decimal(Double)
  case text(String)
  case boolean(Bool)
  case date(CalendarDay)
  case list([TOMLNode])
  case table([String: TOMLNode])
  /// A kind of value that no field takes: a time of day, or a date that no contract can have.
  case other(String)

  init(_ value: any TOMLValueConvertible) {
    switch value.type {
    case .int: self = value.int.map { .integer(Int64($0)) } ?? .other("integer")
    case .double: self = value.double.map { .decimal($0) } ?? .other("number")
    case .string: self = value.string.map { .text($0) } ?? .other("text")
    case .bool: self = value.bool.map { .boolean($0) } ?? .other("boolean")
    case .date:
      let date = value.date
      let day = date.flatMap { CalendarDay(year: Int64($0.year), month: Int64($0.month), day: Int64($0.day)) }
      self = day.map { .date($0) } ?? .other("a date outside 1970 to 2105")
    case .array: self = .list(value.array.map { array in array.map { TOMLNode($0) } } ?? [])
    case .table: self = value.table.map { TOMLNode(table: $0) } ?? .table([:])
    case .time, .dateTime: self = .other("a time of day")
    }
  }

  init(table: TOMLTable) {
    var values: [String: TOMLNode] = [:]
    for key in table.keys {
      if let value = table[key] { values[key] = TOMLNode(value) }
    }
    self = .table(values)
  }

  /// The value as a person would write it.
  var description: String {
    switch self {
    case .integer(let value): "\(value)"
    case .decimal(let value): "\(value)"
    case .text(let value): "\"\(value)\""
    case .boolean(let value): "\(value)"
    case .date(let value): "\(value)"
    case .list(let values): "a list of \(values.count)"
    case .table: "a table"
    case .other(let kind): kind
    }
  }
}
