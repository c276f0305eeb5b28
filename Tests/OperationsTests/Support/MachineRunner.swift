import Bytes
import Journal
import Machine
import Market

@testable import Cluster

/// Messages of one stream on their way.
struct StreamRun {
  var source: MachineID
  var destination: MachineID
  var epoch: Epoch
  var firstNumber: UInt64
  var count: UInt16
  var messages: [UInt8]
}

/// One machine on its journal, as its host would drive it, without a socket.
final class MachineRunner<M: Machine & ~Copyable> {
  let id: MachineID
  private(set) var sequencer: Sequencer<M>
  /// What left the machine, durable, and was not taken yet.
  private(set) var runs: [StreamRun] = []
  private(set) var replies: [ActionReply] = []
  private(set) var effects: [(code: UInt32, payload: [UInt8])] = []

  init(_ id: MachineID, directory: String, market: MarketDefinition) throws {
    self.id = id
    let journal = try Journal(
      directory: directory, machine: id, configuration: JournalConfiguration(mapSize: 1 << 30))
    sequencer = try Sequencer.open(id: id, journal: journal, genesis: market)
  }

  #if NOVATION_PLANT
    func plant(_ bugs: (inout M) -> Void) { sequencer.plant(bugs) }
  #endif

  func read<R>(_ body: (borrowing M) throws -> R) rethrows -> R { try body(sequencer.machine) }

  func submit(_ kind: InputKind, _ payload: [UInt8]) throws {
    payload.withUnsafeBytes { _ = sequencer.submit(kind, $0) }
  }

  /// Journals a run; epochs that its source has ended are ended first.
  func consume(_ run: StreamRun) throws {
    while sequencer.epoch < run.epoch { try seal() }
    run.messages.withUnsafeBytes {
      _ = sequencer.submit(
        .stream, $0, from: run.source, epoch: run.epoch, firstNumber: run.firstNumber, count: run.count)
    }
  }

  private func seal() throws {
    try flush()
    try sequencer.seal()
  }

  /// Fires what is due, ends an epoch that is, and makes everything durable.
  func turn() throws {
    _ = sequencer.fireDeadlines()
    if sequencer.machine.wantsSeal { try seal() }
    try flush()
  }

  func flush() throws {
    guard sequencer.pendingInputs > 0 else { return }
    try sequencer.commit()
    sequencer.chunks.forEach { chunk in
      runs.append(
        StreamRun(
          source: id, destination: chunk.destination, epoch: chunk.epoch, firstNumber: chunk.firstNumber,
          count: chunk.count, messages: [UInt8](chunk.messages)))
    }
    sequencer.output.forEach { record in
      switch record.kind {
      case .reply: if let reply = try? ActionReply(decoding: record.payload) { replies.append(reply) }
      case .effect: effects.append((record.destination, [UInt8](record.payload)))
      case .stream, .report, .book, .status: break
      }
    }
    sequencer.finishTurn()
  }

  func takeRuns() -> [StreamRun] {
    defer { runs.removeAll() }
    return runs
  }
  func takeReplies() -> [ActionReply] {
    defer { replies.removeAll() }
    return replies
  }
  func takeEffects() -> [(code: UInt32, payload: [UInt8])] {
    defer { effects.removeAll() }
    return effects
  }
}
