import Authority
import Bytes
import Cryptography
import Journal
import Machine
import Market
import Messaging
import Wire

/// Where a host's time comes from.
public protocol TimeSource: AnyObject {
  /// Nanoseconds that never fall, for intervals and timers.
  func monotonic() -> Int64
  /// The wall clock.
  func wall() -> Timestamp
}

/// The system's clocks.
public final class SystemTime: TimeSource {
  public init() {}
  public func monotonic() -> Int64 { MachineClock.monotonic() }
  public func wall() -> Timestamp { MachineClock.wall() }
}

/// What the core of a host needs of the world: sockets, a journal, time. Real in `MachineHost`; simulated elsewhere.
///
/// All calls are made on one thread, and what the world has to say it says on the same one.
public protocol HostWorld: TimeSource {
  /// Sends a frame to a peer that has spoken; it may be lost.
  func send(_ frame: UnsafeRawBufferPointer, to peer: [UInt8]) -> Socket.SendResult
  /// Sends a frame to the machine whose stream is consumed at this place of `HostRole.sources`.
  func send(_ frame: UnsafeRawBufferPointer, toSource index: Int) -> Socket.SendResult
  /// Begins to make a batch durable. When it is, the world calls `HostCore.batchIsDurable`; batches are written in
  /// order. After a failure it calls `HostCore.journalFailed`.
  func write(_ batch: CommitBatch)
  /// Begins to keep a snapshot of durable state, behind the batches written before; `HostCore.snapshotIsDurable`
  /// follows.
  func keep(snapshot: [UInt8], version: UInt16)
  /// Begins to make a snapshot beside the trading, of the machine at an entry that is durable or a little later;
  /// `HostCore.snapshotIsDurable` follows. `false` where that cannot be done: the core then gives one itself.
  func makeSnapshotBeside(through sequence: SequenceNumber) -> Bool
  /// How much room the journal has.
  var room: JournalRoom { get }
  /// The journal's outbox, as of what is durable.
  func forEachOutbox(destination: MachineID, from number: UInt64, _ body: (OutboxChunk) throws -> Bool) throws
  /// Bytes of the journal that are in use, and that there are.
  var journalUse: (used: UInt64, capacity: UInt64) { get }
  /// Asks for a turn at this monotonic time, or before.
  func wake(at time: Int64)
  /// Input is wanted, or is to wait in its sockets.
  func setReceiving(_ isReceiving: Bool)

  // MARK: Other copies of the machine

  /// Whether somebody says who owns the machine; if not, this copy does.
  var hasAuthority: Bool { get }
  /// Asks the authority; `HostCore.authorityAnswered` follows.
  func ask(_ question: AuthorityQuestion)
  /// Monotonic time until which this node's lease lets it serve alone.
  var leaseEnd: Int64 { get }
  /// Nodes with another copy.
  var copyNodes: [String] { get }
  /// Sends a frame to another copy.
  func send(_ frame: UnsafeRawBufferPointer, toCopyOn node: String) -> Socket.SendResult
  /// Calls `body` with the durable batches after an entry that ends one, in order: their encoded entries, each after
  /// its `u32` length, and the last one's sequence; until it returns `false`.
  func forEachBatch(
    after sequence: SequenceNumber, _ body: (_ entries: UnsafeRawBufferPointer, _ last: SequenceNumber) throws -> Bool
  ) throws
  /// The link of the durable batch that ended with an entry; `nil` if none did.
  func link(endingAt sequence: SequenceNumber) throws -> Digest?
  /// Links of durable batches, latest first, ever wider apart.
  func recentLinks() throws -> [CommonGround.Link]
  /// The entry before the first that the journal holds; zero for a whole one.
  var journalBase: SequenceNumber { get throws }
  /// The newest snapshot that replaying has verified; `nil` before the first.
  func newestSnapshot() throws -> SnapshotOffer?
  /// A part of the snapshot after an entry, from 1; `nil` when that is not kept any more.
  func snapshotPart(of sequence: SequenceNumber, _ part: UInt32) throws -> [UInt8]?
  /// Begins to put another copy's snapshot, with what is owed to consumers by then, in the place of all that the
  /// journal holds, which ends before it; `HostCore.snapshotIsAdopted` follows, or `journalFailed`.
  func adopt(_ snapshot: JournalSnapshot, outbox: [OwedChunk])
  /// Takes note of what other copies will still ask for: the journal is not truncated past that.
  func copiesNeed(_ needs: [Retention.Need])
  /// Removes all that was written after an entry that ends a batch. The machine is rebuilt after it.
  func cutJournal(after sequence: SequenceNumber) throws

  // MARK: Quarantine

  /// Inputs that are to be kept from the machine; asked at the beginning of a reign.
  func quarantines() throws -> [Quarantine]
  /// What the machine was applying when the process before this one died, if it died so.
  var lastDeath: NotedInput? { get }

  /// The term is over: nothing more is said, and the machine is rebuilt from its journal.
  func endTerm(_ what: String, _ reason: any Error)
}

extension HostWorld {
  public func makeSnapshotBeside(through sequence: SequenceNumber) -> Bool { false }
  public var room: JournalRoom { .ample }
  public func quarantines() throws -> [Quarantine] { [] }
  public var lastDeath: NotedInput? { nil }
  public func copiesNeed(_ needs: [Retention.Need]) {}
}
