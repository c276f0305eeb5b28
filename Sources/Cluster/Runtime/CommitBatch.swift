import Bytes
import Journal
import Machine
import Market
import Wire

/// One group commit: inputs that become durable together, and all that may be said once they are.
///
/// It is filled on the loop, written on the journal's thread and handed back; whoever has it owns it alone.
public final class CommitBatch: @unchecked Sendable {
  /// The entries as `EntryCodec` lays them out, each after its `u32` length.
  var entries = ByteWriter(capacity: 1 << 14)
  /// What the machine said to them.
  package internal(set) var output = OutputBuffer()
  /// Of that, the stream messages, by destination.
  package internal(set) var chunks = ChunkAssembler()
  /// Outbox entries that every consumer has.
  package internal(set) var trims: [StreamPosition] = []
  /// Inputs in it.
  public internal(set) var count = 0
  public internal(set) var firstSequence = SequenceNumber(0)
  public internal(set) var lastSequence = SequenceNumber(0)
  /// Where the journal stands with it; known once it is durable.
  public package(set) var position = JournalPosition()
  /// Which input was whose, and who asked.
  package internal(set) var origins: [(sequence: SequenceNumber, peer: Int)] = []
  var peers: [[UInt8]] = []
  /// What gateways have said of sessions' ends; each is told the same when it is durable.
  var sessionEnds: [(identity: [UInt8], end: SessionEnd)] = []
  /// Last number of each source's stream in it, by the source's index.
  var consumed: [(source: Int, number: UInt64)] = []
  /// Durable in this process's own journal.
  var isDurable = false

  #if NOVATION_PLANT
    /// It was answered before it was durable.
    var hadOrigins = false
  #endif

  public init() {}

  /// The encoded entries, in order.
  public func forEachEntry(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    var reader = ByteReader(entries.bytes)
    while reader.remaining > 0 { try body(reader.blob()) }
  }

  func peer(_ identity: [UInt8]) -> Int {
    if let index = peers.firstIndex(of: identity) { return index }
    peers.append(identity)
    return peers.count - 1
  }

  /// Puts the stream messages together; called once, before it is written.
  func gatherChunks(in epoch: Epoch) {
    output.forEach { record in
      guard record.kind == .stream else { return }
      chunks.append(record.payload, number: record.number, to: MachineID(rawValue: record.destination), epoch: epoch)
    }
  }

  /// Forgets everything and keeps the memory.
  func clear() {
    entries.clear()
    output.clear()
    chunks.clear()
    trims.removeAll(keepingCapacity: true)
    count = 0
    origins.removeAll(keepingCapacity: true)
    peers.removeAll(keepingCapacity: true)
    sessionEnds.removeAll(keepingCapacity: true)
    consumed.removeAll(keepingCapacity: true)
    isDurable = false
    #if NOVATION_PLANT
      hadOrigins = false
    #endif
  }
}

extension Journal {
  /// Makes a batch durable: entries, link, outbox and trims in one transaction. After a failure the term is over.
  public func write(_ batch: CommitBatch) throws {
    try begin()
    try batch.forEachEntry { try append($0) }
    try batch.chunks.forEach { chunk in
      try enqueue(
        destination: chunk.destination, firstNumber: chunk.firstNumber, count: chunk.count, epoch: chunk.epoch,
        messages: chunk.messages)
    }
    for trim in batch.trims { try trimOutbox(destination: trim.machine, through: trim.number) }
    try commit()
    batch.position = position
  }
}
