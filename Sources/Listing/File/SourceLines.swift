/// Finds the line on which a field of a TOML document stands, by its path.
///
/// The parser gives places only for errors of syntax. This reads table headers and keys at the beginning of lines; what
/// stands within an inline table is found at the line of its key.
struct SourceLines {
  private var lines: [String: Int] = [:]

  init(_ text: String) {
    var counts: [String: Int] = [:]
    var prefix = ""
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let content = line.drop { $0 == " " || $0 == "\t" }
      if content.hasPrefix("[[") {
        let name = Self.name(content.dropFirst(2), until: "]")
        let parent = Self.path(of: name.split(separator: ".").dropLast(), counts)
        let path = Self.join(parent, String(name.split(separator: ".").last ?? ""))
        let count = counts[path, default: 0]
        counts[path] = count + 1
        prefix = "\(path)[\(count)]"
        lines[prefix] = index + 1
      } else if content.hasPrefix("[") {
        prefix = Self.path(of: Self.name(content.dropFirst(), until: "]").split(separator: ".")[...], counts)
        lines[prefix] = index + 1
      } else if let first = content.first, first.isLetter || first == "_", content.contains("=") {
        let path = Self.join(prefix, Self.name(content, until: "="))
        if lines[path] == nil { lines[path] = index + 1 }
      }
    }
  }

  /// The line of the field, or of the nearest thing around it that has a line of its own.
  func line(of field: String) -> Int? {
    var path = field[...]
    while !path.isEmpty {
      if let line = lines[String(path)] { return line }
      guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { return nil }
      path = path[..<end]
    }
    return nil
  }

  private static func name(_ text: some StringProtocol, until end: Character) -> String {
    String(text.prefix { $0 != end }.filter { $0 != " " && $0 != "\t" && $0 != "\"" })
  }

  private static func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// The path of a header's parts; a part that is a list of tables means its latest.
  private static func path(of parts: some Collection<Substring>, _ counts: [String: Int]) -> String {
    var path = ""
    for part in parts {
      path = join(path, String(part))
      if let count = counts[path] { path += "[\(count - 1)]" }
    }
    return path
  }
}
