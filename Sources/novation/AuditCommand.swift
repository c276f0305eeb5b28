import ArgumentParser
import Foundation
import Operations

/// Judges a cluster from outside.
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Check what must always be true, by client logs, journals and the settlement layer alone.",
    discussion: """
      Exit code 0: all twelve invariants were checked and none is breached. 1: one is breached, or could not be \
      checked. 2: the directory cannot be audited.
      """)

  @Option(help: "The cluster's data directory.") var data: String
  @Flag(help: "The cluster is running: audit up to its last final epoch.") var running = false
  @Flag(help: "One JSON object on the last line of standard output.") var json = false

  func run() throws {
    let report = try Auditor.audit(dataDirectory: data, isRunning: running)
    print(json ? Output.json(report) : report.text)
    if !report.isSound { throw ExitCode(1) }
  }
}
