import Bytes
import Cryptography
import Journal
import Machine
import Market
import Wire

/// A machine that takes inputs: stamps them, applies them, and gathers them with what the machine said into batches to
/// be made durable. It does no I/O.
///
/// Its machine is ahead of what is durable by the open batch and those that were closed and not yet written: nothing of
/// its state or output may leave before.
public struct BatchSequencer<M: Machine & ~Copyable>: ~Copyable {
  public let id: MachineID
  public private(set) var machine: M
  public private(set) var term: Term
  /// The last input, durable or not.
  public private(set) var lastSequence: SequenceNumber
  /// Where the next inputs go.
  private(set) var open = CommitBatch()
  private var output = OutputBuffer()
  private var clock: MachineClock
  private var spare: [CommitBatch] = []
  /// Told what the machine is applying.
  public var witness: (any InputWitness)?

  /// A machine as its journal told it, which ends at `position`.
  public init(id: MachineID, machine: consuming M, after position: JournalPosition, term: Term, clock: MachineClock) {
    self.id = id
    self.machine = machine
    self.term = term
    self.clock = clock
    lastSequence = position.sequence
  }

  public var epoch: Epoch { machine.epoch }
  public var nextDeadline: Timestamp { machine.nextDeadline }
  /// Inputs in the open batch.
  public var openInputs: Int { open.count }
  public mutating func now() -> Timestamp { clock.stamp() }

  /// Where its clock stands, whatever was stamped before.
  var clockReading: Timestamp { clock.reading }
  /// Sets its clock forward.
  mutating func advanceClock(by nanoseconds: Int64) { clock.advance(by: nanoseconds) }

  /// From now on inputs are of this term.
  mutating func begin(_ term: Term) {
    precondition(open.count == 0 && term > self.term, "a term begins with a batch, and only grows")
    self.term = term
  }

  /// Stamps and applies one input.
  @discardableResult
  public mutating func submit(
    _ kind: InputKind, _ payload: UnsafeRawBufferPointer, from source: MachineID = .none, epoch: Epoch = Epoch(0),
    firstNumber: UInt64 = 0, count: UInt16 = 0
  ) -> SequenceNumber {
    let header = InputHeader(
      sequence: lastSequence.next, stamp: clock.stamp(), term: term, kind: kind, source: source, epoch: epoch,
      firstNumber: firstNumber, count: count)
    let byteCount = EntryCodec.byteCount(payloadCount: payload.count)
    open.entries.u32(UInt32(byteCount))
    let place = open.entries.extend(by: byteCount)
    EntryCodec.write(header, payload, over: UnsafeMutableRawBufferPointer(start: place, count: byteCount))
    apply(.taken, header, payload)
    return header.sequence
  }

  /// Applies one entry that another copy of the machine has stamped.
  mutating func follow(_ entry: UnsafeRawBufferPointer) throws {
    let (header, payload) = try EntryCodec.read(entry)
    guard header.sequence == lastSequence.next else {
      throw RuntimeError.outOfOrder(id, expected: lastSequence.next, found: header.sequence)
    }
    open.entries.blob(entry)
    term = max(term, header.term)
    clock.follow(header.stamp)
    apply(.followed, header, payload)
  }

  /// Goes on from another copy's snapshot, which is where the journal begins now.
  mutating func adopt(_ machine: consuming M, at position: JournalPosition) {
    precondition(open.count == 0, "a snapshot is adopted between batches")
    self.machine = machine
    term = max(term, position.term)
    lastSequence = position.sequence
    clock.follow(position.stamp)
  }

  private mutating func apply(
    _ stage: NotedInput.Stage, _ header: InputHeader, _ payload: UnsafeRawBufferPointer
  ) {
    witness?.willApply(stage, header, payload)
    machine.apply(header, payload, into: &output)
    witness?.hasApplied()
    if open.count == 0 { open.firstSequence = header.sequence }
    lastSequence = header.sequence
    open.lastSequence = header.sequence
    open.count += 1
  }

  /// Ends the machine's epoch. A seal opens its batch, and commits to all before it: everything before is durable.
  public mutating func seal(at position: JournalPosition) throws {
    precondition(open.count == 0 && position.sequence == lastSequence, "a seal follows what is durable")
    let sealed = machine.epoch
    let seal = Seal(
      epoch: sealed, term: term, firstSequence: position.epochFirstSequence, lastSequence: position.sequence,
      chainHead: position.chainHead, entryRoot: position.entryRoot)
    let encoded = seal.encoded
    encoded.withUnsafeBytes { _ = submit(.seal, $0) }
    guard machine.epoch > sealed else { throw RuntimeError.sealRefused(id, sealed) }
  }

  /// Fires what is due; true when something was submitted.
  public mutating func fireDeadlines() -> Bool {
    guard machine.nextDeadline <= clock.stamp() else { return false }
    _ = submit(.tick, UnsafeRawBufferPointer(start: nil, count: 0))
    return true
  }

  /// Takes the open batch and begins another.
  package mutating func close() -> CommitBatch {
    let batch = open
    open = spare.popLast() ?? CommitBatch()
    swap(&batch.output, &output)
    batch.gatherChunks(in: machine.epoch)
    return batch
  }

  /// Takes a batch back whose outputs were handed out.
  package mutating func reuse(_ batch: CommitBatch) {
    batch.clear()
    spare.append(batch)
  }

  /// What the machine still owes its edge. Everything before is durable.
  mutating func owedEffects() -> CommitBatch {
    precondition(open.count == 0, "owed effects follow from durable state")
    machine.resume(into: &output)
    return close()
  }

  #if NOVATION_PLANT
    mutating func plant(_ bugs: (inout M) -> Void) { bugs(&machine) }
  #endif
}
