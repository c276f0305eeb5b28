import Bytes
import Cluster
import Cryptography
import Foundation
import Journal
import Logging
import Machine
import Market

/// Counts of what inputs processes have died, and keeps an input from its machine once it has cost too many.
///
/// A process that dies by a signal of its own (an illegal instruction, a fault) leaves a note beside each journal of
/// what its machine was applying. A kill from outside says nothing about an input, and is not counted. Used from one
/// thread.
final class PoisonWatch {
  /// What the same input is recognised by: its bytes, however often it is sent and at whatever sequence it arrives.
  private struct Suspect: Hashable {
    var machine: MachineID
    var kind: InputKind
    var source: MachineID
    var firstNumber: UInt64
    var digest: Digest
  }
  /// A death that no quarantine can prevent.
  private struct Place: Hashable {
    var machine: MachineID
    var sequence: SequenceNumber
  }

  private let limit: Int
  private let parameters: MarketParameters
  private let log: Logger
  private var deaths: [Suspect: Int] = [:]
  private var deathsOfEntries: [Place: Int] = [:]

  /// - Parameter limit: deaths after which an input is kept from its machine.
  init(limit: Int, market: MarketDefinition, log: Logger) {
    self.limit = limit
    parameters = market.parameters
    self.log = log
  }

  /// The process of a node has ended, by a signal of its own or not. What it noted counts once: its successor may die
  /// before it has opened its journals.
  func ended(_ node: ClusterMap.Node, isFault: Bool, in map: ClusterMap) {
    for machine in (node.hosts + (node.standbys ?? [])).compactMap({ MachineID(name: $0) }) {
      let directory = map.journalDirectory(of: machine, on: node)
      guard let note = InputNote.read(journalDirectory: directory), !note.isCounted else { continue }
      InputNote.markCounted(journalDirectory: directory)
      if isFault { judge(note, machine, node.name, map) }
    }
  }

  private func judge(_ note: NotedInput, _ machine: MachineID, _ node: String, _ map: ClusterMap) {
    var metadata: Logger.Metadata = [
      "machine": "\(machine)", "process": "\(node)", "sequence": "\(note.sequence)", "kind": "\(note.kind)",
    ]
    guard note.stage == .taken else { return judgeEntry(note, machine, metadata) }
    guard Quarantine.isPossible(for: note.kind), !note.isSeveralMessages, let payload = note.payload else {
      // Of several messages the next death tells which.
      return log.warning("died while it applied an input", metadata: metadata)
    }
    let digest = payload.withUnsafeBytes { QuarantineDigest.digest(of: note.kind, $0) }
    let suspect = Suspect(
      machine: machine, kind: note.kind, source: note.source, firstNumber: note.firstNumber, digest: digest)
    deaths[suspect, default: 0] += 1
    let count = deaths[suspect]!
    metadata["digest"] = "\(digest)"
    metadata["deaths"] = "\(count) of \(limit)"
    log.warning("died while it applied an input", metadata: metadata)
    guard count >= limit else { return }
    do {
      let directory = map.keyDirectory(of: ClusterDirectory.operatorName)
      try keep(suspect, deaths: count, by: OperatorKey.load(directory: directory), map)
      log.critical("put in quarantine", metadata: metadata)
    } catch {
      metadata["reason"] = "\(error)"
      log.critical("cannot put in quarantine", metadata: metadata)
    }
  }

  private func keep(_ suspect: Suspect, deaths: Int, by key: PrivateKey, _ map: ClusterMap) throws {
    let shelf = QuarantineShelf(dataDirectory: map.dataDirectory)
    let isKept = try shelf.quarantines(of: suspect.machine).contains {
      $0.digest == suspect.digest && $0.source == suspect.source && $0.firstNumber == suspect.firstNumber
        && $0.kind == suspect.kind
    }
    if isKept { return }
    let quarantine = Quarantine(
      machine: suspect.machine, kind: suspect.kind, source: suspect.source, firstNumber: suspect.firstNumber,
      digest: suspect.digest, deaths: UInt32(clamping: deaths), decided: MachineClock.wall(),
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0))
    try shelf.add(QuarantineDigest(parameters).signed(quarantine, by: key))
  }

  /// What a journal holds has been applied once, and told: leaving it out would make another history.
  private func judgeEntry(_ note: NotedInput, _ machine: MachineID, _ metadata: Logger.Metadata) {
    let place = Place(machine: machine, sequence: note.sequence)
    deathsOfEntries[place, default: 0] += 1
    var metadata = metadata
    metadata["deaths"] = "\(deathsOfEntries[place]!)"
    metadata["ways_out"] = "the build that wrote the entry; a snapshot after it"
    log.critical("dies of an entry that has been applied before", metadata: metadata)
  }
}
