import Wire
import Bytes
import Cluster
import Cryptography
import Journal
import Machine
import Market

#if NOVATION_PLANT
  import Synchronization
#endif

/// A machine's journal on a simulated disk: what is durable, in the real layouts, with the real checksums and chain.
///
/// A batch becomes durable as a whole, its outbox and trims with it, as in the real journal's one transaction. Who
/// opens it is its only writer from then on: the owner before is refused, as by the term that the real journal checks.
final class SimulatedJournal: ReadableJournal {
  struct Batch {
    /// Entries, each after its `u32` length.
    var entries: [UInt8]
    var last: SequenceNumber
    var link: Digest
  }

  struct Chunk {
    var firstNumber: UInt64
    var count: UInt16
    var epoch: Epoch
    var messages: [UInt8]
    var lastNumber: UInt64 { firstNumber + UInt64(count) - 1 }
  }

  let machine: MachineID
  /// Before the first entry that is here.
  var base = JournalPosition()
  var position = JournalPosition()
  var snapshot: JournalSnapshot?
  /// What it began after, if that was not the beginning.
  var baseSnapshot: JournalSnapshot?
  var batches: [Batch] = []
  var outbox: [MachineID: [Chunk]] = [:]
  private(set) var bytes: UInt64 = 0
  /// Who may write: grows whenever somebody opens it.
  private(set) var writer: UInt64 = 0
  /// Bits that the medium has turned: batch, byte, bit.
  private(set) var rot: [(batch: Int, byte: Int, bit: UInt8)] = []
  /// Part of a batch whose write was torn; it is cut off when the journal is opened.
  private(set) var tornTail: [UInt8] = []
  /// Its end was removed, and what that end had sent is in the outbox still.
  var isCut = false
  init(_ machine: MachineID) { self.machine = machine }

  /// A copy of a journal as it is now.
  init(copying other: SimulatedJournal) {
    machine = other.machine
    base = other.base
    baseSnapshot = other.baseSnapshot
    position = other.position
    snapshot = other.snapshot
    batches = other.batches
    outbox = other.outbox
    bytes = other.bytes
    isCut = other.isCut
  }

  private var path: String { "journal of \(machine)" }

  // MARK: Writing

  /// Verifies the journal, cuts a torn tail, and makes the caller its only writer. Damage is refused with its place.
  func open() throws(JournalError) -> UInt64 {
    if !tornTail.isEmpty {
      // The tail is no whole batch: it lacks its link, so nobody was told of it.
      tornTail.removeAll()
    }
    _ = try walk(from: base, batches: .max) { _, _, _ in }
    writer += 1
    return writer
  }

  /// Makes a batch durable.
  func append(_ batch: CommitBatch, by owner: UInt64) throws {
    try check(owner)
    var entries: [UInt8] = []
    var next = position
    var link = BatchLink(after: position.chainHead)
    try batch.forEachEntry { entry in
      let (header, _) = try EntryCodec.read(entry)
      #if NOVATION_PLANT
        let isInSequence =
          header.sequence == next.sequence.next || SimulatedPlant.skipsTermCheck.load(ordering: .relaxed)
      #else
        let isInSequence = header.sequence == next.sequence.next
      #endif
      guard isInSequence else {
        throw JournalError.outOfSequence(path: path, expected: next.sequence.next, found: header.sequence)
      }
      withUnsafeBytes(of: UInt32(entry.count).littleEndian) { entries.append(contentsOf: $0) }
      entries.append(contentsOf: entry)
      let leaf = RFC6962SHA256.leaf(entry)
      link.append(leaf)
      next.advance(header, leaf: leaf)
    }
    if link.count > 0 {
      next.chainHead = link.digest
      batches.append(Batch(entries: entries, last: next.sequence, link: next.chainHead))
    }
    batch.chunks.forEach { chunk in
      outbox[chunk.destination, default: []].append(
        Chunk(
          firstNumber: chunk.firstNumber, count: chunk.count, epoch: chunk.epoch, messages: [UInt8](chunk.messages)))
    }
    for trim in batch.trims { outbox[trim.machine]?.removeAll { $0.lastNumber <= trim.number } }
    bytes += UInt64(entries.count)
    position = next
    batch.position = next
  }

  func keep(_ bytes: [UInt8], version: UInt16, by owner: UInt64) throws {
    try check(owner)
    snapshot = JournalSnapshot(position: position, version: version, bytes: bytes)
  }

