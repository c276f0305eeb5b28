import Bytes
import Cryptography
import Journal
import Machine
import Market

/// A machine on its journal: stamps inputs, appends and applies them, makes a batch of them durable, and only then
/// hands
/// out what the machine said.
///
/// One turn: `submit` any number of inputs, then `commit`, then read `output` and `chunks`, then `finishTurn`. Nothing
/// of
/// the machine's state or output may leave before `commit` has returned.
public struct Sequencer<M: Machine & ~Copyable>: ~Copyable {
  public let id: MachineID
  public private(set) var machine: M
  public let journal: Journal
  /// What the machine said to the inputs of this turn.
  public private(set) var output = OutputBuffer()
  /// Stream messages of this turn, by destination.
  public private(set) var chunks = ChunkAssembler()
  public let term: Term
  /// Inputs appended but not yet durable.
  public private(set) var pendingInputs = 0
  public private(set) var commits: UInt64 = 0
  private var clock: MachineClock
  private var trims: [(destination: MachineID, number: UInt64)] = []

  /// Reopens a machine as its journal tells it: the latest snapshot, then every entry after it. An empty journal begins
  /// with `genesis`.
  public static func open(id: MachineID, journal: Journal, genesis: MarketDefinition) throws -> Sequencer {
    var sequencer = Sequencer(id: id, journal: journal, machine: try MachineRecovery.recover(id, from: journal))
    if journal.lastSequence == SequenceNumber(0) {
      let encoded = genesis.encoded
      _ = try encoded.withUnsafeBytes { try sequencer.submit(.genesis, $0) }
      try sequencer.commit()
      sequencer.finishTurn()
    }
    return sequencer
  }

  private init(id: MachineID, journal: Journal, machine: consuming M) {
    self.id = id
    self.journal = journal
    self.machine = machine
    term = journal.lastTerm.next
    clock = MachineClock(notBefore: journal.lastStamp)
  }

  public var epoch: Epoch { machine.epoch }
  public var nextDeadline: Timestamp { machine.nextDeadline }
  public var lastSequence: SequenceNumber { journal.lastSequence }
  public mutating func now() -> Timestamp { clock.stamp() }

  /// Appends and applies one input; its output waits for `commit`.
  @discardableResult
  public mutating func submit(
    _ kind: InputKind, _ payload: UnsafeRawBufferPointer, from source: MachineID = .none, epoch: Epoch = Epoch(0),
    firstNumber: UInt64 = 0, count: UInt16 = 0
  ) throws -> SequenceNumber {
    if !journal.isInBatch { try journal.begin() }
    let header = InputHeader(
      sequence: journal.lastSequence.next, stamp: clock.stamp(), term: term, kind: kind, source: source, epoch: epoch,
      firstNumber: firstNumber, count: count)
    try journal.append(header, payload)
    machine.apply(header, payload, into: &output)
    pendingInputs += 1
    return header.sequence
  }

  /// Ends the machine's epoch. The seal opens a batch of its own, so that the chain head it carries covers everything
  /// before it: commit first what is pending.
  public mutating func seal() throws {
    precondition(pendingInputs == 0, "a seal opens its batch")
    let sealed = machine.epoch
    let seal = Seal(
      epoch: sealed, term: term, firstSequence: journal.epochFirstSequence, lastSequence: journal.lastSequence,
      chainHead: journal.chainHead, entryRoot: journal.entryRoot)
    let encoded = seal.encoded
    _ = try encoded.withUnsafeBytes { try submit(.seal, $0) }
    guard machine.epoch > sealed else { throw RuntimeError.sealRefused(id, sealed) }
  }

  /// Fires what is due; true when something was submitted.
  public mutating func fireDeadlines() throws -> Bool {
    guard machine.nextDeadline <= clock.stamp() else { return false }
    _ = try submit(.tick, UnsafeRawBufferPointer(start: nil, count: 0))
    return true
  }

  /// Asks for outbox entries to be deleted with the next commit: every consumer has them.
  public mutating func trim(_ destination: MachineID, through number: UInt64) {
    if let index = trims.firstIndex(where: { $0.destination == destination }) {
      trims[index].number = max(trims[index].number, number)
    } else {
      trims.append((destination, number))
    }
  }

  /// Makes the turn's inputs and outbox durable. After a failure the term is over: nothing more may be sent, and the
  /// machine must be rebuilt from the reopened journal.
  public mutating func commit() throws {
    let epoch = machine.epoch
    output.forEach { record in
      if record.kind == .stream {
        chunks.append(record.payload, number: record.number, to: MachineID(rawValue: record.destination), epoch: epoch)
      }
    }
    try chunks.forEach { chunk in
      try journal.enqueue(
        destination: chunk.destination, firstNumber: chunk.firstNumber, count: chunk.count, epoch: chunk.epoch,
        messages: chunk.messages)
    }
    for trim in trims { try journal.trimOutbox(destination: trim.destination, through: trim.number) }
    trims.removeAll(keepingCapacity: true)
    try journal.commit()
    pendingInputs = 0
    commits += 1
  }

  /// Puts the effects that the machine still owes into the output.
  public mutating func resumeEffects() {
    precondition(pendingInputs == 0, "owed effects follow from durable state")
    machine.resume(into: &output)
  }

  /// Forgets the turn's outputs, once they were handed out.
  public mutating func finishTurn() {
    output.clear()
    chunks.clear()
  }

  #if NOVATION_PLANT
    mutating func plant(_ bugs: (inout M) -> Void) { bugs(&machine) }
  #endif

  /// Keeps the machine's state in the journal, so that a restart replays only what came later.
  public mutating func takeSnapshot() throws {
    precondition(pendingInputs == 0, "a snapshot is of durable state")
    var writer = ByteWriter(capacity: 1 << 20)
    machine.writeSnapshot(to: &writer)
    try journal.begin()
    try journal.putSnapshot(version: M.snapshotVersion, bytes: writer.bytes)
    try journal.commit()
  }
}

/// Why a machine cannot be hosted.
public enum RuntimeError: Error, CustomStringConvertible {
  case unknownSnapshotVersion(MachineID, found: UInt16, known: UInt16)
  case damagedSnapshot(MachineID, at: SequenceNumber)
  case sealRefused(MachineID, Epoch)

  public var description: String {
    switch self {
    case .unknownSnapshotVersion(let id, let found, let known):
      "\(id): the snapshot has version \(found); this build reads \(known)"
    case .damagedSnapshot(let id, let sequence): "\(id): the snapshot at entry \(sequence) is damaged"
    case .sealRefused(let id, let epoch): "\(id): the machine refused the seal of epoch \(epoch)"
    }
  }
}
