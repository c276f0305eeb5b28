import Foundation
import Market

/// Where things lie in etcd: `/novation/CLUSTER/machines/shard-3`, and, leased, `/novation/CLUSTER/nodes/matcher-1`.
struct EtcdKeys: Sendable {
  let prefix: String

  init(cluster: String) { prefix = "/novation/\(cluster)/" }

  /// What a key is about.
  enum Subject: Equatable {
    case machine(MachineID)
    case node(String)
    /// Somebody else's.
    case other
  }

  func machine(_ machine: MachineID) -> Data { Data("\(prefix)machines/\(machine)".utf8) }
  func node(_ node: String) -> Data { Data("\(prefix)nodes/\(node)".utf8) }

  /// The range of all keys of the cluster.
  var all: (key: Data, end: Data) {
    // The key after the last that begins with the prefix: '/' with the byte after it in its place.
    (Data(prefix.utf8), Data((prefix.dropLast() + "0").utf8))
  }

  func subject(of key: Data) -> Subject {
    let text = String(decoding: key, as: UTF8.self)
    if text.hasPrefix("\(prefix)machines/") {
      return MachineID(name: String(text.dropFirst(prefix.count + 9))).map { .machine($0) } ?? .other
    }
    if text.hasPrefix("\(prefix)nodes/") { return .node(String(text.dropFirst(prefix.count + 6))) }
    return .other
  }

  /// The record that a key holds.
  /// - Throws: a text that says what is wrong with it.
  func record(of machine: MachineID, _ pair: EtcdMessages.KeyValue) throws(AuthorityError) -> Ownership {
    let place = String(decoding: pair.key, as: UTF8.self)
    guard let value = try? JSONDecoder().decode(EtcdMessages.Record.self, from: pair.value ?? Data()) else {
      let reason = "not a record {term, owner, in_sync}: "
      throw .malformed(
        authority: "etcd", place: place,
        reason: reason + String(decoding: (pair.value ?? Data()).prefix(100), as: UTF8.self))
    }
    let record = Ownership(
      machine: machine, term: Term(value.term), owner: value.owner, inSync: value.in_sync,
      revision: UInt64(clamping: pair.mod_revision?.value ?? 0))
    if let problem = record.problem { throw .malformed(authority: "etcd", place: place, reason: problem) }
    return record
  }
}
