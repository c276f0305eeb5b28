import Bytes
import Cluster
import Machine
import Market

/// `deterministic`: re-executed from genesis, each machine commits to what it committed to when it ran, chain heads and
/// entry roots included; executed a second time, and restored from a snapshot half-way, it says and becomes the same.
package final class DeterminismCheck {
  package let findings = Findings(.deterministic)
  /// Encoded commitments of each machine that the coordinator has not journalled yet, by epoch.
  private var open: [MachineID: [Epoch: [UInt8]]] = [:]
  private var outputs: [MachineID: StateHasher] = [:]
  /// The first epoch that each machine is seen to seal.
  private var firstEpochs: [MachineID: Epoch] = [:]

  /// A machine is executed from the midst of `epoch` on: it commits to that one and those after it.
  func began(_ machine: MachineID, in epoch: Epoch) { firstEpochs[machine] = epoch }

  /// Whatever keeps a machine from being re-executed.
  func broken(_ breach: ReexecutionBreach) { findings.breach("\(breach)") }

  func said(_ machine: MachineID, _ record: OutputBuffer.Record) {
    outputs[machine, default: StateHasher()].combine(record)
  }

  /// The re-executed machine's commitment.
  func committed(_ commitment: Commitment) {
    open[commitment.machine, default: [:]][commitment.seal.epoch] = commitment.encoded
  }

  /// What the coordinator journalled.
  func journalled(_ commitment: Commitment, from machine: MachineID) {
    if let first = firstEpochs[machine], commitment.seal.epoch < first { return }
    let own = open[machine]?.removeValue(forKey: commitment.seal.epoch)
    findings.check(
      own == commitment.encoded,
      "\(machine): its commitment to epoch \(commitment.seal.epoch) is not the one that its journal gives")
  }

  /// Executes what one that began after a snapshot has executed once more.
  func executeAgain(_ replica: any Reexecutable, as second: any Reexecutable) {
    do {
      try second.open()
      while second.lastSequence < replica.lastSequence {
        if try second.advanceOneBatch() { continue }
        // Where one copy of the journal ends, another may go on.
        try second.open()
        guard try second.advanceOneBatch() else { break }
      }
      guard second.lastSequence == replica.lastSequence else {
        return findings.breach(
          "\(replica.id): executed twice, it ends at entry \(second.lastSequence), not at \(replica.lastSequence)")
      }
      findings.check(
        second.stateHash == replica.stateHash, "\(replica.id): executed twice, it is in two states at the end")
    } catch {
      findings.breach("\(replica.id): cannot be executed a second time: \(error)")
    }
  }

  func executeAgain<M: Machine & ~Copyable>(_ replica: Replica<M>, _ journal: any ReadableJournal) {
    do {
      let second = try SecondExecution<M>.run(replica.id, journal, through: replica.lastSequence)
      findings.check(
        second.stateHash == replica.stateHash, "\(replica.id): executed twice, it is in two states at the end")
      findings.check(
        second.outputHash == (outputs[replica.id] ?? StateHasher()).value,
        "\(replica.id): executed twice, it said two things")
    } catch {
      findings.breach("\(replica.id): cannot be executed a second time: \(error)")
    }
  }
}

/// A machine executed once more, by way of a snapshot.
enum SecondExecution<M: Machine & ~Copyable> {
  /// Executes entries 1 to `last`; half-way the machine is written down and read back.
  static func run(
    _ id: MachineID, _ reader: any ReadableJournal, through last: SequenceNumber
  ) throws -> (stateHash: UInt64, outputHash: UInt64) {
    var outputs = StateHasher()
    let middle = SequenceNumber(last.rawValue / 2)
    var machine = M(id: id)
    try execute(&machine, reader, from: SequenceNumber(1), through: middle, &outputs)
    var writer = ByteWriter(capacity: 1 << 20)
    machine.writeSnapshot(to: &writer)
    var bytes = ByteReader(writer.bytes)
    var restored = M(id: id, snapshot: &bytes)
    guard bytes.isExhausted else {
      throw AuditError(path: "\(id)", reason: "a snapshot after entry \(middle) cannot be read back")
    }
    try execute(&restored, reader, from: middle.next, through: last, &outputs)
    return (restored.stateHash(), outputs.value)
  }

  private static func execute(
    _ machine: inout M, _ reader: any ReadableJournal, from first: SequenceNumber, through last: SequenceNumber,
    _ outputs: inout StateHasher
  ) throws {
    guard first <= last else { return }
    var output = OutputBuffer()
    var hasher = outputs
    try reader.forEachEntry(from: first) { header, payload in
      machine.apply(header, payload, into: &output)
      output.forEach { hasher.combine($0) }
      output.clear()
      return header.sequence < last
    }
    outputs = hasher
  }
}

extension StateHasher {
  /// Folds in one thing that a machine said.
  mutating func combine(_ record: OutputBuffer.Record) {
    combine(UInt64(record.kind.rawValue) << 32 | UInt64(record.destination))
    combine(record.number)
    combine(record.payload)
  }
}
