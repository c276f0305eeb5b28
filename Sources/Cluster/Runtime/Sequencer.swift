import Bytes
import Journal
import Machine
import Market
import Wire

/// A machine on its journal, one step after another: it opens the journal, and makes each batch durable before it hands
/// out what the machine said. A host takes its parts over, to write one batch while it fills the next.
///
/// One turn: `submit` any number of inputs, then `commit`, then read `output` and `chunks`, then `finishTurn`. Nothing
/// of the machine's state or output may leave before `commit` has returned.
public struct Sequencer<M: Machine & ~Copyable>: ~Copyable {
  var inputs: BatchSequencer<M>
  public let journal: Journal
  /// The batch that was committed last, until the turn is finished.
  private var committed = CommitBatch()

  /// Reopens a machine as its journal tells it: the latest snapshot, then every entry after it. An empty journal begins
  /// with `genesis`, if there is one. A witness is told of every entry from the first one replayed.
  public static func open(
    id: MachineID, journal: Journal, genesis: MarketDefinition?, witness: (any InputWitness)? = nil,
    time: any TimeSource = SystemTime()
  ) throws -> Sequencer {
    var sequencer = Sequencer(
      id: id, journal: journal, machine: try MachineRecovery.recover(id, from: journal, witness), time: time)
    sequencer.inputs.witness = witness
    try journal.finishCut(sequencer.machine.streams)
    if let genesis, journal.lastSequence == SequenceNumber(0) {
      let encoded = genesis.encoded
      encoded.withUnsafeBytes { _ = sequencer.submit(.genesis, $0) }
      try sequencer.commit()
      sequencer.finishTurn()
    }
    return sequencer
  }

  private init(id: MachineID, journal: Journal, machine: consuming M, time: any TimeSource) {
    self.journal = journal
    inputs = BatchSequencer(
      id: id, machine: machine, after: journal.position, term: journal.lastTerm.next,
      clock: MachineClock(notBefore: journal.lastStamp, source: time))
  }

  /// Leaves the journal to whoever writes it from now on.
  consuming func takeInputs() -> BatchSequencer<M> { inputs }

  public var machine: M { _read { yield inputs.machine } }
  public var id: MachineID { inputs.id }
  public var term: Term { inputs.term }
  public var epoch: Epoch { inputs.epoch }
  public var lastSequence: SequenceNumber { inputs.lastSequence }
  /// Inputs applied but not yet durable.
  public var pendingInputs: Int { inputs.openInputs }
  public mutating func now() -> Timestamp { inputs.now() }
  /// What the machine said to the inputs of the committed batch.
  public var output: OutputBuffer { _read { yield committed.output } }
  /// Its stream messages, by destination.
  public var chunks: ChunkAssembler { _read { yield committed.chunks } }

  /// Stamps and applies one input; its output waits for `commit`.
  @discardableResult
  public mutating func submit(
    _ kind: InputKind, _ payload: UnsafeRawBufferPointer, from source: MachineID = .none, epoch: Epoch = Epoch(0),
    firstNumber: UInt64 = 0, count: UInt16 = 0
  ) -> SequenceNumber {
    inputs.submit(kind, payload, from: source, epoch: epoch, firstNumber: firstNumber, count: count)
  }

  /// Ends the machine's epoch: commit first what is pending.
  public mutating func seal() throws { try inputs.seal(at: journal.position) }

  /// Fires what is due; true when something was submitted.
  public mutating func fireDeadlines() -> Bool { inputs.fireDeadlines() }

  /// Makes the turn's inputs and outbox durable. After a failure the term is over: nothing more may be sent, and the
  /// machine must be rebuilt from the reopened journal.
  public mutating func commit() throws {
    let batch = inputs.close()
    try journal.write(batch)
    committed = batch
  }

  /// Forgets the turn's outputs, once they were handed out.
  public mutating func finishTurn() {
    inputs.reuse(committed)
    committed = CommitBatch()
  }

  #if NOVATION_PLANT
    mutating func plant(_ bugs: (inout M) -> Void) { inputs.plant(bugs) }
  #endif

  /// Keeps the machine's state in the journal, so that a restart replays only what came later.
  public mutating func takeSnapshot() throws {
    precondition(pendingInputs == 0, "a snapshot is of durable state")
    var writer = ByteWriter(capacity: 1 << 20)
    machine.writeSnapshot(to: &writer)
    try journal.keep(snapshot: writer.bytes, version: M.snapshotVersion)
  }
}

extension Journal {
  /// Keeps a snapshot of the machine as of the last entry, in a transaction of its own.
  func keep(snapshot: UnsafeRawBufferPointer, version: UInt16) throws {
    try begin()
    try putSnapshot(version: version, bytes: snapshot)
    try commit()
  }
}

/// Why a machine cannot be hosted.
public enum RuntimeError: Error, CustomStringConvertible {
  case unknownSnapshotVersion(MachineID, found: UInt16, known: UInt16)
  case damagedSnapshot(MachineID, at: SequenceNumber)
  case sealRefused(MachineID, Epoch)
  case malformedBatch(MachineID, after: SequenceNumber, from: String)
  case outOfOrder(MachineID, expected: SequenceNumber, found: SequenceNumber)

  public var description: String {
    switch self {
    case .unknownSnapshotVersion(let id, let found, let known):
      "\(id): the snapshot has version \(found); this build reads \(known)"
    case .damagedSnapshot(let id, let sequence): "\(id): the snapshot at entry \(sequence) is damaged"
    case .sealRefused(let id, let epoch): "\(id): the machine refused the seal of epoch \(epoch)"
    case .malformedBatch(let id, let sequence, let node):
      "\(id): the batch after entry \(sequence) that came from \(node) is malformed"
    case .outOfOrder(let id, let expected, let found): "\(id): entry \(found) came where \(expected) is next"
    }
  }
}
