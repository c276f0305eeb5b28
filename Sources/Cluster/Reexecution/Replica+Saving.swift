import Bytes
import Journal
import Machine
import Market
import Wire

/// Beginning elsewhere than with the first entry: after a snapshot of the journal, or where a replica was saved.
extension Replica where M: ~Copyable {
  private static var layoutVersion: UInt16 { 1 }

  /// Begins after the earliest verified snapshot, where no copy of the journal has its first entries any more. Nothing
  /// before it is judged: whoever reports tells `firstSequence`. What can be held against it is: the chain of the
  /// journal, the market, the next snapshot; and from there on every seal, stream and header.
  /// - Throws: a breach if one of them contradicts it; `JournalError.truncated` if there is no snapshot to begin after.
  func beginAfterSnapshot() throws {
    guard let (found, snapshot, next) = try copies.earliestSnapshot() else { return }
    let sequence = snapshot.position.sequence
    guard try found.link(endingAt: sequence) == snapshot.position.chainHead else {
      throw breach(at: sequence, "the journal's chain is not that of the snapshot it begins after")
    }
    try begin(with: snapshot)
    guard var known = machine.knownMarket else {
      throw breach(at: sequence, "the snapshot it begins after knows no market")
    }
    let listed = known
    known.instruments.removeLast(max(0, known.instruments.count - genesis.instruments.count))
    guard known == genesis else {
      throw ReexecutionBreach(
        machine: id, sequence: sequence, rule: .genesis, detail: "the snapshot it begins after is of another market")
    }
    learn(listed)
    // What it owes its edge, it says again.
    machine.resume(into: &output)
    output.forEach { record in
      if record.kind == .effect { effects.append((record.destination, [UInt8](record.payload))) }
    }
    output.clear()
    start = machine.streams
    for (peer, number) in start.sent { sent[peer] = SentMessages(log: MessageLog(after: number)) }
    for (peer, number) in start.received { consumed[peer] = MessageLog(after: number) }
    firstSequence = sequence.next
    firstEpoch = position.epochFirstSequence == sequence.next ? machine.epoch : machine.epoch.next
    awaited = next
    reader = found
  }

  private func begin(with snapshot: JournalSnapshot) throws {
    machine = try MachineRecovery.restore(id, snapshot)
    position = snapshot.position
  }

  private func breach(at sequence: SequenceNumber, _ detail: String) -> ReexecutionBreach {
    ReexecutionBreach(machine: id, sequence: sequence, rule: .journal, detail: detail)
  }

  /// Where the journal's next snapshot was taken, the machine must be in the state that it holds.
  func compareWithAwaited() throws {
    guard let snapshot = awaited, position.sequence >= snapshot.position.sequence else { return }
    awaited = nil
    let other: M = try MachineRecovery.restore(id, snapshot)
    guard position == snapshot.position, other.stateHash() == machine.stateHash() else {
      throw breach(
        at: snapshot.position.sequence,
        "from the snapshot it begins after, the journal does not lead to the state of its next one")
    }
  }

  // MARK: Saving

  /// version u16, machine u32, position, market blob, first sequence u64, first epoch u32, entries u64, numbers at the
  /// start, machine's snapshot version u16 and blob, effects, numbers consumed at seals, streams not yet compared.
  public func write(to writer: inout ByteWriter) {
    writer.u16(Self.layoutVersion)
    id.write(to: &writer)
    position.write(to: &writer)
    market.encoded.withUnsafeBytes { writer.blob($0) }
    firstSequence.write(to: &writer)
    firstEpoch.write(to: &writer)
    writer.u64(entries)
    start.write(to: &writer)
    writer.u16(M.snapshotVersion)
    let place = writer.count
    writer.u32(0)
    machine.writeSnapshot(to: &writer)
    writer.patch(UInt32(writer.count - place - 4), at: place)
    writer.u32(UInt32(effects.count))
    for (code, payload) in effects {
      writer.u32(code)
      payload.withUnsafeBytes { writer.blob($0) }
    }
    writer.u32(UInt32(consumedAtSeals.count))
    for (epoch, numbers) in consumedAtSeals.sorted(by: { $0.key < $1.key }) {
      epoch.write(to: &writer)
      writer.u32(UInt32(numbers.count))
      for (source, number) in numbers.sorted(by: { $0.key < $1.key }) {
        source.write(to: &writer)
        writer.u64(number)
      }
    }
    Self.write(sent.mapValues(\.log), to: &writer)
    Self.write(consumed, to: &writer)
  }

  private static func write(_ logs: [MachineID: MessageLog], to writer: inout ByteWriter) {
    writer.u32(UInt32(logs.count))
    for (machine, log) in logs.sorted(by: { $0.key < $1.key }) {
      machine.write(to: &writer)
      log.write(to: &writer)
    }
  }

  private static func logs(from reader: inout ByteReader) -> [MachineID: MessageLog] {
    var logs: [MachineID: MessageLog] = [:]
    for _ in 0..<reader.itemCount(minimumSize: 24) {
      let machine = MachineID(from: &reader)
      logs[machine] = MessageLog(from: &reader)
    }
    return logs
  }

  /// - Throws: `SavedStateError` for what this build cannot read, or another market's.
  public func restore(from reader: inout ByteReader) throws {
    let version = reader.u16()
    guard version == Self.layoutVersion, MachineID(from: &reader) == id else {
      throw SavedStateError(machine: id, reason: "it is of layout version \(version), or of another machine")
    }
    let position = JournalPosition(from: &reader)
    let market = try MarketDefinition(decoding: reader.blob())
    let firstSequence = SequenceNumber(from: &reader)
    let firstEpoch = Epoch(from: &reader)
    let entries = reader.u64()
    let start = StreamNumbers(from: &reader)
    let machineVersion = reader.u16()
    let bytes = [UInt8](reader.blob())
    var effects: [(code: UInt32, payload: [UInt8])] = []
    for _ in 0..<reader.itemCount(minimumSize: 8) { effects.append((reader.u32(), [UInt8](reader.blob()))) }
    var consumedAtSeals: [Epoch: [MachineID: UInt64]] = [:]
    for _ in 0..<reader.itemCount(minimumSize: 8) {
      let epoch = Epoch(from: &reader)
      for _ in 0..<reader.itemCount(minimumSize: 12) {
        let source = MachineID(from: &reader)
        consumedAtSeals[epoch, default: [:]][source] = reader.u64()
      }
    }
    let sent = Self.logs(from: &reader)
    let consumed = Self.logs(from: &reader)
    guard !reader.hasFailed else { throw SavedStateError(machine: id, reason: "it is malformed") }
    var known = market
    known.instruments.removeLast(max(0, known.instruments.count - genesis.instruments.count))
    guard known == genesis else { throw SavedStateError(machine: id, reason: "it is of another market") }
    try begin(with: JournalSnapshot(position: position, version: machineVersion, bytes: bytes))
    learn(market)
    self.firstSequence = firstSequence
    self.firstEpoch = firstEpoch
    self.entries = entries
    self.start = start
    self.effects = effects
    self.consumedAtSeals = consumedAtSeals
    self.sent = sent.mapValues { SentMessages(log: $0) }
    self.consumed = consumed
    awaited = nil
  }
}

/// What was saved of a re-execution and cannot be gone on from.
public struct SavedStateError: Error, Sendable, CustomStringConvertible {
  public var machine: MachineID
  public var reason: String
  public init(machine: MachineID, reason: String) {
    self.machine = machine
    self.reason = reason
  }
  public var description: String { "\(machine): the saved state cannot be gone on from: \(reason)" }
}
