import Bytes
import Cluster
import Foundation
import Journal
import Machine
import Market

/// What every journal of a cluster holds.
public struct JournalList: CommandReport {
  struct Snapshot: Encodable {
    var sequence: UInt64
    var bytes: UInt64
    var version: UInt16
    var isGood: Bool
    var isVerified: Bool
  }
  struct Journal: Encodable {
    var machine: String
    var entries: Int
    var batches: Int
    var firstSequence: UInt64
    var lastSequence: UInt64
    var lastStamp: String
    var lastTerm: UInt32
    var chainHead: String
    var snapshots: [Snapshot]
    var outboxChunks: Int
    var bytesUsed: Int
    var mapSize: Int
  }
  /// An input that is kept from its machine.
  struct KeptInput: Encodable {
    var machine: String
    var kind: String
    /// Of a message: whose stream, and its number there.
    var source: String?
    var firstNumber: UInt64?
    /// SHA-256 of its bytes, of an action without its gateway's session.
    var digest: String
    var deaths: UInt32
    var decided: String

    init(_ quarantine: Quarantine) {
      machine = "\(quarantine.machine)"
      kind = "\(quarantine.kind)"
      if quarantine.kind == .stream { (source, firstNumber) = ("\(quarantine.source)", quarantine.firstNumber) }
      digest = "\(quarantine.digest)"
      deaths = quarantine.deaths
      decided = quarantine.decided.iso8601
    }
  }
  var journals: [Journal] = []
  var quarantined: [KeptInput] = []

  /// - Throws: `CommandMistake` if no cluster was opened there, `JournalError` if a journal cannot be read.
  public init(dataDirectory: String) throws {
    let shelf = try JournalShelf(dataDirectory: dataDirectory)
    for copy in shelf.copies {
      let overview = try JournalReader(directory: copy.directory, machine: copy.machine).overview()
      journals.append(
        Journal(
          machine: copy.name, entries: overview.entries, batches: overview.batches,
          firstSequence: overview.firstSequence.rawValue, lastSequence: overview.lastSequence.rawValue,
          lastStamp: overview.lastStamp.iso8601, lastTerm: overview.lastTerm.rawValue,
          chainHead: overview.chainHead.description,
          snapshots: overview.snapshots.map {
            Snapshot(
              sequence: $0.sequence.rawValue, bytes: $0.byteCount, version: $0.version, isGood: $0.isGood,
              isVerified: $0.isVerified)
          }, outboxChunks: overview.outboxChunks, bytesUsed: overview.bytesUsed, mapSize: overview.mapSize))
    }
    let quarantines = QuarantineShelf(dataDirectory: dataDirectory)
    for machine in Set(shelf.copies.map(\.machine)).sorted() {
      quarantined += try quarantines.quarantines(of: machine).map { KeptInput($0) }
    }
  }

  public var text: String {
    var table = TextTable([
      "journal", "entries", "first", "last", "term", "last stamp", "snapshots", "outbox", "used MiB", "%",
    ])
    for journal in journals {
      let snapshots = journal.snapshots.map {
        "\($0.sequence)\($0.isGood ? $0.isVerified ? " verified" : "" : " DAMAGED")"
      }
      table.add([
        journal.machine, "\(journal.entries)", "\(journal.firstSequence)", "\(journal.lastSequence)",
        "\(journal.lastTerm)", journal.lastStamp,
        snapshots.isEmpty ? "-" : snapshots.joined(separator: ", "), "\(journal.outboxChunks)",
        "\(journal.bytesUsed >> 20)", String(format: "%.1f", 100 * Double(journal.bytesUsed) / Double(journal.mapSize)),
      ])
    }
    let kept = quarantined.map { input in
      let place = input.firstNumber.map { " \($0) from \(input.source ?? "")" } ?? ""
      return
        "\nin quarantine at \(input.machine): \(input.kind)\(place), \(input.digest), after \(input.deaths) deaths, "
        + input.decided
    }
    return table.text + kept.joined()
  }
}

/// Some entries of a journal.
public struct JournalExcerpt: CommandReport {
  var machine: String
  var lastSequence: UInt64
  var entries: [EntrySummary] = []

  /// - Parameters:
  ///   - from: First entry; `nil` for the last `count` ones.
  ///   - count: Most entries.
  public init(_ name: String, from: UInt64?, count: Int, withPayload: Bool, dataDirectory: String) throws {
    let shelf = try JournalShelf(dataDirectory: dataDirectory)
    let reader = try shelf.reader(named: name)
    machine = name
    lastSequence = try reader.lastSequence().rawValue
    if let from, from > lastSequence {
      throw CommandMistake("--from \(from): the journal of \(name) ends with entry \(lastSequence)")
    }
    let kept = try reader.base().sequence.next.rawValue
    if let from, from < kept {
      throw CommandMistake(
        "--from \(from): the journal of \(name) begins with entry \(kept); earlier ones were truncated")
    }
    let first = max(kept, from ?? (lastSequence >= UInt64(count) ? lastSequence - UInt64(count) + 1 : 1))
    var entries: [EntrySummary] = []
    try reader.forEachEntry(from: SequenceNumber(first)) { header, payload in
      entries.append(EntrySummary(header, payload, withPayload: withPayload))
      return entries.count < count
    }
    self.entries = entries
  }

  public var text: String {
    entries.map { entry in
      let source = entry.source.map { " from \($0)" } ?? ""
      let line = "\(entry.sequence)  \(entry.stamp)  term \(entry.term)  \(entry.kind)\(source): \(entry.says)"
      return entry.payload.map { "\(line)\n    \($0)" } ?? line
    }.joined(separator: "\n")
  }
}
