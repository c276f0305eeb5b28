import Market
import Operations

/// `liveness`: once faults are healed, everything acknowledged is settled within a bound, and nobody waits for ever.
final class LivenessChecker {
  let findings = Findings(.liveness)

  /// - Parameter reason: what is not settled yet; `nil` when everything is.
  func converged(within nanoseconds: Int64, _ reason: String?) {
    findings.check(
      reason == nil, "\(nanoseconds / 1_000_000) ms after all faults were healed: \(reason ?? "")")
  }
}
