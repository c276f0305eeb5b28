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
    Self.furthest(copies())?.directory ?? directories.withLock { $0[0] }
  }

  /// The copy to read on from `position`; `nil` if none holds it.
  func best(after position: JournalPosition) throws -> JournalReader? {
    if let only = try only() { return try position.isBeginning && !only.base().isBeginning ? nil : only }
    return try bestCopy(after: position)?.reader
  }

  /// Whether the copies hold every entry from the first on, or there are none yet.
  public func isWhole() throws -> Bool {
    if let only = try only() { return try only.base().isBeginning }
    let copies = try connected()
    return try copies.isEmpty || copies.contains { try $0.reader.base().isBeginning }
  }

  /// Where to begin when no copy holds the first entry any more: the earliest verified snapshot that has all entries
  /// after it beside it, and the next one of the same copy; `nil` if there is none.
  func earliestSnapshot() throws -> (reader: JournalReader, snapshot: JournalSnapshot, next: JournalSnapshot?)? {
    var earliest: (reader: JournalReader, labels: ArraySlice<JournalSnapshot.Label>)?
    for copy in try connected() {
      let base = try copy.reader.base().sequence
      let labels = try copy.reader.snapshots()[...].drop { !$0.isVerified || $0.sequence < base }
      guard let first = labels.first else { continue }
      if let found = earliest?.labels.first, found.sequence <= first.sequence { continue }
      earliest = (copy.reader, labels)
    }
    guard let (reader, labels) = earliest, let first = labels.first,
      let snapshot = try reader.snapshot(at: first.sequence)
    else { return nil }
    let next = labels.dropFirst().first { $0.isVerified }
    return (reader, snapshot, try next.flatMap { try reader.snapshot(at: $0.sequence) })
  }

  /// The journal of a machine that has one place only: what keeps it from being read is told.
  private func only() throws -> JournalReader? {
    let directories = directories.withLock { $0 }
    return directories.count == 1 ? try JournalReader(directory: directories[0], machine: machine) : nil
  }

  private typealias Copy = (directory: String, reader: JournalReader, term: Term, sequence: SequenceNumber)

  private func copies() -> [Copy] {
    directories.withLock { $0 }.compactMap { directory in
      guard FileManager.default.fileExists(atPath: "\(directory)/data.mdb"),
        let reader = try? JournalReader(directory: directory, machine: machine), let end = try? reader.end()
      else { return nil }
      return (directory, reader, end.term, end.sequence)
    }
  }

  private static func furthest(_ copies: [Copy]) -> Copy? {
    copies.max { ($0.term, $0.sequence) < ($1.term, $1.sequence) }
  }

  /// The copy that has come furthest, and those that reach as far as its first entry: from one of them on it can be
  /// walked to its end.
  private func connected() throws -> [Copy] {
    let copies = copies()
    guard let furthest = Self.furthest(copies) else { return [] }
    let base = try furthest.reader.base()
    return try copies.filter { copy in
      try copy.directory == furthest.directory || base.isBeginning
        || copy.reader.link(endingAt: base.sequence) == base.chainHead
    }
  }

  private func bestCopy(after position: JournalPosition) throws -> Copy? {
    if position.isBeginning { return Self.furthest(try connected().filter { try $0.reader.base().isBeginning }) }
    return try Self.furthest(
      copies().filter { copy in
        try copy.sequence >= position.sequence && copy.reader.link(endingAt: position.sequence) == position.chainHead
      })
  }
}
