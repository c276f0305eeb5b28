import Cluster
import Foundation
import Journal
import Market

/// The journals of a data directory, whether its cluster runs or not, found by where they lie: `journal/shard-0`, and
/// `journal/shard-0@matcher-1` for the copy that another node holds, or held.
public struct JournalShelf {
  /// One copy of a machine's journal.
  struct Copy {
    /// The name of its directory.
    var name: String
    var machine: MachineID
    var directory: String
  }

  let dataDirectory: String
  private let path: String
  /// In order of machine: shards, then risk, then settlement; of one machine, that at its first home first.
  let copies: [Copy]
  /// The machines that have a journal here, in the same order.
  public let machines: [MachineID]

  /// - Throws: `CommandMistake` if there are no journals there.
  public init(dataDirectory: String) throws {
    self.dataDirectory = dataDirectory
    let path = "\(dataDirectory)/journal"
    self.path = path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    copies = names.compactMap { name in
      Self.machine(of: name).map { Copy(name: name, machine: $0, directory: "\(path)/\(name)") }
    }.sorted { ($0.machine, $0.name) < ($1.machine, $1.name) }
    machines = Set(copies.map(\.machine)).sorted()
    if machines.isEmpty {
      throw CommandMistake("\(path): no journals here; name a cluster's data directory with --data")
    }
  }

  /// The machine of a journal's directory name.
  private static func machine(of name: String) -> MachineID? {
    let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 1 || parts[1].wholeMatch(of: /[a-z]+(-[a-z0-9]+)*/) != nil,
      let machine = MachineID(name: String(parts[0]))
    else { return nil }
    return machine.shard != nil || machine == .risk || machine == .settlement ? machine : nil
  }

  /// What is meant by a name: `shard-0` or `risk`, of whose copies it is the one that has come furthest; or one copy,
  /// such as `shard-0@matcher-1`.
  func copy(named name: String) throws -> Copy {
    if let machine = machines.first(where: { "\($0)" == name }) {
      return Copy(name: name, machine: machine, directory: try directory(of: machine))
    }
    if let copy = copies.first(where: { $0.name == name }) { return copy }
    throw CommandMistake("\(name): no such journal in \(path); there are \(copies.map(\.name).joined(separator: ", "))")
  }

  /// Opens what is meant by a name, for reading; another process may be writing it.
  func reader(named name: String) throws -> JournalReader {
    let copy = try copy(named: name)
    return try JournalReader(directory: copy.directory, machine: copy.machine)
  }

  /// Opens the journal of a machine, of several copies the one that has come furthest, for reading; another process may
  /// be writing it.
  public func reader(of machine: MachineID) throws -> JournalReader {
    try JournalReader(directory: directory(of: machine), machine: machine)
  }

  /// Where a machine's journal lies, of several copies the one of the latest term that has come furthest.
  func directory(of machine: MachineID) throws -> String {
    let directories = copies.filter { $0.machine == machine }.map(\.directory)
    if directories.count == 1 { return directories[0] }
    return directories.isEmpty ? "\(path)/\(machine)" : try JournalCopies(of: machine, in: directories).latest()
  }
}
