import Journal
import Market

/// A snapshot that a standby is being given, part after part; then, for each consumer of the machine's streams, what
/// had been sent by then and is not acknowledged.
struct SnapshotIntake {
  /// Parts that are asked for and have not come.
  static let window: UInt32 = 16
  /// Nothing has come for so long: what is missing is asked for again.
  static let silenceNanoseconds: Int64 = 300_000_000

  let offer: SnapshotOffer
  /// Monotonic time of the last part that fitted, or of the last asking.
  var movedAt: Int64
  /// Parts that are here, all from the first on.
  private(set) var parts: UInt32 = 0
  private var bytes: [UInt8] = []
  /// The snapshot, once it is whole.
  private(set) var snapshot: JournalSnapshot?
  /// Consumers whose messages have not all come yet, with the numbers that are missing.
  var missing: [(consumer: MachineID, numbers: ClosedRange<UInt64>)] = []
  var owed: [OwedChunk] = []

  init(_ offer: SnapshotOffer, at now: Int64) {
    self.offer = offer
    movedAt = now
    bytes.reserveCapacity(Int(offer.byteCount))
  }

  var sequence: SequenceNumber { offer.position.sequence }
  var isWhole: Bool { parts == offer.partCount }
  var missingParts: UInt32 { offer.partCount - parts }

  /// Takes a part if it is the next one; `false` for one that came before, or after a gap.
  mutating func take(_ part: UInt32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard !isWhole, part == parts + 1 else { return false }
    parts = part
    self.bytes.append(contentsOf: bytes)
    return true
  }

  /// Puts the parts together: `false` if they are not what was offered.
  mutating func close() -> Bool {
    snapshot = offer.snapshot(of: bytes)
    bytes = []
    return snapshot != nil
  }
}
