/// Why an instrument file or a chain snapshot is refused: which field, its value, what would be right, and where.
public struct ListingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Path of the field, for example `underlyings[0].contracts[2].tick_size`; empty when the whole file is meant.
  public var field: String
  /// The offending value as written; empty when it is missing.
  public var value: String
  /// What would be right.
  public var rule: String
  public var file: String
  /// Line in the file where it is known.
  public var line: Int?

  public init(field: String, value: String, rule: String, file: String, line: Int? = nil) {
    self.field = field
    self.value = value
    self.rule = rule
    self.file = file
    self.line = line
  }

  public var description: String {
    let place = line.map { "\(file):\($0)" } ?? file
    let what = value.isEmpty ? field : "\(field) is \(value)"
    return what.isEmpty ? "\(place): \(rule)" : "\(place): \(what): \(rule)"
  }
}
