import Machine
import Market
import Operations

/// `order_terms`: nothing is stamped by a clock that is far ahead: what expires by its stamp would expire too early.
final class StampChecker {
  let findings = Findings(.orderTerms)

  /// Clocks are off by less than half a second, and peers tolerate as much again.
  private static let tolerance: Int64 = 1_200_000_000

  /// An entry was let out. - Parameter now: the true time.
  func entry(_ machine: MachineID, _ header: InputHeader, at now: Timestamp) {
    let ahead = (header.stamp - now).nanoseconds
    findings.check(
      ahead < Self.tolerance,
      "\(machine): entry \(header.sequence) is stamped \(ahead / 1_000_000) ms ahead of the true time")
  }
}
