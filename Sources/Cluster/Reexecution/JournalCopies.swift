import Foundation
import Journal
import Market
import Synchronization

/// The journals of all copies of a machine: whoever re-executes it reads the one that goes on from where it stands, and
/// of several the one of the latest term. What only a former owner has, and nobody was told, is never of the latest.
public final class JournalCopies: Sendable {
  public let machine: MachineID
  private let directories: Mutex<[String]>

  public init(of machine: MachineID, in directories: [String]) {
    self.machine = machine
    self.directories = Mutex(directories)
  }

  /// Copies lie elsewhere now.
  public func update(_ directories: [String]) { self.directories.withLock { $0 = directories } }

  /// Where the copy lies that has come furthest; the first one's place if there is none yet.
  public func latest() throws -> String {
    try bestCopy(after: JournalPosition())?.directory ?? directories.withLock { $0[0] }
  }

  /// The copy to read on from `position`; `nil` if none holds it.
  func best(after position: JournalPosition) throws -> JournalReader? {
    let directories = directories.withLock { $0 }
    guard directories.count == 1 else { return try bestCopy(after: position)?.reader }
    let only = try JournalReader(directory: directories[0], machine: machine)
    return try position.isBeginning && !only.base().isBeginning ? nil : only
  }

  private typealias Copy = (directory: String, reader: JournalReader, term: Term, sequence: SequenceNumber)

  /// Where to begin when no copy holds the first entry any more: the earliest verified snapshot that has all entries
  /// after it beside it, and the next one of the same copy; `nil` if there is none.
  func earliestSnapshot() throws -> (reader: JournalReader, snapshot: JournalSnapshot, next: JournalSnapshot?)? {
    var earliest: (reader: JournalReader, labels: ArraySlice<JournalSnapshot.Label>)?
    for directory in directories.withLock({ $0 }) {
      guard FileManager.default.fileExists(atPath: "\(directory)/data.mdb") else { continue }
      let reader = try JournalReader(directory: directory, machine: machine)
      let base = try reader.base().sequence
      let labels = try reader.snapshots()[...].drop { !$0.isVerified || $0.sequence < base }
      guard let first = labels.first else { continue }
      if let found = earliest?.labels.first, found.sequence <= first.sequence { continue }
      earliest = (reader, labels)
    }
    guard let (reader, labels) = earliest, let first = labels.first,
      let snapshot = try reader.snapshot(at: first.sequence)
    else { return nil }
    let next = labels.dropFirst().first { $0.isVerified }
    return (reader, snapshot, try next.flatMap { try reader.snapshot(at: $0.sequence) })
  }

  private func bestCopy(after position: JournalPosition) throws -> Copy? {
    let directories = directories.withLock { $0 }
    var best: Copy?
    for directory in directories {
      guard FileManager.default.fileExists(atPath: "\(directory)/data.mdb"),
        let reader = try? JournalReader(directory: directory, machine: machine), let end = try reader.end(),
        end.sequence >= position.sequence
      else { continue }
      if position.isBeginning, try !reader.base().isBeginning { continue }
      if !position.isBeginning, try reader.link(endingAt: position.sequence) != position.chainHead { continue }
      if let found = best, (found.term, found.sequence) >= (end.term, end.sequence) { continue }
      best = (directory, reader, end.term, end.sequence)
    }
    return best
  }
}
