import Cluster
import Machine
import Market

/// `streams`: each input that came from another machine is that machine's re-executed output, once and in order, and
/// was received in no earlier epoch than it was sent.
package final class StreamCheck {
  package let findings = Findings(.streams)
  private struct Stream: Hashable {
    var source: MachineID
    var consumer: MachineID
  }
  private var received: [Stream: (number: UInt64, epoch: Epoch)] = [:]
  private var compared: [Stream: UInt64] = [:]
  private var broken: Set<Stream> = []

  /// The consumer's journal is walked from a place on where it has consumed so much of each source.
  func began(_ consumer: any Reexecutable, among machines: [any Reexecutable]) {
    for source in machines where source.id != consumer.id {
      let stream = Stream(source: source.id, consumer: consumer.id)
      let number = consumer.startNumber(from: source.id)
      received[stream] = (number, Epoch(0))
      compared[stream] = number
    }
  }

  func entry(_ consumer: MachineID, _ header: InputHeader, epoch: Epoch) {
    let stream = Stream(source: header.source, consumer: consumer)
    let before = received[stream] ?? (0, Epoch(0))
    received[stream] = (header.firstNumber + UInt64(header.count) - 1, header.epoch)
    findings.check(
      header.firstNumber == before.number + 1 && header.epoch >= before.epoch && header.epoch <= epoch,
      "\(consumer), entry \(header.sequence): messages from \(header.firstNumber) of epoch \(header.epoch) from "
        + "\(header.source), after \(before.number) of epoch \(before.epoch), received in epoch \(epoch)")
  }

  /// Holds what all consumed against what all sent.
  func reconcile(_ machines: [any Reexecutable]) {
    for consumer in machines { reconcile(consumer, with: machines) }
  }

  /// Holds what one machine sent and consumed against what the others did.
  func reconcile(_ machine: any Reexecutable, among machines: [any Reexecutable]) {
    reconcile(machine, with: machines)
    for consumer in machines where consumer.id != machine.id { reconcile(consumer, with: [machine]) }
  }

  private func reconcile(_ consumer: any Reexecutable, with sources: [any Reexecutable]) {
    for source in sources where source.id != consumer.id {
      let stream = Stream(source: source.id, consumer: consumer.id)
      guard !broken.contains(stream) else { continue }
      do {
        try consumer.reconcile(with: source)
        let number = consumer.reconciled(from: source.id)
        findings.passed(Int(number - (compared.updateValue(number, forKey: stream) ?? 0)))
      } catch {
        broken.insert(stream)
        findings.breach("\(error)")
      }
    }
  }

  /// Whatever was consumed must have been sent by the end of its epoch.
  func finish(_ machines: [any Reexecutable], isRunning: Bool) {
    for (stream, last) in received.sorted(by: { ($0.key.consumer, $0.key.source) < ($1.key.consumer, $1.key.source) })
    where !broken.contains(stream) && !isRunning {
      guard let consumer = machines.first(where: { $0.id == stream.consumer }) else { continue }
      let reconciled = consumer.reconciled(from: stream.source)
      findings.check(
        reconciled == last.number,
        "\(stream.consumer) consumed message \(last.number) from \(stream.source), which sent \(reconciled)")
    }
  }
}
