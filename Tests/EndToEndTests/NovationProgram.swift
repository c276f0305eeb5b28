import Foundation

/// The built program, as its users start it.
struct NovationProgram {
  struct Result {
    var code: Int32
    var output: String
    var errors: String
    /// The JSON object on the last line.
    var json: [String: Any] {
      guard let last = output.split(separator: "\n").last,
        let object = try? JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any]
      else { return [:] }
      return object
    }
  }

  /// Beside the test bundle.
  static let executable: URL = {
    let runner = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: runner ?? "").deletingLastPathComponent().appendingPathComponent("novation")
  }()

  static let packageRoot: URL = {
    var url = URL(fileURLWithPath: #filePath)
    while !FileManager.default.fileExists(atPath: url.appendingPathComponent("Package.swift").path) {
      url.deleteLastPathComponent()
    }
    return url
  }()

  /// Runs to the end; standard output and error go through files, so that no pipe fills.
  static func run(_ arguments: [String]) throws -> Result {
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("nv-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let output = scratch.appendingPathComponent("out")
    let errors = scratch.appendingPathComponent("err")
    for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = packageRoot
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    return Result(
      code: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }
}

/// A data directory that goes with the test.
final class ScratchDirectory {
  let path: String
  init() { path = "/tmp/nv-test-\(UUID().uuidString.prefix(8))" }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}
