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
    if directories.count == 1 { return try JournalReader(directory: directories[0], machine: machine) }
    return try bestCopy(after: position)?.reader
  }

  private typealias Copy = (directory: String, reader: JournalReader, term: Term, sequence: SequenceNumber)

  private func bestCopy(after position: JournalPosition) throws -> Copy? {
    let directories = directories.withLock { $0 }
    var best: Copy?
    for directory in directories {
      guard FileManager.default.fileExists(atPath: "\(directory)/data.mdb"),
        let reader = try? JournalReader(directory: directory, machine: machine), let end = try reader.end(),
        end.sequence >= position.sequence
      else { continue }
      if position.sequence.rawValue > 0, try reader.link(endingAt: position.sequence) != position.chainHead { continue }
      if let found = best, (found.term, found.sequence) >= (end.term, end.sequence) { continue }
      best = (directory, reader, end.term, end.sequence)
    }
    return best
  }
}
