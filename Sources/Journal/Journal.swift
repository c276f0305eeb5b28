import Bytes
import Cryptography
import Glibc
import Machine
import Market

/// A machine's journal: its inputs, the outputs it owes to other machines, and snapshots of its state, in one LMDB
/// environment, so that an input and what it caused become durable in one transaction.
///
/// Used from one thread. A batch is `begin`, any number of `append`, `enqueue`, `trimOutbox`, `putSnapshot` and
/// `putMeta`, then `commit` (durable when it returns) or `abort` (as if it had not been). A commit that fails ends the
/// term: the journal stays readable but refuses to write until it has been opened, and so verified, anew.
public final class Journal {
  /// Whose journal it is.
  public let machine: MachineID
  public let configuration: JournalConfiguration
  /// Snapshots that failed their checksum at open; the one before was used.
  public private(set) var damagedSnapshots: [SequenceNumber] = []
  /// Entries that no commit batch held at open, from a torn tail: they were never acknowledged, and were cut. The
  /// outbox may hold what they caused: see `cutOutbox`.
  public let cutEntries: ClosedRange<SequenceNumber>?
  let store: JournalStore
  private let lock: DirectoryLock

  /// The open batch.
  var batch: LMDBWriteTransaction?
  /// Position with the open batch's entries, and as of the last commit.
  public private(set) var position: JournalPosition
  private var committed: JournalPosition
  private var link: BatchLink
  /// A snapshot whose head is written at commit, when its chain head is known.
  var pendingSnapshot: SnapshotRecord?
  /// A snapshot that is being written in pieces, with the open batch's and as of the last commit.
  var draft: SnapshotRecord?
  var committedDraft: SnapshotRecord?
  /// Snapshots without a head, whose parts are still to be deleted; likewise.
  var orphans: [SequenceNumber] = []
  var committedOrphans: [SequenceNumber] = []
  var ballast: Ballast
  var gauge: RoomGauge
  /// Monotonic nanoseconds from which on the room is measured anew.
  var nextRoomMeasurement: Int64 = 0
  private var bytesUsedAtCommit = 0
  var bytesUsedAtReaderCheck = 0

  /// Opens the journal in `directory`, or makes it. The entries after the latest good snapshot are verified; damage is
  /// refused with the sequence where it begins. A torn tail is cut.
  public init(
    directory: String, machine: MachineID, configuration: JournalConfiguration = JournalConfiguration()
  ) throws(JournalError) {
    self.machine = machine
    self.configuration = configuration
    try makeDirectory(directory)
    lock = try DirectoryLock(directory: directory)
    let environment = try LMDBEnvironment(
      directory: directory, configuration: LMDBConfiguration(mapSize: configuration.mapSize))
    store = try JournalStore(environment, isWriter: true)
    if try store.machine() == nil { try store.create(machine: machine, at: Self.now()) }
    try store.check(machine: machine)
    cutEntries = try store.cutTornTail()
    committed = JournalPosition()
    position = committed
    link = BatchLink(after: committed.chainHead)
    ballast = Ballast(directory: directory, byteCount: configuration.ballastBytes)
    gauge = RoomGauge(configuration, mapSize: environment.mapSize)
    try reopen()
    _ = room
  }

  /// Finds and verifies where the journal stands.
  func reopen() throws(JournalError) {
    let base = try store.base()
    let (snapshot, damaged) = try store.latestGoodSnapshot(through: store.linkedEnd())
    damagedSnapshots = damaged
    guard snapshot != nil || base.isBeginning else {
      throw .damagedRecord(
        path: store.path, record: "every snapshot",
        reason: "the entries through \(base.sequence) were truncated, so nothing else gives the machine's state; put a "
          + "standby's or a verifier's copy in the journal's place ('novation restore' does it)")
    }
    committed = try store.verifyTail(from: snapshot?.position ?? base)
    try store.checkCompleteness(after: base.sequence, through: committed.sequence)
    committedOrphans = try store.snapshotSequences(store.environment.beginReading()).headless
    committedDraft = nil
    rewind()
  }

  private static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  // MARK: Where it stands (the open batch included, unless said otherwise)

  /// The last entry; zero before the first.
  public var lastSequence: SequenceNumber { position.sequence }
  /// Its stamp.
  public var lastStamp: Timestamp { position.stamp }
  /// Its term.
  public var lastTerm: Term { position.term }
  /// The last entry that is durable.
  public var durableSequence: SequenceNumber { committed.sequence }
  /// Link of the last committed batch; the open one has none yet.
  public var chainHead: Digest { committed.chainHead }
  /// First entry of the epoch: the one after the last `seal`.
  public var epochFirstSequence: SequenceNumber { position.epochFirstSequence }
  /// RFC 6962 tree over the epoch's entries; `append` of a `seal` starts the next one.
  public var epochFrontier: MerkleFrontier<RFC6962SHA256> { position.epochFrontier }
  /// Its root.
  public var entryRoot: Digest { position.entryRoot }
  /// Bytes of the map that have ever been used, of `mapSize`.
  public var bytesUsed: Int { store.environment.bytesUsed }
  public var mapSize: Int { store.environment.mapSize }
  /// Why writing has ended, or `nil` while it is allowed.
  public var endOfTerm: String? { store.environment.endOfTerm }
  /// Whether a batch is open.
  public var isInBatch: Bool { batch != nil }

