import Foundation

extension AuditReport {
  public subscript(invariant: InvariantName) -> Invariant? { invariants.first { $0.name == invariant.rawValue } }

  /// A table for people, with what breached where below it.
  public var text: String {
    var lines = ["\(epochs) final epochs, root \(state_root)"]
    for (machine, sequence) in (from_sequence ?? [:]).sorted(by: { $0.key < $1.key }) {
      lines.append("\(machine) was truncated: audited from entry \(sequence) on")
    }
    for finding in invariants {
      let name = finding.name.padding(toLength: 18, withPad: " ", startingAt: 0)
      let verdict = finding.breaches > 0 ? "BREACHED" : finding.checks == 0 ? "not checked" : "holds"
      lines.append("\(name) \(verdict): \(finding.checks) checks, \(finding.breaches) breaches")
      lines += finding.details.map { "  \($0)" }
    }
    return lines.joined(separator: "\n")
  }
}
