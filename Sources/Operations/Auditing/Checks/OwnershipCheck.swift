import Machine
import Market

/// `one_owner`: within a journal, entries are numbered without gaps and terms never fall; what clients were told names
/// each entry in one term only, and no later entry in an earlier term.
package final class OwnershipCheck {
  package let findings = Findings(.oneOwner)
  private var last: [MachineID: (sequence: SequenceNumber, term: Term)] = [:]

  /// The journal is walked from the entry after `sequence` on.
  func began(_ machine: MachineID, after sequence: SequenceNumber) { last[machine] = (sequence, Term(0)) }

  func entry(_ machine: MachineID, _ header: InputHeader) {
    let before = last.updateValue((header.sequence, header.term), forKey: machine) ?? (SequenceNumber(0), Term(0))
    findings.check(
      header.sequence == before.sequence.next && header.term >= before.term,
      "\(machine): entry \(header.sequence) of term \(header.term) follows entry \(before.sequence) of term "
        + "\(before.term)")
  }

  /// Another process than the one that stood in the journal answered in its name.
  func acknowledgements(_ evidence: ClientEvidence) {
    let all = evidence.acknowledgements
    for (previous, next) in zip(all, all.dropFirst()) where previous.machine == next.machine {
      let isOneEntry = previous.sequence == next.sequence
      findings.check(
        isOneEntry ? previous.term == next.term : previous.term <= next.term,
        "\(next.machine): clients were told of entry \(previous.sequence) in term \(previous.term) and of entry "
          + "\(next.sequence) in term \(next.term)")
    }
  }
}
