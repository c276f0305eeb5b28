import Foundation

/// Runs a system program to its end. It has a process group of its own, so that Ctrl-C does not cut a clean-up short.
enum Shell {
  private static let directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"]

  /// Where a program lies.
  static func path(of program: String) -> String? {
    directories.lazy.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
  }

  /// - Returns: what it printed.
  /// - Throws: when it is not there, or ends with another code than 0; the text has its own words.
  @discardableResult
  static func run(_ program: String, _ arguments: String...) throws -> String { try run(program, arguments) }

  @discardableResult
  static func run(_ program: String, _ arguments: [String]) throws -> String {
    guard let path = path(of: program) else { throw SupervisionError(what: program, reason: "it is not installed") }
    let errors = "\(NSTemporaryDirectory())/novation-shell-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    defer { unlink(errors) }
    let process = try CapturedProcess(program, executable: path, arguments: arguments, errorsPath: errors)
    let ending = process.wait()
    guard ending.isClean else {
      let words = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
      throw SupervisionError(
        what: ([program] + arguments).joined(separator: " "),
        reason: "\(ending.text): \((words + process.output).trimmingCharacters(in: .whitespacesAndNewlines))")
    }
    return process.output
  }
}
