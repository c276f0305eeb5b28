import Foundation
import Testing

/// The built program, started as its users start it.
enum Program {
  struct Result {
    var code: Int32
    var output: String
    var errors: String

    /// Standard output as the one JSON object on one line that `--json` promises.
    func json(sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
      let lines = output.split(separator: "\n")
      try #require(lines.count == 1, "one line: \(output)\(errors)", sourceLocation: sourceLocation)
      let object = try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any]
      return try #require(object, sourceLocation: sourceLocation)
    }

    /// That the command was refused with this code and one line on standard error that holds every one of `words`.
    func expectRefusal(_ code: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
      #expect(self.code == code, "\(output)\(errors)", sourceLocation: sourceLocation)
      #expect(errors.split(separator: "\n").count == 1, "one line: \(errors)", sourceLocation: sourceLocation)
      #expect(output.isEmpty, sourceLocation: sourceLocation)
      for word in words {
        #expect(errors.contains(word), "'\(word)' in: \(errors)", sourceLocation: sourceLocation)
      }
    }
  }

  /// Beside the test bundle.
  static let path: String = {
    let runner = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: runner ?? "").deletingLastPathComponent().appendingPathComponent("novation").path
  }()

  static let packageRoot: URL = {
    var url = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: url.appendingPathComponent("Package.swift").path) {
      url.deleteLastPathComponent()
    }
    return url
  }()

  /// Runs to the end; standard streams go through files, so that no pipe fills.
  static func run(_ arguments: String..., input: String = "") throws -> Result { try run(arguments, input: input) }

  static func run(_ arguments: [String], input: String = "") throws -> Result {
    try start(arguments, input: input).finish()
  }

  /// Starts it without waiting for its end.
  static func start(_ arguments: [String], input: String = "") throws -> Running {
    let scratch = ScratchDirectory()
    try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
    let files = ["in", "out", "err"].map { URL(fileURLWithPath: "\(scratch.path)/\($0)") }
    for file in files { try Data(input.utf8).write(to: file) }
    for file in files[1...] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = packageRoot
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    return Running(process: process, scratch: scratch, output: files[1], errors: files[2])
  }

  /// The program while it runs.
  struct Running {
    fileprivate let process: Process
    fileprivate let scratch: ScratchDirectory
    fileprivate let output: URL
    fileprivate let errors: URL

    /// Waits for its end.
    func finish() throws -> Result {
      try withExtendedLifetime(scratch) {
        process.waitUntilExit()
        return Result(
          code: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
          errors: try String(contentsOf: errors, encoding: .utf8))
      }
    }
  }
}

/// A directory that goes with the test; its path is short enough for sockets.
final class ScratchDirectory {
  let path = "/tmp/nvc-\(UUID().uuidString.prefix(8))"
  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file into it.
  func write(_ text: String, to name: String) throws -> String {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    return "\(path)/\(name)"
  }
}
