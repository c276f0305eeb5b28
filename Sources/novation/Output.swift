import Foundation

/// How commands print: figures as one JSON object on one line with keys in order, steps and errors on standard error.
enum Output {
  static func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// One line on standard error.
  static func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
