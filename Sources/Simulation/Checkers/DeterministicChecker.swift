import Cluster
import Machine
import Market
import Operations

/// `deterministic`: a machine that is rebuilt from its journal, by way of a snapshot or not, is in the state of one
/// that was executed from the beginning; so is one that runs, whenever all of it is durable.
final class DeterministicChecker {
  let findings = Findings(.deterministic)

  func compare(_ machine: MachineID, running: UInt64, reexecuted: UInt64, _ when: String) {
    findings.check(
      running == reexecuted, "\(machine): \(when), it is not in the state that its journal gives from the beginning")
  }
}