  func check(_ owner: UInt64) throws(JournalError) {
    #if NOVATION_PLANT
      if SimulatedPlant.skipsTermCheck.load(ordering: .relaxed) { return }
    #endif
    guard owner == writer else { throw .termEnded(path: path, cause: "another owner has opened it since") }
  }

  func forEachOutbox(destination: MachineID, from number: UInt64, _ body: (OutboxChunk) throws -> Bool) rethrows {
    for chunk in outbox[destination] ?? [] where chunk.lastNumber >= number {
      let goesOn = try chunk.messages.withUnsafeBytes { messages in
        try body(
          OutboxChunk(
            destination: destination, firstNumber: chunk.firstNumber, count: chunk.count, epoch: chunk.epoch,
            messages: messages))
      }
      if !goesOn { return }
    }
  }

  // MARK: Damage

  /// The part of a batch that had reached the medium when the power went.
  func tear(_ batch: CommitBatch, keeping part: Int) {
    var bytes: [UInt8] = []
    batch.forEachEntry { bytes.append(contentsOf: $0) }
    tornTail = Array(bytes.prefix(bytes.count * part / 100 + 1))
  }

  /// Turns one bit of what is durable; false when nothing is.
  func decay(_ random: Int) -> Bool {
    guard !batches.isEmpty else { return false }
    let batch = random % batches.count
    let byte = (random / 7) % batches[batch].entries.count
    let bit = UInt8(1 << ((random / 3) % 8))
    batches[batch].entries[byte] ^= bit
    rot.append((batch, byte, bit))
    return true
  }

  /// Puts back what was damaged, from a verifier's copy.
  func restore() {
    for place in rot { batches[place.batch].entries[place.byte] ^= place.bit }
    rot.removeAll()
  }

  // MARK: Reading

  func walk(
    from start: JournalPosition, batches count: Int,
    _ each: (InputHeader, UnsafeRawBufferPointer, _ before: JournalPosition) -> Void
  ) throws(JournalError) -> JournalPosition {
    guard start.sequence >= base.sequence else {
      throw .truncated(path: path, asked: start.sequence.next, first: base.sequence.next)
    }
    var position = start
    var walked = 0
    var index = firstBatch(after: start.sequence)
    while index < batches.count, walked < count {
      var link = BatchLink(after: position.chainHead)
      try forEachEntry(of: batches[index], position.sequence) { entry, header, payload in
        each(header, payload, position)
        let leaf = RFC6962SHA256.leaf(entry)
        link.append(leaf)
        position.advance(header, leaf: leaf)
      }
      guard link.digest == batches[index].link else {
        throw .damaged(path: path, sequence: batches[index].last, reason: "its batch's link is not what it hashes to")
      }
      position.chainHead = link.digest
      index += 1
      walked += 1
    }
    return position
  }

  private func forEachEntry(
    of batch: Batch, _ before: SequenceNumber,
    _ body: (UnsafeRawBufferPointer, InputHeader, UnsafeRawBufferPointer) -> Void
  ) throws(JournalError) {
    var failure: (any Error)?
    var sequence = before
    batch.entries.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      while reader.remaining > 0, failure == nil {
        let entry = reader.blob()
        do {
          if reader.hasFailed { throw EntryCodec.Refusal.truncated(count: reader.remaining) }
          let (header, payload) = try EntryCodec.read(entry)
          body(entry, header, payload)
          sequence = header.sequence
        } catch {
          failure = error
        }
      }
    }
    if let failure { throw .damaged(path: path, sequence: sequence.next, reason: "\(failure)") }
  }

  func firstBatch(after sequence: SequenceNumber) -> Int {
    var low = 0
    var high = batches.count
    while low < high {
      let middle = (low + high) / 2
      if batches[middle].last <= sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func forEachEntry(
    from first: SequenceNumber, _ body: (InputHeader, UnsafeRawBufferPointer) throws -> Bool
  ) throws {
    guard first > base.sequence else {
      throw JournalError.truncated(path: path, asked: first, first: base.sequence.next)
    }
    var goesOn = true
    var failure: (any Error)?
    for batch in batches[firstBatch(after: SequenceNumber(first.rawValue - 1))...] where goesOn {
      try forEachEntry(of: batch, SequenceNumber(first.rawValue - 1)) { _, header, payload in
        guard goesOn, header.sequence >= first else { return }
        do { goesOn = try body(header, payload) } catch {
          failure = error
          goesOn = false
        }
      }
    }
    if let failure { throw failure }
  }
}
