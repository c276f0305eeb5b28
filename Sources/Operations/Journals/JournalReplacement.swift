import Bytes
import Clearing
import Cluster
import Foundation
import Journal
import Machine
import Market
import Matching
import Settlement

/// Puts a copy of one journal in the place of one that is damaged or lost, in a stopped cluster. Only a copy that holds
/// all that the journal held is taken: an old one would forget what was acknowledged, and is refused.
public struct JournalReplacement: CommandReport {
  var machine: String
  var from: String
  var dataDirectory: String
  /// The last entry of the copy, and the last one that the machine is known to have had.
  var lastSequence: UInt64
  var knownSequence: UInt64
  /// Where the journal that lay there was put.
  var replaced: String?

  /// - Parameters:
  ///   - name: The machine, whose journal at home is meant, or one copy of it, such as `shard-0@matcher-1`.
  ///   - source: A backup, or a data directory with a copy of that machine's journal; of several, the one that has come
  ///     furthest is taken.
  public init(_ name: String, from source: String, dataDirectory: String) throws {
    let shelf = try JournalShelf(dataDirectory: dataDirectory)
    guard !shelf.isRunning else {
      throw CommandRefused("\(dataDirectory): a cluster runs there; stop it before a journal is replaced")
    }
    if FileManager.default.fileExists(atPath: "\(source)/\(BackupManifest.fileName)") {
      _ = try BackupManifest.load(source)
    }
    let (machine, target) = try Self.place(name, shelf)
    let copy = try JournalShelf(dataDirectory: source).copy(named: "\(machine)")
    let scratch = "\(dataDirectory)/journal/restoring-\(name)"
    try? FileManager.default.removeItem(atPath: scratch)
    try DurableFile.copy("\(copy.directory)/data.mdb", to: "\(scratch)/data.mdb", permissions: 0o600)
    do {
      let reader = try JournalReader(directory: scratch, machine: machine)
      let end: JournalPosition
      do throws(JournalError) {
        end = try reader.verifyChain()
      } catch { throw CommandRefused("the copy is damaged: \(error)") }
      let evidence = try JournalEvidence(of: machine, in: shelf)
      try evidence.check(reader, end)
      lastSequence = end.sequence.rawValue
      knownSequence = evidence.lastSequence.rawValue
    } catch {
      try? FileManager.default.removeItem(atPath: scratch)
      throw error
    }
    replaced = nil
    if FileManager.default.fileExists(atPath: target) {
      let aside = "\(dataDirectory)/journal/replaced-\(name)-\(Int(Date().timeIntervalSince1970))"
      try FileManager.default.moveItem(atPath: target, toPath: aside)
      replaced = aside
    }
    try FileManager.default.moveItem(atPath: scratch, toPath: target)
    try DurableFile.flush("\(dataDirectory)/journal")
    self.machine = name
    from = source
    self.dataDirectory = dataDirectory
  }

  /// The machine, and where the journal lies, or should lie, that is meant.
  private static func place(_ name: String, _ shelf: JournalShelf) throws -> (MachineID, String) {
    let machine = MachineID(name: String(name.prefix { $0 != "@" }))
    guard let machine else { return try (shelf.copy(named: name).machine, shelf.copy(named: name).directory) }
    guard "\(machine)" == name else {
      let copy = try shelf.copy(named: name)
      return (copy.machine, copy.directory)
    }
    let map = try? ClusterMap.load(dataDirectory: shelf.dataDirectory)
    let home = map.flatMap { map in map.node(hosting: machine).map { map.journalDirectory(of: machine, on: $0) } }
    return (machine, "\(shelf.dataDirectory)/journal/" + ((home ?? "\(machine)") as NSString).lastPathComponent)
  }

  public var text: String {
    var lines = ["\(machine): the copy with entries through \(lastSequence) is in place"]
    if let replaced { lines.append("what lay there before is in \(replaced)") }
    return lines.joined(separator: "\n")
  }
}

