import Bytes
import Clearing
import Journal
import Machine
import Market
import Matching
import Settlement

/// Whether what a truncated journal begins after can be believed: the position before its first entry, and its earliest
/// snapshot. They must lead to what the entries that are left say, to the machine's later snapshots, and to what the
/// coordinator has journalled of the machine's epochs.
enum JournalBaseCheck {
  /// - Parameter coordinator: the coordinator's journal, if there is one.
  /// - Returns: what contradicts it, in words; empty when nothing does.
  static func contradictions(_ reader: JournalReader, coordinator: JournalReader?) throws -> [String] {
    let base = try reader.base()
    guard !base.isBeginning else { return [] }
    let labels = try reader.snapshots().filter { $0.sequence >= base.sequence }
    guard let first = labels.first, let snapshot = try reader.snapshot(at: first.sequence) else {
      return ["no snapshot gives the machine's state after entry \(base.sequence), where the journal begins"]
    }
    var found: [String] = []
    // The chain and the epoch's tree go on from the base to the snapshot.
    var position = base
    while position.sequence < snapshot.position.sequence {
      let left = Int(clamping: snapshot.position.sequence.rawValue - position.sequence.rawValue)
      let reached = try reader.walk(from: position, batches: .max, entries: min(left, 4_096)) { _, _, _ in }
      guard reached.sequence > position.sequence else { break }
      position = reached
    }
    if position != snapshot.position {
      found.append("the snapshot after entry \(first.sequence) was not taken at a place that the journal has")
    }
    found += try replayed(reader, snapshot, labels.dropFirst().map(\.sequence))
    if let coordinator { found += try commitments(reader, coordinator) }
    return found
  }

  /// Replaying from the earliest snapshot must give the later ones.
  private static func replayed(
    _ reader: JournalReader, _ snapshot: JournalSnapshot, _ later: [SequenceNumber]
  ) throws -> [String] {
    switch reader.machine.kind {
    case .risk: try replay(RiskMachine.self, reader, snapshot, later)
    case .settlement: try replay(SettlementMachine.self, reader, snapshot, later)
    default: try replay(ShardMachine.self, reader, snapshot, later)
    }
  }

  private static func replay<M: Machine & ~Copyable>(
    _ type: M.Type, _ reader: JournalReader, _ snapshot: JournalSnapshot, _ later: [SequenceNumber]
  ) throws -> [String] {
    var replay = try MachineReplay<M>(reader, from: snapshot)
    var found: [String] = []
    for sequence in later {
      try replay.advance(to: sequence)
      guard let kept = try reader.snapshot(at: sequence) else { continue }
      let own = replay.snapshot()
      if own.position != kept.position || own.bytes != kept.bytes {
        found.append(
          "from the snapshot after entry \(snapshot.position.sequence) the journal does not lead to the one after entry "
            + "\(sequence)")
      }
    }
    return found
  }

  /// Each commitment that the coordinator has journalled names a link of the machine's chain.
  private static func commitments(_ reader: JournalReader, _ coordinator: JournalReader) throws -> [String] {
    let base = try reader.base().sequence
    let end = try reader.lastSequence()
    var found: [String] = []
    try coordinator.forEachEntry(from: coordinator.base().sequence.next) { header, payload in
      guard header.kind == .stream, header.source == reader.machine else { return true }
      var messages = StreamMessages(header, payload)
      while var message = messages.next() {
        guard message.kind == .commitment else { continue }
        let seal = Commitment(from: &message.body).seal
        guard seal.lastSequence >= base, seal.lastSequence <= end, seal.lastSequence.rawValue > 0 else { continue }
        if try reader.link(endingAt: seal.lastSequence) != seal.chainHead {
          found.append(
            "the coordinator holds another link after entry \(seal.lastSequence), which ends epoch \(seal.epoch)")
        }
      }
      return found.isEmpty
    }
    return found
  }
}
