import Market
import Operations

/// `one_owner`: in each term one process lets input out, and none does in a term below one in which another already
/// has.
final class OneOwnerChecker {
  let findings = Findings(.oneOwner)

  private struct Writer: Equatable {
    var host: Int
    var process: UInt32
  }
  /// Who let input out in each term.
  private var writers: [MachineID: [Term: Writer]] = [:]
  private var newest: [MachineID: Term] = [:]

  /// A process has made input durable.
  func wrote(_ machine: MachineID, _ process: UInt32, _ isOwner: Bool) {
    findings.check(isOwner, "\(machine): process \(process) makes input durable after another has opened the journal")
  }

  /// A process lets out what it made durable in a term.
  func released(_ machine: MachineID, by host: Int, _ process: UInt32, in term: Term) {
    let writer = Writer(host: host, process: process)
    let before = writers[machine]?[term]
    findings.check(
      before == nil || before == writer,
      "\(machine): process \(before?.process ?? 0) on host \(before?.host ?? 0) and process \(process) on host "
        + "\(host) both let input out in term \(term)")
    findings.check(
      term >= newest[machine] ?? Term(0),
      "\(machine): process \(process) on host \(host) lets input out in term \(term) after term "
        + "\(newest[machine] ?? Term(0))")
    writers[machine, default: [:]][term] = writer
    newest[machine] = max(newest[machine] ?? Term(0), term)
  }
}
