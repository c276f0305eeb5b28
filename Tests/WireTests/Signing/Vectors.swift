import Foundation

/// The signing vectors that are shared between projects and lie beside the checkout, never in it.
enum Vectors {
  static let missing = "needs the shared vectors in ../shared/data/vectors, beside the package"

  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "../shared/data/vectors").standardizedFileURL

  static let arePresent = FileManager.default.fileExists(
    atPath: folder.appending(path: "eip712_signatures.json").path)

  static func load(_ file: String) throws -> JSON {
    try JSONDecoder().decode(JSON.self, from: Data(contentsOf: folder.appending(path: file)))
  }
}

/// A JSON value whose numbers are whole.
enum JSON: Decodable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case text(String)
  case array([JSON])
  case object([String: JSON])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([JSON].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSON].self))
    }
  }

  subscript(key: String) -> JSON {
    if case .object(let members) = self { members[key] ?? .null } else { .null }
  }
  var exists: Bool { if case .null = self { false } else { true } }
  var items: [JSON] { if case .array(let items) = self { items } else { [] } }
  var members: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
  /// The text, or the decimal digits of a number.
  var string: String {
    switch self {
    case .text(let text): text
    case .integer(let value): String(value)
    default: ""
    }
  }
  var int: Int64 { Int64(string) ?? .min }
  var isTrue: Bool { if case .bool(true) = self { true } else { false } }
}
