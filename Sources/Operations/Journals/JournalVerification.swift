import Bytes
import Foundation
import Journal
import Machine
import Market

/// Whether journals hold what they held when they were written: every entry's checksum and number, every commit
/// batch's link, every epoch's root, every snapshot.
public struct JournalVerification: CommandReport {
  struct Damage: Encodable {
    /// The first entry that is damaged; absent where it is not an entry.
    var sequence: UInt64?
    var reason: String
    /// The last commit batch that is whole: all up to its last entry can be trusted.
    var goodThrough: UInt64
    var waysOut: [String]
  }
  struct Journal: Encodable {
    var machine: String
    /// The first entry there is: not 1 once the journal was truncated.
    var firstSequence: UInt64
    /// The entry from which on the machine's state is verified: the one after its earliest snapshot, where the journal
    /// was truncated. What came before is nobody's to check here.
    var fromSequence: UInt64
    /// What contradicts the state and the chain that a truncated journal begins with.
    var contradictions: [String]
    /// Entries and batches found whole.
    var entries: UInt64
    var batches: Int
    var epochs: Int
    var chainHead: String
    /// Last entries that the good snapshots cover.
    var goodSnapshots: [UInt64]
    var damagedSnapshots: [UInt64]
    var damage: Damage?
  }
  var journals: [Journal] = []

  public var isGood: Bool {
    journals.allSatisfy { $0.damage == nil && $0.damagedSnapshots.isEmpty && $0.contradictions.isEmpty }
  }

  /// - Parameter names: The machines whose journals are meant; empty for all.
  public init(_ names: [String], dataDirectory: String) throws {
    let shelf = try JournalShelf(dataDirectory: dataDirectory)
    let copies = names.isEmpty ? shelf.copies : try names.map { try shelf.copy(named: $0) }
    let coordinator = shelf.machines.contains(.settlement) ? try shelf.reader(of: .settlement) : nil
    for copy in copies {
      let reader = try JournalReader(directory: copy.directory, machine: copy.machine)
      var journal = try Self.verify(reader, copy.name)
      if journal.firstSequence > 1, journal.damage == nil {
        let base = try reader.base().sequence
        let state = try reader.snapshots().first { $0.sequence >= base }
        journal.fromSequence = (state?.sequence ?? base).next.rawValue
        journal.contradictions = try JournalBaseCheck.contradictions(reader, coordinator: coordinator)
      }
      journals.append(journal)
    }
  }

  private static func verify(_ reader: JournalReader, _ name: String) throws -> Journal {
    var result = Journal(
      machine: name, firstSequence: 1, fromSequence: 1, contradictions: [], entries: 0, batches: 0, epochs: 0,
      chainHead: "",
      goodSnapshots: [], damagedSnapshots: [], damage: nil)
    var position = JournalPosition()
    // The snapshots first: while the journal is being written, they end before the walk does.
    var failure: JournalError?
    do throws(JournalError) {
      position = try reader.base()
      result.firstSequence = position.sequence.next.rawValue
      for snapshot in try reader.overview().snapshots {
        if snapshot.isGood {
          result.goodSnapshots.append(snapshot.sequence.rawValue)
        } else {
          result.damagedSnapshots.append(snapshot.sequence.rawValue)
        }
      }
    } catch { failure = error }
    var unsoundSeal: SequenceNumber?
    while true {
      let before = position
      var batchEpochs = 0
      do throws(JournalError) {
        position = try reader.walk(from: position, batches: 1) { header, payload, before in
          guard header.kind == .seal else { return }
          batchEpochs += 1
          let seal = try? Seal(decoding: payload)
          if seal.map({ $0.entryRoot != before.entryRoot || $0.lastSequence != before.sequence }) ?? false {
            unsoundSeal = unsoundSeal ?? header.sequence
          }
        }
      } catch {
        failure = error
      }
      if position.sequence == before.sequence || unsoundSeal != nil { break }
      result.batches += 1
      result.epochs += batchEpochs
      result.entries = position.sequence.rawValue + 1 - result.firstSequence
      failure = nil
    }
    result.chainHead = position.chainHead.description
    if let unsoundSeal {
      result.damage = damage(
        at: unsoundSeal, "the seal's root or range is not that of the epoch's entries", position, result)
    } else if case .damaged(_, let sequence, let reason)? = failure {
      result.damage = damage(at: sequence, reason, position, result)
    } else if let failure {
      result.damage = damage(at: nil, "\(failure)", position, result)
    }
    return result
  }

  private static func damage(
    at sequence: SequenceNumber?, _ reason: String, _ position: JournalPosition, _ journal: Journal
  ) -> Damage {
    let good = position.sequence.rawValue
    var ways = [
      "put a copy of this journal in its place that holds what this one held, a standby's or a verifier's: "
        + "'novation restore --machine \(journal.machine)'"
    ]
    if let snapshot = journal.goodSnapshots.last(where: { sequence.map { $0 } == nil || $0 >= sequence!.rawValue }) {
      ways.append(
        "the snapshot after entry \(snapshot) is good: the machine's state there does not need what is damaged")
    }
    ways.append("without a copy, entries after \(good) are lost to this machine: nothing may be served from it")
    return Damage(sequence: sequence?.rawValue, reason: reason, goodThrough: good, waysOut: ways)
  }

  public var text: String {
    journals.map { journal in
      var lines = [
        "\(journal.machine): \(journal.entries) entries in \(journal.batches) batches and \(journal.epochs) epochs "
          + "are whole, head \(journal.chainHead)"
      ]
      if journal.firstSequence > 1 {
        lines.append(
          "  truncated: it begins with entry \(journal.firstSequence), and the state is verified from entry "
            + "\(journal.fromSequence) on")
      }
      for contradiction in journal.contradictions { lines.append("  CONTRADICTED: \(contradiction)") }
      for snapshot in journal.damagedSnapshots { lines.append("  DAMAGED: the snapshot after entry \(snapshot)") }
      if let damage = journal.damage {
        let place = damage.sequence.map { "entry \($0)" } ?? "the journal"
        lines.append("  DAMAGED: \(place): \(damage.reason); all is good through entry \(damage.goodThrough)")
        for way in damage.waysOut { lines.append("    - \(way)") }
      }
      return lines.joined(separator: "\n")
    }.joined(separator: "\n")
  }
}
