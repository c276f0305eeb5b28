import Foundation
import Testing

/// What the README says of the tree is so.
struct ReadmeTests {
  private let text: String
  init() throws {
    text = try String(contentsOf: Article.root.appendingPathComponent("README.md"), encoding: .utf8)
  }

  /// What stands between back quotes in the prose.
  private var quoted: [String] {
    var isCode = false
    var quoted: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") { isCode.toggle() }
      if isCode || line.hasPrefix("```") { continue }
      for (index, part) in line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      where index % 2 == 1 {
        quoted.append(String(part))
      }
    }
    return quoted
  }

  @Test func everyPathIsThere() {
    let folders = ["Sources/", "Tests/", "cluster/", "docker/", "benchmarks/"]
    let paths = quoted.map { String($0.prefix { $0 != " " }) }.filter { path in
      folders.contains { path.hasPrefix($0) }
    }
    #expect(paths.count > 10)
    for path in paths {
      #expect(FileManager.default.fileExists(atPath: Article.root.appendingPathComponent(path).path), "\(path)")
    }
  }

  @Test func everyModuleHasAPlaceInTheHouse() throws {
    let modules = try FileManager.default.contentsOfDirectory(
      atPath: Article.root.appendingPathComponent("Sources").path)
    let quoted = Set(quoted)
    for module in modules { #expect(quoted.contains(module), "\(module) is not in the house") }
  }

  @Test func everyArticleIsListed() throws {
    let sources = Article.root.appendingPathComponent("Sources").resolvingSymlinksInPath()
    let walk = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var count = 0
    for case let url as URL in walk where url.pathExtension == "md" {
      let catalogue = url.deletingLastPathComponent().deletingPathExtension().lastPathComponent
      let name = url.deletingPathExtension().lastPathComponent
      // A catalogue's own page carries its module's name.
      if name == catalogue { continue }
      count += 1
      #expect(quoted.contains("Sources/\(catalogue)/\(catalogue).docc/\(name).md"), "\(name)")
    }
    #expect(count == 8)
  }
}
