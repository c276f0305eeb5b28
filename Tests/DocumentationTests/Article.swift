import Bytes
import Foundation
import Testing

/// A format's article as it lies beside the code that owns the format.
///
/// Its worked examples are fenced blocks marked `text example=NAME`. A line of one is hexadecimal bytes, then `#` and
/// what they are; bytes without a remark go on in the next line.
struct Article {
  let url: URL
  let text: String

  /// The article at `path`, from the package's root and without its extension.
  init(_ path: String) throws { try self.init(url: Self.root.appendingPathComponent(path + ".md")) }

  static let root: URL = {
    var url = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: url.appendingPathComponent("Package.swift").path) {
      url.deleteLastPathComponent()
    }
    return url
  }()

  /// Bytes of an example and what they are.
  struct Field: Equatable {
    var bytes: [UInt8]
    var remark: String
    init(_ bytes: [UInt8], _ remark: String) {
      self.bytes = bytes
      self.remark = remark
    }
    init(_ value: some ByteCodable, _ remark: String) { self.init(value.encoded, remark) }
  }

  private static let fence = "```"
  private func opening(_ name: String) -> String { "\(Self.fence)text example=\(name)\n" }

  /// The lines of an example; throws when there is none of that name, or several.
  private func body(of name: String) throws -> Range<String.Index> {
    let parts = text.ranges(of: opening(name))
    let start = try #require(parts.first, "\(url.lastPathComponent) has no example \(name)")
    #expect(parts.count == 1, "\(url.lastPathComponent) has several examples \(name)")
    let end = try #require(text[start.upperBound...].range(of: Self.fence), "example \(name) does not end")
    return start.upperBound..<end.lowerBound
  }

  /// The fields of an example as the article has them.
  func example(_ name: String) throws -> [Field] {
    var fields: [Field] = []
    var bytes: [UInt8] = []
    for line in text[try body(of: name)].split(separator: "\n") {
      let parts = line.split(separator: "#", maxSplits: 1)
      let digits = parts[0].filter { $0 != " " }
      bytes += try #require(Hexadecimal.decode(digits), "example \(name): \(line)")
      guard parts.count == 2 else { continue }
      fields.append(Field(bytes, parts[1].trimmingCharacters(in: .whitespaces)))
      bytes = []
    }
    #expect(bytes.isEmpty, "example \(name) ends in bytes without a remark")
    return fields
  }

  /// The fields of an example that has so many.
  func example(_ name: String, fields count: Int) throws -> [Field] {
    let fields = try example(name)
    try #require(fields.count == count, "example \(name)")
    return fields
  }

  /// All bytes of an example, in order.
  func bytes(_ name: String) throws -> [UInt8] { try example(name).flatMap(\.bytes) }

  /// All bytes of an example that has so many.
  func bytes(_ name: String, count: Int) throws -> [UInt8] {
    let bytes = try bytes(name)
    try #require(bytes.count == count, "example \(name)")
    return bytes
  }

  /// Expects the example to be exactly these fields. `NOVATION_UPDATE_ARTICLES=1` writes them into the article instead;
  /// since examples build on each other, until a second run passes.
  func holds(_ name: String, _ fields: [Field], sourceLocation: SourceLocation = #_sourceLocation) throws {
    if ProcessInfo.processInfo.environment["NOVATION_UPDATE_ARTICLES"] != nil {
      // Read anew: another test may have written another example meanwhile.
      try Self.updating.withLock {
        let current = try Article(url: url)
        try current.text.replacingCharacters(in: current.body(of: name), with: Self.lines(fields))
          .write(to: url, atomically: true, encoding: .utf8)
      }
      return
    }
    #expect(try example(name) == fields, "example \(name)", sourceLocation: sourceLocation)
  }

  private static let updating = NSLock()

  private init(url: URL) throws {
    self.url = url
    text = try String(contentsOf: url, encoding: .utf8)
  }

  /// Bytes of one line.
  private static let lineBytes = 32

  private static func lines(_ fields: [Field]) -> String {
    var text = ""
    for field in fields {
      var rest = field.bytes[...]
      while rest.count > lineBytes {
        text += Hexadecimal.encode(rest.prefix(lineBytes)) + "\n"
        rest = rest.dropFirst(lineBytes)
      }
      text += Hexadecimal.encode(rest) + "  # \(field.remark)\n"
    }
    return text
  }
}
