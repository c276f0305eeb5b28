import Foundation

/// Another program: started, awaited, stopped.
final class Program {
  private let process = Process()
  private let output = Pipe()
  private let name: String

  init(_ path: String, _ arguments: [String], keepsErrors: Bool = false) throws {
    name = ([URL(fileURLWithPath: path).lastPathComponent] + arguments.prefix(1)).joined(separator: " ")
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardOutput = output
    if !keepsErrors { process.standardError = FileHandle.nullDevice }
    try process.run()
  }

  /// Where a program lies on the search path; nil if it is not installed.
  static func find(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  var isRunning: Bool { process.isRunning }

  /// Waits for its end and returns its last line. - Throws: `ProgramError` if it fails.
  func lastLine() throws -> String { try lines().last ?? "" }

  /// Waits for its end and returns its lines. - Throws: `ProgramError` if it fails.
  func lines() throws -> [String] {
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ProgramError(name: name, status: process.terminationStatus)
    }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Asks it to end, as Ctrl-C does, and waits.
  func stop() {
    if process.isRunning { process.interrupt() }
    _ = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
  }
}

/// A program that failed.
struct ProgramError: Error, CustomStringConvertible {
  var name: String
  var status: Int32
  var description: String { "\(name) ended with code \(status)" }
}
