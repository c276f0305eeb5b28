import Market
import Operations

/// `one_owner`: in each term one process makes input durable, and once another one has opened the journal nothing of
/// the one before becomes durable.
final class OneOwnerChecker {
  let findings = Findings(.oneOwner)
  /// Who opened each journal last, and in which term.
  private var owners: [MachineID: (process: UInt32, term: Term)] = [:]
  /// Who made input durable in each term.
  private var writers: [MachineID: [Term: UInt32]] = [:]

  /// A process has opened the journal.
  func opened(_ machine: MachineID, by process: UInt32, in term: Term) {
    let before = owners.updateValue((process, term), forKey: machine)?.term ?? Term(0)
    findings.check(term >= before, "\(machine): process \(process) opens term \(term) after term \(before)")
  }

  /// A batch of a process has become durable.
  func wrote(_ machine: MachineID, by process: UInt32, in term: Term) {
    let owner = owners[machine]
    findings.check(
      owner?.process == process && owner?.term == term,
      "\(machine): a batch of process \(process), term \(term), becomes durable while process "
        + "\(owner?.process ?? 0) owns it in term \(owner?.term ?? Term(0))")
    let writer = writers[machine]?[term]
    findings.check(
      writer == nil || writer == process,
      "\(machine): processes \(writer ?? 0) and \(process) both make input durable in term \(term)")
    writers[machine, default: [:]][term] = process
  }
}
