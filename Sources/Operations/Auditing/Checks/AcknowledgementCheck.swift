import Machine
import Market

/// `acknowledged_once`: what a client was told stands in the journal at the place that it was told, with that account,
/// key and nonce, and re-execution gives the same results; no nonce is applied twice, and none gets two answers.
///
/// An order held for credit, or whose turn is not over yet, and a withdrawal that waits are answered once as such and,
/// when asked again, as they ended.
package final class AcknowledgementCheck {
  package let findings = Findings(.acknowledgedOnce)
  private let evidence: ClientEvidence
  /// The next acknowledgement to be met in each machine's journal.
  private var cursors: [MachineID: Range<Int>] = [:]
  private var lastSequences: [MachineID: SequenceNumber] = [:]
  private var applied: [MachineID: Set<Action>] = [:]

  private struct Action: Hashable {
    var account: AccountID
    var key: KeyID
    var nonce: UInt64
  }

  init(_ evidence: ClientEvidence) {
    self.evidence = evidence
    for machine in Set(evidence.acknowledgements.map(\.machine)) { cursors[machine] = evidence.range(of: machine) }
    checkAnswers()
  }

  /// The journal is walked from the entry after `sequence` on: what was told of earlier ones cannot be compared.
  func began(_ machine: MachineID, after sequence: SequenceNumber) {
    guard let cursor = cursors[machine] else { return }
    let first = cursor.first { evidence.acknowledgements[$0].sequence > sequence } ?? cursor.upperBound
    cursors[machine] = first..<cursor.upperBound
  }

  /// An entry that is no action answers nothing.
  func entry(_ machine: MachineID, _ header: InputHeader) {
    lastSequences[machine] = header.sequence
    guard let cursor = cursors[machine], !cursor.isEmpty else { return }
    var place = cursor.lowerBound
    while place < cursor.upperBound, evidence.acknowledgements[place].sequence < header.sequence {
      let told = evidence.acknowledgements[place]
      findings.breach("\(machine): entry \(told.sequence) answers no action, yet a client holds an answer from there")
      place += 1
    }
    cursors[machine] = place..<cursor.upperBound
  }

  /// The re-executed machine's answer to the action at `header`.
  func reply(_ machine: MachineID, _ header: InputHeader, _ reply: ActionReply) {
    if !reply.isRepeated, reply.results.contains(where: \.outcome.isAccepted) {
      let action = Action(account: reply.account, key: reply.key, nonce: reply.nonce)
      let isFirst = applied[machine, default: []].insert(action).inserted
      findings.check(
        isFirst, "\(machine): entry \(header.sequence) applies nonce \(reply.nonce) of account \(reply.account) again")
    }
    guard let cursor = cursors[machine], !cursor.isEmpty else { return }
    var place = cursor.lowerBound
    while place < cursor.upperBound, evidence.acknowledgements[place].sequence == header.sequence {
      compare(evidence.acknowledgements[place], header, reply)
      place += 1
    }
    cursors[machine] = place..<cursor.upperBound
  }

  private func compare(
    _ told: ClientEvidence.Acknowledgement, _ header: InputHeader, _ reply: ActionReply
  ) {
    let isSame =
      told.term == header.term && !reply.isRepeated && told.account == reply.account && told.key == reply.key
      && told.nonce == reply.nonce && Self.agrees(reply.results[...], evidence.results(of: told))
    findings.check(
      isSame,
      "\(told.machine): a client holds another answer to nonce \(told.nonce) of account \(told.account) than entry "
        + "\(told.sequence) of term \(header.term) gives")
  }

  /// Whether `later` is `first` again, or what became of it where it was still open.
  package static func agrees(
    _ first: ArraySlice<ActionReply.Result>, _ later: ArraySlice<ActionReply.Result>
  ) -> Bool {
    first.count == later.count && zip(first, later).allSatisfy { $0 == $1 || isOpen($0.outcome) }
  }

  private static func isOpen(_ outcome: Outcome) -> Bool {
    switch outcome {
    case .held, .pending, .queued, .sweeping: true
    default: false
    }
  }

  /// What clients hold must agree with itself: one answer an entry, and one entry that applied a nonce.
  private func checkAnswers() {
    var places: [Action: Int] = [:]
    var machine = MachineID.none
    for (place, told) in evidence.acknowledgements.enumerated() {
      if told.machine != machine {
        machine = told.machine
        places.removeAll(keepingCapacity: true)
      }
      guard evidence.results(of: told).contains(where: \.outcome.isAccepted) else { continue }
      let action = Action(account: told.account, key: told.key, nonce: told.nonce)
      guard let before = places.updateValue(place, forKey: action) else { continue }
      let earlier = evidence.acknowledgements[before]
      let first = evidence.results(of: earlier)
      let second = evidence.results(of: told)
      findings.check(
        earlier.sequence == told.sequence && (Self.agrees(first, second) || Self.agrees(second, first)),
        "\(machine): a client got two answers to nonce \(told.nonce) of account \(told.account), from entries "
          + "\(earlier.sequence) and \(told.sequence)")
    }
  }

  /// - Parameter isRunning: the journals may have been read before a client's last acknowledgements came.
  func finish(isRunning: Bool) {
    for (machine, cursor) in cursors.sorted(by: { $0.key < $1.key }) where !isRunning {
      for place in cursor {
        let told = evidence.acknowledgements[place]
        findings.breach(
          "\(machine): acknowledged entry \(told.sequence) is lost; the journal ends at "
            + "\(lastSequences[machine] ?? SequenceNumber(0))")
      }
    }
  }
}