/// What is known of a journal without believing it: from what is left of it, and from the other machines.
private struct JournalEvidence {
  let machine: MachineID
  /// The last entry that it had, at least.
  private(set) var lastSequence = SequenceNumber(0)
  /// Links that it had, by the last entry of their batch.
  private var links: [(sequence: SequenceNumber, link: Digest)] = []
  /// What others have consumed of its stream, and what they have let go of because it was durable there.
  private var consumed: [MachineID: UInt64] = [:]
  private var acknowledged: [MachineID: UInt64] = [:]

  init(of machine: MachineID, in shelf: JournalShelf) throws {
    self.machine = machine
    readRemains(shelf)
    for other in shelf.machines where other != machine {
      let reader = try shelf.reader(of: other)
      consumed[other] = try Self.streams(of: other, reader).lastReceived(from: machine)
      if let first = try reader.firstOutboxNumber(for: machine) {
        acknowledged[other] = first - 1
      } else {
        acknowledged[other] = try Self.streams(of: other, reader).lastSent(to: machine)
      }
      if other == .settlement { try readCommitments(reader) }
    }
  }

  /// Of the machine's journals that lie there, the one to be replaced among them, as far as their ends can be read.
  private mutating func readRemains(_ shelf: JournalShelf) {
    for copy in shelf.copies where copy.machine == machine {
      guard let reader = try? JournalReader(directory: copy.directory, machine: machine),
        let last = try? reader.lastSequence(), last > lastSequence
      else { continue }
      lastSequence = last
      links = (try? reader.link(endingAt: last)).flatMap { $0 }.map { [(last, $0)] } ?? []
    }
  }

  /// What it has committed to before the coordinator.
  private mutating func readCommitments(_ reader: JournalReader) throws {
    var last: Seal?
    try reader.forEachEntry(from: reader.base().sequence.next) { header, payload in
      guard header.kind == .stream, header.source == machine else { return true }
      var messages = StreamMessages(header, payload)
      while var message = messages.next() {
        guard message.kind == .commitment else { continue }
        last = Commitment(from: &message.body).seal
      }
      return true
    }
    guard let last else { return }
    // The seal itself comes after the last entry that it names.
    lastSequence = max(lastSequence, last.lastSequence.next)
    links.append((last.lastSequence, last.chainHead))
  }

  private static func streams(of machine: MachineID, _ reader: JournalReader) throws -> StreamNumbers {
    func replay<M: Machine & ~Copyable>(_ type: M.Type) throws -> StreamNumbers {
      var replay = try MachineReplay<M>(reader, from: reader.latestSnapshot())
      try replay.advance(to: reader.lastSequence())
      return replay.machine.streams
    }
    return switch machine.kind {
    case .risk: try replay(RiskMachine.self)
    case .settlement: try replay(SettlementMachine.self)
    default: try replay(ShardMachine.self)
    }
  }

  /// Refuses a copy that holds less, or another history.
  func check(_ copy: JournalReader, _ end: JournalPosition) throws {
    guard end.sequence >= lastSequence else {
      throw CommandRefused(
        "an old copy: it ends with entry \(end.sequence), and the journal of \(machine) had entry \(lastSequence)")
    }
    for (sequence, link) in links where try copy.link(endingAt: sequence) != link {
      throw CommandRefused(
        "another history: the copy has not the link that the journal of \(machine) had after entry \(sequence)")
    }
    let streams = try Self.streams(of: machine, copy)
    for (other, number) in consumed.sorted(by: { $0.key < $1.key }) where streams.lastSent(to: other) < number {
      throw CommandRefused(
        "an old copy: it ends with message \(streams.lastSent(to: other)) to \(other), which has consumed \(number)")
    }
    for (other, number) in acknowledged.sorted(by: { $0.key < $1.key })
    where streams.lastReceived(from: other) < number {
      throw CommandRefused(
        "an old copy: it ends with message \(streams.lastReceived(from: other)) of \(other), and \(machine) had "
          + "acknowledged \(number)")
    }
  }
}
