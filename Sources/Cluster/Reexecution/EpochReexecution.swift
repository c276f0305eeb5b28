import Bytes
import Machine
import Market

/// Re-executes all machines of a cluster together, epoch by epoch, and holds every stream against its source: only what
/// follows from signed orders and the oracle's marks passes.
public struct EpochReexecution {
  /// The shards and risk.
  public let machines: [any Reexecutable]
  public let coordinator: any Reexecutable

  public init(machines: [any Reexecutable], coordinator: any Reexecutable) {
    self.machines = machines
    self.coordinator = coordinator
  }

  public var all: [any Reexecutable] { machines + [coordinator] }

  /// Brings every machine past `epoch` and compares what they told each other up to its end.
  /// - Returns: false when some journal does not reach that far yet.
  public func advance(past epoch: Epoch) throws -> Bool {
    for machine in all {
      guard try machine.advance(past: epoch) else { return false }
    }
    try reconcile()
    // Received in an epoch means sent in that epoch or before, so nothing that was consumed by the seal can be open.
    // One that is executed further already, as the coordinator is while a commitment is late, has consumed more since.
    for machine in all {
      let consumed = machine.takeConsumed(atSealOf: epoch)
      for (source, number) in consumed where machine.reconciled(from: source) < number {
        guard isKnown(source) else { continue }
        throw ReexecutionBreach(
          machine: machine.id, sequence: machine.lastSequence, rule: .stream,
          detail: "it consumed message \(number) from \(source), which has sent "
            + "\(machine.reconciled(from: source)) by the end of epoch \(epoch)")
      }
    }
    return true
  }

  /// Brings every machine to the end of its journal and compares all there is on both ends.
  public func advanceToEnd() throws {
    for machine in all { _ = try machine.advance(past: nil) }
    try reconcile()
  }

  private func isKnown(_ machine: MachineID) -> Bool { all.contains { $0.id == machine } }

  private func reconcile() throws {
    for consumer in all {
      for source in all where source.id != consumer.id { try consumer.reconcile(with: source) }
    }
  }
}
