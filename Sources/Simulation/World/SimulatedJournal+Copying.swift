import Bytes
import Cluster
import Cryptography
import Journal
import Machine
import Market
import Wire

/// What other copies of the machine need of its journal.
extension SimulatedJournal {
  /// As `HostWorld.forEachBatch`.
  func forEachBatch(
    after sequence: SequenceNumber, _ body: (UnsafeRawBufferPointer, SequenceNumber) throws -> Bool
  ) throws {
    for batch in batches[firstBatch(after: sequence)...] {
      let goesOn = try batch.entries.withUnsafeBytes { try body($0, batch.last) }
      if !goesOn { return }
    }
  }

  /// The link of the batch that ended with an entry; `nil` if none did.
  func link(endingAt sequence: SequenceNumber) -> Digest? {
    guard sequence.rawValue > 0 else { return nil }
    let place = firstBatch(after: SequenceNumber(sequence.rawValue - 1))
    return place < batches.count && batches[place].last == sequence ? batches[place].link : nil
  }

  /// Links of durable batches, latest first, ever wider apart.
  func recentLinks() -> [CommonGround.Link] {
    var links: [CommonGround.Link] = []
    var place = batches.count - 1
    var step = 1
    while place >= 0 {
      links.append(CommonGround.Link(sequence: batches[place].last, link: batches[place].link))
      if links.count >= 64 { step *= 2 }
      place -= step
    }
    return links
  }

  /// Removes all that was written after an entry that ends a batch.
  func cut(after sequence: SequenceNumber) throws {
    batches.removeSubrange(firstBatch(after: sequence)...)
    if let kept = snapshot, kept.position.sequence > sequence { snapshot = nil }
    position = try walk(from: JournalPosition(), batches: .max) { _, _, _ in }
    isCut = true
  }

  /// After a cut: removes from the outbox what the rebuilt machine has not sent.
  func finishCut(_ streams: StreamNumbers) {
    guard isCut else { return }
    isCut = false
    for destination in outbox.keys.sorted() {
      outbox[destination]?.removeAll { $0.firstNumber > streams.lastSent(to: destination) }
    }
  }

  /// Appends the batches of another copy up to an entry.
  func take(from other: SimulatedJournal, through last: SequenceNumber) {
    for batch in other.batches[other.firstBatch(after: position.sequence)...] where batch.last <= last {
      batches.append(batch)
    }
    guard let reached = try? walk(from: position, batches: .max, { _, _, _ in }) else { return }
    position = reached
  }
}
