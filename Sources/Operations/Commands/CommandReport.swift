import Foundation

/// What a command found out or did: one JSON object with snake_case keys for programs, a few lines for people.
public protocol CommandReport: Encodable {
  /// Without a line break at its end.
  var text: String { get }
  /// False when what was asked for is not so: the exit code is 1 then.
  var isGood: Bool { get }
}

extension CommandReport {
  public var isGood: Bool { true }

  /// One line; keys in alphabetical order.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}

/// Something that was asked wrongly: nothing was done. The text says what is wrong, where, and what would be right.
public struct CommandMistake: Error, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}

/// Something that was asked rightly and not granted: by the exchange, the settlement layer, or because nobody answers.
public struct CommandRefused: Error, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}

/// Columns of text for people, as wide as their widest cell; the first column starts at the left, the others end at the
/// right.
struct TextTable {
  private var rows: [[String]]
  init(_ header: [String]) { rows = [header] }
  mutating func add(_ row: [String]) { rows.append(row) }
  var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }
      var line = cells.joined(separator: "  ")
      while line.hasSuffix(" ") { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }
}