  /// The link of the batch that ended with `sequence`, or `nil` if none did.
  public func link(endingAt sequence: SequenceNumber) throws(JournalError) -> Digest? {
    try store.link(endingAt: sequence)
  }

  // MARK: Batches

  /// Begins a batch. Refused when even most of the map's headroom is used up, so that a batch never has to end half
  /// written.
  public func begin() throws(JournalError) {
    precondition(batch == nil, "a batch is begun after the last one was committed or aborted")
    // Whoever never asks for the room still has its readers checked, and the ballast at the ready.
    _ = room
    guard freeMapBytes() >= gauge.mapHeadroom / 4 else { throw .mapFull(path: store.path, mapSize: mapSize) }
    batch = try store.environment.beginWriting()
  }

  /// Appends the next entry. `header.sequence` is `lastSequence` + 1.
  public func append(_ header: InputHeader, _ payload: UnsafeRawBufferPointer) throws(JournalError) {
    let count = EntryCodec.byteCount(payloadCount: payload.count)
    let bytes = try reserve(header.sequence, count)
    EntryCodec.write(header, payload, over: bytes)
    take(header, UnsafeRawBufferPointer(bytes))
  }

  /// Appends the next entry as `EntryCodec` has laid it out.
  public func append(_ entry: UnsafeRawBufferPointer) throws(JournalError) {
    let header: InputHeader
    do throws(EntryCodec.Refusal) {
      header = try EntryCodec.read(entry).header
    } catch {
      throw .damaged(path: store.path, sequence: position.sequence.next, reason: "\(error)")
    }
    let bytes = try reserve(header.sequence, entry.count)
    bytes.copyMemory(from: entry)
    take(header, entry)
  }

  private func reserve(
    _ sequence: SequenceNumber, _ count: Int
  ) throws(JournalError) -> UnsafeMutableRawBufferPointer {
    precondition(batch != nil, "entries are appended in a batch")
    precondition(pendingSnapshot == nil, "a snapshot is the last thing in its batch")
    guard sequence == position.sequence.next else {
      throw .outOfSequence(path: store.path, expected: position.sequence.next, found: sequence)
    }
    guard let bytes = try batch!.reserve(count, at: sequence.rawValue, in: store.entries, .append) else {
      let last = try store.lastEntry(batch!)
      throw .damaged(path: store.path, sequence: sequence, reason: "entry \(last) is there already")
    }
    return bytes
  }

  private func take(_ header: InputHeader, _ entry: UnsafeRawBufferPointer) {
    let leaf = RFC6962SHA256.leaf(entry)
    link.append(leaf)
    position.advance(header, leaf: leaf)
  }

  /// Writes the batch's link and makes the batch durable. On failure the term has ended and the batch counts as undone,
  /// though only reopening tells.
  public func commit() throws(JournalError) {
    precondition(batch != nil, "a batch is committed once")
    do throws(JournalError) {
      try writeLinkAndSnapshot()
    } catch {
      abort()
      throw error
    }
    let open = batch.take()!
    do throws(JournalError) {
      try open.commit()
    } catch {
      rewind()
      throw error
    }
    committed = position
    link.restart(after: committed.chainHead)
    pendingSnapshot = nil
    committedDraft = draft
    committedOrphans = orphans
    let used = bytesUsed
    if used > bytesUsedAtCommit { nextRoomMeasurement = 0 }
    bytesUsedAtCommit = used
  }

  private func writeLinkAndSnapshot() throws(JournalError) {
    if link.count > 0 {
      let digest = link.digest
      var words = digest.words
      let written = try withTypedBytes(of: &words) { bytes throws(JournalError) in
        try batch!.put(bytes, at: position.sequence.rawValue, in: store.batches, .append)
      }
      guard written else {
        throw .damaged(path: store.path, sequence: position.sequence, reason: "a later batch is there already")
      }
      position.chainHead = digest
    }
    try writePendingSnapshot()
    try sweepOrphans()
  }

  /// Drops the open batch.
  public func abort() {
    batch = nil
    rewind()
  }

  private func rewind() {
    position = committed
    link.restart(after: committed.chainHead)
    pendingSnapshot = nil
    draft = committedDraft
    orphans = committedOrphans
  }
}

/// `withUnsafeBytes(of:)` for bodies that throw a type of error.
func withTypedBytes<Value, Result, Failure: Error>(
  of value: inout Value, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
  try withUnsafePointer(to: &value) { pointer throws(Failure) in
    try body(UnsafeRawBufferPointer(start: pointer, count: MemoryLayout<Value>.size))
  }
}
