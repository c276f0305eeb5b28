import Machine
import Market
import Operations

/// `acknowledged_once`: what a client is told is durable at that moment, at that place, in that term, with those
/// results.
final class AcknowledgedOnceChecker {
  let findings = Findings(.acknowledgedOnce)

  private struct Answer {
    var term: Term
    var reply: ActionReply
  }
  private var answers: [MachineID: [SequenceNumber: Answer]] = [:]
  private var last: [MachineID: SequenceNumber] = [:]
  /// What clients hold, to be held against the journals again at the end.
  private(set) var evidence: [ActionReply] = []
  /// Last entry that a client holds an acknowledgement of.
  private(set) var lastAcknowledged: [MachineID: SequenceNumber] = [:]

  func entry(_ machine: MachineID, _ header: InputHeader) { last[machine] = header.sequence }

  /// The re-executed machine's answer to a durable input.
  func reply(_ machine: MachineID, _ header: InputHeader, _ reply: ActionReply) {
    answers[machine, default: [:]][header.sequence] = Answer(term: header.term, reply: reply)
  }

  /// A client gets an answer.
  func acknowledged(_ reply: ActionReply) {
    let place = "\(reply.machine), entry \(reply.sequence) of term \(reply.term)"
    evidence.append(reply)
    lastAcknowledged[reply.machine] = max(lastAcknowledged[reply.machine] ?? SequenceNumber(0), reply.sequence)
    guard let own = answers[reply.machine]?[reply.sequence] else {
      let end = last[reply.machine] ?? SequenceNumber(0)
      return findings.breach(
        "\(place): a client is told of nonce \(reply.nonce) of account \(reply.account), the journal ends at \(end)")
    }
    findings.check(
      own.term == reply.term && own.reply.account == reply.account && own.reply.nonce == reply.nonce
        && AcknowledgementCheck.agrees(own.reply.results[...], reply.results[...]),
      "\(place): a client is told otherwise of nonce \(reply.nonce) of account \(reply.account) than the journal says")
  }
}
