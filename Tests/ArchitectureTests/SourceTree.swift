import Foundation

/// The project's own files, as the tests of its shape see them.
struct SourceTree {
  struct File {
    /// From the package's root, for messages.
    var path: String
    var lines: [String]
    var module: String { String(path.split(separator: "/")[1]) }
    /// Modules imported, with attributes and `public` stripped.
    var imports: [String] {
      lines.compactMap { line in
        let words = line.split(separator: " ")
        guard let place = words.firstIndex(of: "import"), place + 1 < words.count, !line.hasPrefix(" "),
          !line.hasPrefix("//")
        else { return nil }
        return String(words[place + 1])
      }
    }
  }

  static let root: URL = {
    var url = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: url.appendingPathComponent("Package.swift").path) {
      url.deleteLastPathComponent()
    }
    return url
  }()

  /// Files under `folder` with one of these extensions.
  static func files(in folder: String, extensions: Set<String> = ["swift"]) -> [File] {
    let base = root.appendingPathComponent(folder)
    guard let walk = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else { return [] }
    var files: [File] = []
    for case let url as URL in walk where extensions.contains(url.pathExtension) {
      guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
      let path = String(url.path.dropFirst(root.path.count + 1))
      files.append(File(path: path, lines: text.components(separatedBy: "\n")))
    }
    return files.sorted { $0.path < $1.path }
  }
}
