import Bytes
import Clearing
import Cluster
import Journal
import Machine
import Market
import Matching
import Settlement

/// Journals that were copied at different instants, cut so that together they are a cluster at one: each right after
/// its seal of the same epoch. What a machine received in an epoch was sent in that epoch or before, so nothing is
/// known at the cut that was not said at it. What was said and not yet heard is put into the outboxes again.
struct ClusterCut {
  /// What became of one journal.
  struct Outcome {
    var machine: MachineID
    var lastSequence: SequenceNumber
    /// Entries after the cut, which the restored cluster does not have.
    var leftOut: UInt64
    /// Messages that the copy's outbox did not hold any more, said again by executing the machine again.
    var rebuiltMessages: UInt64
  }

  private(set) var outcomes: [Outcome] = []
  /// The last epoch that the coordinator had settled at the cut.
  private(set) var settledEpoch = Epoch(0)
  private(set) var depositsForwarded: UInt64 = 0

  /// Cuts the journals of `shelf`, which nobody has open.
  /// - Parameter posted: The last epoch that the settlement layer is known to hold, whatever is cut.
  init(_ shelf: JournalShelf, at epoch: Epoch, posted: Epoch) throws {
    var cuts: [any CutMachine] = []
    for machine in shelf.machines {
      guard let sequence = try shelf.reader(of: machine).seal(of: epoch) else {
        throw CommandRefused("the journal of \(machine) holds no seal of epoch \(epoch): it cannot be cut there")
      }
      cuts.append(try Self.cut(machine, shelf.directory(of: machine), after: sequence))
    }
    if let settlement = cuts.first(where: { $0.id == .settlement }) as? MachineCut<SettlementMachine> {
      (settledEpoch, depositsForwarded) = settlement.read { ($0.status.lastAppliedEpoch, $0.status.depositsForwarded) }
    }
    guard settledEpoch >= posted else {
      throw CommandRefused(
        "the settlement layer has made epoch \(posted) final, and at the end of epoch \(epoch) the coordinator had "
          + "settled no more than epoch \(settledEpoch): a cluster cut there would contradict it; name a later epoch")
    }
    for producer in cuts {
      var missing: [MachineID: ClosedRange<UInt64>] = [:]
      for consumer in cuts where consumer.id != producer.id {
        missing[consumer.id] = try producer.missing(for: consumer)
      }
      let rebuilt = try producer.rebuild(missing)
      outcomes.append(
        Outcome(
          machine: producer.id, lastSequence: producer.end, leftOut: producer.leftOut, rebuiltMessages: rebuilt))
    }
  }

  private static func cut(
    _ machine: MachineID, _ directory: String, after sequence: SequenceNumber
  ) throws -> any CutMachine {
    switch machine.kind {
    case .shard: try MachineCut<ShardMachine>(machine, directory, after: sequence)
    case .risk: try MachineCut<RiskMachine>(machine, directory, after: sequence)
    case .settlement: try MachineCut<SettlementMachine>(machine, directory, after: sequence)
    default: throw CommandMistake("\(directory): \(machine) is no machine that keeps a journal")
    }
  }
}

/// A cut journal, whatever its machine's type.
private protocol CutMachine: AnyObject {
  var id: MachineID { get }
  var end: SequenceNumber { get }
  var leftOut: UInt64 { get }
  var streams: StreamNumbers { get }
  /// The messages that `consumer` has not consumed and that the outbox does not hold; `nil` if there are none.
  func missing(for consumer: any CutMachine) throws -> ClosedRange<UInt64>?
  /// Puts the missing messages into the outbox; returns how many there were.
  func rebuild(_ missing: [MachineID: ClosedRange<UInt64>]) throws -> UInt64
}

private final class MachineCut<M: Machine & ~Copyable>: CutMachine {
  let id: MachineID
  let end: SequenceNumber
  let leftOut: UInt64
  let streams: StreamNumbers
  private let journal: Journal
  private let replay: MachineReplay<M>

  init(_ id: MachineID, _ directory: String, after sequence: SequenceNumber) throws {
    let journal = try Journal(directory: directory, machine: id)
    let last = journal.lastSequence
    try journal.cut(after: sequence)
    var replay = try MachineReplay<M>(journal.reader(), from: journal.latestSnapshot())
    try replay.advance(to: sequence)
    let streams = replay.machine.streams
    try journal.begin()
    try journal.cutOutbox(to: streams)
    try journal.commit()
    self.id = id
    self.journal = journal
    self.replay = replay
    self.streams = streams
    end = sequence
    leftOut = last.rawValue - sequence.rawValue
  }

  func read<R>(_ body: (borrowing M) -> R) -> R { body(replay.machine) }

  func missing(for consumer: any CutMachine) throws -> ClosedRange<UInt64>? {
    let sent = streams.lastSent(to: consumer.id)
    let consumed = consumer.streams.lastReceived(from: id)
    guard consumed <= sent else {
      throw CommandRefused(
        "\(consumer.id) has consumed message \(consumed) of \(id), which has sent only \(sent) at the cut: the copies "
          + "are not of one cluster")
    }
    guard consumed < sent else { return nil }
    var first = sent + 1
    try journal.forEachOutbox(destination: consumer.id, from: consumed + 1) { chunk in
      first = chunk.firstNumber
      return false
    }
    return first > consumed + 1 ? consumed + 1...first - 1 : nil
  }

  func rebuild(_ missing: [MachineID: ClosedRange<UInt64>]) throws -> UInt64 {
    guard !missing.isEmpty else { return 0 }
    var replay = try start(before: missing)
    var chunks = ChunkAssembler()
    var count: UInt64 = 0
    try replay.advance(to: end) { header, epoch, output in
      output.forEach { record in
        let destination = MachineID(rawValue: record.destination)
        guard record.kind == .stream, let range = missing[destination], range.contains(record.number) else { return }
        chunks.append(record.payload, number: record.number, to: destination, epoch: epoch)
        count += 1
      }
    }
    guard count == missing.values.reduce(0, { $0 + UInt64($1.count) }) else {
      throw CommandRefused("\(id), executed again, does not say all that it had said")
    }
    try journal.begin()
    try chunks.forEach { chunk in
      try journal.enqueue(
        destination: chunk.destination, firstNumber: chunk.firstNumber, count: chunk.count, epoch: chunk.epoch,
        messages: chunk.messages)
    }
    try journal.commit()
    return count
  }

  /// The machine before it said the first of `missing`: by the latest snapshot that is early enough.
  private func start(before missing: [MachineID: ClosedRange<UInt64>]) throws -> MachineReplay<M> {
    let reader = journal.reader()
    for label in try reader.snapshots().reversed() {
      guard let snapshot = try reader.snapshot(at: label.sequence) else { continue }
      let replay = try MachineReplay<M>(reader, from: snapshot)
      if missing.allSatisfy({ replay.machine.streams.lastSent(to: $0) < $1.lowerBound }) { return replay }
    }
    guard try reader.base().isBeginning else {
      throw CommandRefused(
        "\(id): what it said to \(missing.keys.map { "\($0)" }.sorted().joined(separator: ", ")) before its oldest "
          + "snapshot cannot be said again, since the entries before that were truncated")
    }
    return try MachineReplay<M>(reader, from: nil)
  }
}
