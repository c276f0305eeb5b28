import Bytes
import Journal
import Machine
import Market

#if NOVATION_PLANT
  import Synchronization
#endif

/// Rebuilds a machine as its journal tells it: the latest snapshot, then every entry after it.
public enum MachineRecovery {
  /// From a journal that this process owns.
  static func recover<M: Machine & ~Copyable>(
    _ id: MachineID, from journal: Journal, _ witness: (any InputWitness)? = nil
  ) throws -> M {
    try recover(id, snapshot: journal.latestSnapshot(), witness) { try journal.forEachEntry(from: $0, $1) }
  }

  /// From the journal in `directory`, which another process may be writing. Nothing is changed.
  public static func read<M: Machine & ~Copyable>(_ id: MachineID, directory: String) throws -> M {
    let reader = try JournalReader(directory: directory, machine: id)
    return try recover(id, snapshot: reader.latestSnapshot()) { try reader.forEachEntry(from: $0, $1) }
  }

  /// Calls with entry after entry until told to stop.
  public typealias EachEntry = (InputHeader, UnsafeRawBufferPointer) throws -> Bool

  /// From a snapshot, if there is one, and the entries from a sequence on.
  public static func recover<M: Machine & ~Copyable>(
    _ id: MachineID, snapshot: JournalSnapshot?, _ witness: (any InputWitness)? = nil,
    _ forEachEntry: (SequenceNumber, EachEntry) throws -> Void
  ) throws -> M {
    var scratch = OutputBuffer()
    var machine = M(id: id)
    var next = SequenceNumber(1)
    if let snapshot {
      machine = try restore(id, snapshot)
      next = snapshot.position.sequence.next
    }
    try forEachEntry(next) { header, payload in
      #if NOVATION_PLANT
        if HostFaults.forgetsTicks.load(ordering: .relaxed), header.kind == .tick { return true }
      #endif
      witness?.willApply(.replayed, header, payload)
      machine.apply(header, payload, into: &scratch)
      witness?.hasApplied()
      scratch.clear()
      return true
    }
    return machine
  }

  /// The machine that a snapshot tells of.
  static func restore<M: Machine & ~Copyable>(_ id: MachineID, _ snapshot: JournalSnapshot) throws -> M {
    guard snapshot.version == M.snapshotVersion else {
      throw RuntimeError.unknownSnapshotVersion(id, found: snapshot.version, known: M.snapshotVersion)
    }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: snapshot.bytes.count, alignment: 16)
    defer { bytes.deallocate() }
    bytes.copyBytes(from: snapshot.bytes)
    var reader = ByteReader(UnsafeRawBufferPointer(bytes))
    let restored = M(id: id, snapshot: &reader)
    guard reader.isExhausted else { throw RuntimeError.damagedSnapshot(id, at: snapshot.position.sequence) }
    return restored
  }
}
