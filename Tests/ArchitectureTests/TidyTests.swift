import Foundation
import Testing

/// House style that a formatter does not see.
struct TidyTests {
  static let swiftFiles = SourceTree.files(in: "Sources") + SourceTree.files(in: "Tests")

  @Test func noFileIsLongerThanFiveHundredLines() {
    for file in Self.swiftFiles {
      #expect(file.lines.count <= 501, "\(file.path) has \(file.lines.count) lines: a room that holds two ideas")
    }
  }

  @Test func noLineIsLongerThanAHundredAndTwenty() {
    for file in Self.swiftFiles {
      for (number, line) in file.lines.enumerated() {
        #expect(line.count <= 120, "\(file.path):\(number + 1) has \(line.count) columns")
      }
    }
  }

  /// Spelled in halves so that this file does not find itself.
  @Test(arguments: [
    "TO" + "DO", "FIX" + "ME", "fatalError(\"un" + "implemented", "not yet " + "implemented",
  ])
  func nothingUnfinishedIsLeft(_ word: String) {
    for file in Self.swiftFiles {
      for (number, line) in file.lines.enumerated() {
        #expect(!line.contains(word), "\(file.path):\(number + 1) says \(word)")
      }
    }
  }

  /// The mark stands alone; a template of mkdtemp has more of the letter.
  @Test func noMarkOfTroubleIsLeft() throws {
    let mark = try Regex("(^|[^X])X{3}($|[^X])")
    #expect(("// XX" + "X: mend this").firstMatch(of: mark) != nil)
    for file in Self.swiftFiles {
      for (number, line) in file.lines.enumerated() {
        #expect(line.firstMatch(of: mark) == nil, "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test(arguments: ["print(", "try! ", "@unchecked Sendable", "unowned(unsafe)"])
  func pureModulesAvoid(_ call: String) {
    for file in SourceTree.files(in: "Sources") where FloorTests.pure.contains(file.module) {
      for (number, line) in file.lines.enumerated() where !line.trimmed.hasPrefix("//") {
        #expect(!line.contains(call), "\(file.path):\(number + 1) calls \(call)")
      }
    }
  }

  @Test func typesAreNotNamedAfterNothing() throws {
    let empty = try Regex("(class|struct|actor|enum|protocol) [A-Za-z]*(Manager|Helper|Utils|Util|Impl)\\b")
    for file in Self.swiftFiles {
      for (number, line) in file.lines.enumerated() {
        #expect(line.firstMatch(of: empty) == nil, "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test func theTopLevelIsTheAgreedOne() throws {
    let agreed: Set<String> = [
      "Package.swift", "Sources", "Tests", "cluster", "docker", "benchmarks", "README.md", "LICENSE", ".ci",
      ".gitignore", ".swift-format",
    ]
    let ignored: Set<String> = [".git", ".build", "Package.resolved", "data", "drills", ".swiftpm"]
    let found = try FileManager.default.contentsOfDirectory(atPath: SourceTree.root.path)
    #expect(Set(found).subtracting(ignored).subtracting(agreed).isEmpty)
  }
}
