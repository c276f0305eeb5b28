import Bytes
import Machine
import Market

/// A second copy of a machine, brought along its journal in bounded steps beside the owner's: a shadow, whose state is
/// written as a snapshot without the owner pausing, or a check of a snapshot that was.
///
/// Used from one thread, which may be another than the owner's.
public struct MachineReplay<M: Machine & ~Copyable>: ~Copyable {
  /// The machine after the last entry replayed.
  public private(set) var machine: M
  /// Where that is: the end of a commit batch.
  public private(set) var position: JournalPosition
  private let reader: JournalReader
  private var output: OutputBuffer

  /// Starts from `snapshot`, or from the first entry without one.
  /// - Throws: `truncated` without a snapshot if the first entries are gone; `unknownVersion` or `damagedRecord` if the
  ///   snapshot cannot be read.
  public init(_ reader: JournalReader, from snapshot: JournalSnapshot?) throws(JournalError) {
    machine = try Self.machine(reader, snapshot)
    position = snapshot?.position ?? JournalPosition()
    self.reader = reader
    output = OutputBuffer()
  }

  private static func machine(_ reader: JournalReader, _ snapshot: JournalSnapshot?) throws(JournalError) -> M {
    let path = reader.store.path
    guard let snapshot else {
      let base = try reader.base()
      guard base.isBeginning else {
        throw .truncated(path: path, asked: SequenceNumber(1), first: base.sequence.next)
      }
      return M(id: reader.machine)
    }
    guard snapshot.version == M.snapshotVersion else {
      throw .unknownVersion(
        path: path, part: "the machine's snapshot", found: Int(snapshot.version), known: Int(M.snapshotVersion))
    }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: snapshot.bytes.count, alignment: 16)
    defer { bytes.deallocate() }
    bytes.copyBytes(from: snapshot.bytes)
    var contents = ByteReader(UnsafeRawBufferPointer(bytes))
    let machine = M(id: reader.machine, snapshot: &contents)
    guard contents.isExhausted else {
      throw .damagedRecord(
        path: path, record: "the snapshot after entry \(snapshot.position.sequence)",
        reason: "the machine cannot read it")
    }
    return machine
  }

  /// Replays about `entries` entries more: whole commit batches, at least one. Returns how many there were; 0 at the
  /// journal's end. `each` sees what the machine says to each entry, and the epoch that it is in then.
  @discardableResult
  public mutating func step(
    entries: Int = 1_024, _ each: (InputHeader, Epoch, borrowing OutputBuffer) -> Void = { _, _, _ in }
  ) throws(JournalError) -> Int {
    try advance(batches: .max, entries: entries, each)
  }

  /// Replays up to the batch that ends with `last`, or the first one that ends after it.
  public mutating func advance(
    to last: SequenceNumber, _ each: (InputHeader, Epoch, borrowing OutputBuffer) -> Void = { _, _, _ in }
  ) throws(JournalError) {
    while position.sequence < last {
      let left = Int(clamping: last.rawValue - position.sequence.rawValue)
      guard try advance(batches: .max, entries: min(left, 1_024), each) > 0 else { return }
    }
  }

  private mutating func advance(
    batches: Int, entries: Int, _ each: (InputHeader, Epoch, borrowing OutputBuffer) -> Void
  ) throws(JournalError) -> Int {
    let before = position.sequence
    position = try reader.walk(from: position, batches: batches, entries: entries) { header, payload, _ in
      machine.apply(header, payload, into: &output)
      each(header, machine.epoch, output)
      output.clear()
    }
    return Int(position.sequence.rawValue - before.rawValue)
  }

  /// The machine's snapshot at `position`.
  public borrowing func snapshot() -> JournalSnapshot {
    var writer = ByteWriter(capacity: 1 << 20)
    machine.writeSnapshot(to: &writer)
    return JournalSnapshot(position: position, version: M.snapshotVersion, bytes: writer.array)
  }
}
