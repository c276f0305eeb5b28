import Foundation
import Journal
import Market

/// The journals of a data directory, whether its cluster runs or not, found by where they lie: one directory a machine
/// under `journal/`.
public struct JournalShelf {
  let dataDirectory: String
  private let path: String
  /// The machines that have a journal here: shards in order, then risk, then settlement.
  public let machines: [MachineID]

  /// - Throws: `CommandMistake` if there are no journals there.
  public init(dataDirectory: String) throws {
    self.dataDirectory = dataDirectory
    path = "\(dataDirectory)/journal"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    machines = names.compactMap(Self.machine(of:)).sorted()
    if machines.isEmpty {
      throw CommandMistake("\(path): no journals here; name a cluster's data directory with --data")
    }
  }

  /// The machine of a journal's directory name.
  private static func machine(of name: String) -> MachineID? {
    switch name {
    case "risk": .risk
    case "settlement": .settlement
    default: name.wholeMatch(of: /shard-([0-9]+)/).flatMap { UInt16($0.1) }.map { .shard(ShardID($0)) }
    }
  }

  /// The machine of that name, such as `shard-0` or `risk`.
  public func machine(named name: String) throws -> MachineID {
    if let machine = machines.first(where: { "\($0)" == name }) { return machine }
    throw CommandMistake(
      "\(name): no such journal in \(path); there are \(machines.map { "\($0)" }.joined(separator: ", "))")
  }

  /// Opens a machine's journal for reading; another process may be writing it.
  public func reader(of machine: MachineID) throws -> JournalReader {
    try JournalReader(directory: directory(of: machine), machine: machine)
  }

  /// Where a machine's journal lies.
  func directory(of machine: MachineID) -> String { "\(path)/\(machine)" }
}
