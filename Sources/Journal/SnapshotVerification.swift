import Machine
import Market

/// Checks a snapshot by replaying the journal to it from the one before, in bounded steps: the machine must come to the
/// very same bytes. Used from one thread, beside the owner's; the owner then notes it with `markSnapshotVerified`.
public struct SnapshotVerification<M: Machine & ~Copyable>: ~Copyable {
  public enum Outcome: Sendable, Equatable {
    /// There is more to replay.
    case unfinished
    case verified
    /// The snapshot is not what the journal gives.
    case refused(reason: String)
  }

  /// The snapshot that is checked.
  public let sequence: SequenceNumber
  private let snapshot: JournalSnapshot
  private var replay: MachineReplay<M>

  /// Prepares the check of the oldest snapshot that is not verified and has something before it to start from: the
  /// last verified one, else the first entry, else, in a journal that was truncated, the snapshot before. `nil` when
  /// there is no such snapshot.
  public init?(_ reader: JournalReader) throws(JournalError) {
    let labels = try reader.snapshots()
    let isWhole = try reader.base().isBeginning
    guard let place = labels.indices.first(where: { !labels[$0].isVerified && ($0 > 0 || isWhole) }),
      let snapshot = try reader.snapshot(at: labels[place].sequence)
    else { return nil }
    let start = labels[..<place].last(where: \.isVerified) ?? (isWhole || place == 0 ? nil : labels[place - 1])
    var before: JournalSnapshot?
    if let start {
      before = try reader.snapshot(at: start.sequence)
      if before == nil { return nil }
    }
    replay = try MachineReplay(reader, from: before)
    self.snapshot = snapshot
    sequence = snapshot.position.sequence
  }

  /// Replays about `entries` entries more.
  public mutating func step(entries: Int = 1_024) throws(JournalError) -> Outcome {
    let left = Int(clamping: sequence.rawValue - replay.position.sequence.rawValue)
    if left > 0 {
      guard try replay.step(entries: min(left, entries)) > 0 else {
        return .refused(reason: "the journal ends at \(replay.position.sequence), before entry \(sequence)")
      }
      guard replay.position.sequence >= sequence else { return .unfinished }
    }
    guard replay.position == snapshot.position else {
      return .refused(reason: "it was not taken at a place that the journal has")
    }
    let own = replay.snapshot()
    guard own.version == snapshot.version else {
      return .refused(reason: "its version is \(snapshot.version), and the machine writes \(own.version)")
    }
    guard own.bytes == snapshot.bytes else {
      let same = zip(own.bytes, snapshot.bytes).prefix { $0 == $1 }.count
      return .refused(
        reason: "the replayed machine writes \(own.bytes.count) bytes that differ from its \(snapshot.bytes.count) "
          + "from byte \(same) on")
    }
    return .verified
  }
}
