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
    guard sequence >= base.sequence else {
      throw JournalError.truncated(path: "journal of \(machine)", asked: sequence.next, first: base.sequence.next)
    }
    for batch in batches[firstBatch(after: sequence)...] {
      let goesOn = try batch.entries.withUnsafeBytes { try body($0, batch.last) }
      if !goesOn { return }
    }
  }

  /// The link of the batch that ended with an entry; `nil` if none did.
  func link(endingAt sequence: SequenceNumber) -> Digest? {
    guard sequence.rawValue > 0 else { return nil }
    if sequence == base.sequence { return base.chainHead }
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
    if !base.isBeginning { links.append(CommonGround.Link(sequence: base.sequence, link: base.chainHead)) }
    return links
  }

  /// Begins after another copy's snapshot, with what is owed by then; what was here before is gone.
  func adopt(_ snapshot: JournalSnapshot, outbox owed: [OwedChunk], by owner: UInt64) throws {
    try check(owner)
    base = snapshot.position
    position = snapshot.position
    self.snapshot = snapshot
    baseSnapshot = snapshot
    batches.removeAll()
    outbox.removeAll()
    for chunk in owed {
      outbox[chunk.destination, default: []].append(
        Chunk(
          firstNumber: chunk.firstNumber, count: chunk.count, epoch: chunk.epoch, messages: chunk.messages))
    }
  }

  /// Removes all that was written after an entry that ends a batch.
  func cut(after sequence: SequenceNumber) throws {
    batches.removeSubrange(firstBatch(after: sequence)...)
    if let kept = snapshot, kept.position.sequence > sequence { snapshot = baseSnapshot }
    position = try walk(from: base, batches: .max) { _, _, _ in }
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
