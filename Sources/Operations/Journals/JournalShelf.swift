import Cluster
import Foundation
import Journal
import Market

/// The journals of a data directory, whether its cluster runs or not.
public struct JournalShelf {
  private let map: ClusterMap

  /// - Throws: `CommandMistake` if no cluster was opened there.
  public init(dataDirectory: String) throws { map = try ClusterMap.load(dataDirectory: dataDirectory) }

  /// The machines that have a journal here: shards in order, then risk, then settlement.
  public var machines: [MachineID] {
    let known = (0..<map.shardCount).map { MachineID.shard(ShardID(UInt16($0))) } + [.risk, .settlement]
    return known.filter { FileManager.default.fileExists(atPath: map.journalDirectory(of: $0)) }
  }

  /// The machine of that name, such as `shard-0` or `risk`.
  public func machine(named name: String) throws -> MachineID {
    if let machine = machines.first(where: { "\($0)" == name }) { return machine }
    let names = machines.map { "\($0)" }.joined(separator: ", ")
    throw CommandMistake(
      "\(name): no such journal in \(map.dataDirectory); there are \(names.isEmpty ? "none" : names)")
  }

  /// Opens a machine's journal for reading; another process may be writing it.
  public func reader(of machine: MachineID) throws -> JournalReader {
    try JournalReader(directory: map.journalDirectory(of: machine), machine: machine)
  }
}
