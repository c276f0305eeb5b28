import Bytes
import Logging
import Machine
import Wire

/// Ends of clients' sessions: those that gateways tell, and those of gateways that are gone.
extension HostCore where M: ~Copyable {
  func append(_ end: SessionEnd) {
    let encoded = end.encoded
    encoded.withUnsafeBytes { _ = append(.sessionEnd, $0) }
  }

  /// Journals what the watch says is over.
  func endSessions(_ ends: [SessionEnd]?) {
    guard let ends, !ends.isEmpty else { return }
    log.notice("ending the sessions of a gateway", metadata: ["machine": "\(id)", "sessions": "\(ends.count)"])
    for end in ends { append(end) }
  }

  /// Says to each gateway that what it told is durable; one that does not hear it tells again.
  func confirmSessionEnds(of batch: CommitBatch) {
    for (identity, end) in batch.sessionEnds {
      Frame.write(.sessionEnd, end, in: &frame)
      _ = world.send(frame.bytes, to: identity)
    }
  }
}
