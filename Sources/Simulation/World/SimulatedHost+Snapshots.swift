import Cluster
import Journal
import Machine
import Market

/// Snapshots that one copy of a machine gives another.
extension SimulatedHost where M: ~Copyable {
  var journalBase: SequenceNumber { journal.base.sequence }

  func newestSnapshot() -> SnapshotOffer? { journal.snapshot.map { SnapshotOffer($0) } }

  func snapshotPart(of sequence: SequenceNumber, _ part: UInt32) -> [UInt8]? {
    guard let snapshot = journal.snapshot, snapshot.position.sequence == sequence, part > 0 else { return nil }
    let start = Int(part - 1) * SnapshotOffer.partByteCount
    guard start < snapshot.bytes.count else { return nil }
    return Array(snapshot.bytes[start..<min(snapshot.bytes.count, start + SnapshotOffer.partByteCount)])
  }

  func adopt(_ snapshot: JournalSnapshot, outbox: [OwedChunk]) {
    cluster.time.schedule(after: cluster.hosts[host].disk.latency(&cluster.random)) { [weak self] in
      self?.happen { self?.finishAdopting(snapshot, outbox) }
    }
  }

  private func finishAdopting(_ snapshot: JournalSnapshot, _ outbox: [OwedChunk]) {
    do {
      try cluster.admitWrite(on: host)
      try journal.adopt(snapshot, outbox: outbox, by: ownership)
    } catch {
      return core.journalFailed(error)
    }
    core.snapshotIsAdopted()
    noticeReleases()
  }
}
