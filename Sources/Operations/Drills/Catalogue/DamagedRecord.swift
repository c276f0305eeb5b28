import Cluster
import Foundation
import Journal
import Machine
import Market

/// A bit of a journal's middle turns over while nobody looks.
struct DamagedRecord: Drill {
  let name = "damaged-record"
  let what =
    "a bit in the middle of a shard's journal is flipped while its process is down: it refuses to serve and names the "
    + "entry, the other nodes trade on, and a copy put back heals it"

  private static let machine = MachineID.shard(ShardID(0))
  private static let refusalSeconds = 2.0

  func run(in stage: DrillStage) throws {
    let cluster = stage.cluster
    guard let own = cluster.own, let node = cluster.map.node(hosting: Self.machine)?.name,
      let process = cluster.process(of: node)
    else { return }
    let journal = "\(cluster.map.journalDirectory(of: Self.machine))/data.mdb"
    let copy = "\(stage.directory.path).journal-copy"
    stage.cleanUpLater("the copy") { unlink(copy) }
    stage.healLater("letting \(node) start") { own.supervisor.hold(node, false) }
    var damaged: UInt64 = 0
    var flips: Int64 = 0
    var refusals = 0
    let refusedBefore = cluster.logLines(of: node, with: "damaged at sequence")
    var fault = try stage.begin("a bit of \(Self.machine)'s journal is flipped") {
      own.supervisor.hold(node)
      kill(process, SIGKILL)
      try stage.wait("\(node) does not end", seconds: 10) { cluster.process(of: node) == nil }
      try FileManager.default.copyItem(atPath: journal, toPath: copy)
      (damaged, flips) = try flip(journal, cluster)
      own.supervisor.hold(node, false)
      try stage.wait("\(node) does not refuse its damaged journal", seconds: 15) {
        refusals = cluster.logLines(of: node, with: "damaged at sequence \(damaged)")
        return refusals > 0
      }
      try stage.pause(Self.refusalSeconds)
      stage.expect(
        cluster.status(of: Self.machine) == nil, "\(Self.machine) serves from a damaged journal")
      own.supervisor.hold(node)
      try stage.wait("\(node) does not end", seconds: 30) { cluster.process(of: node) == nil }
    }
    let told = cluster.logLines(of: node, with: "damaged at sequence") - refusedBefore
    try stage.end(&fault) {
      try FileOverwriting.overwrite(journal, with: copy)
      own.supervisor.hold(node, false)
    }
    stage.prove(
      fault,
      [
        "bits_flipped": flips, "damaged_sequence": Int64(damaged), "refusals_that_name_it": Int64(refusals),
        "refusals": Int64(told),
      ])
    let others = (0..<cluster.map.shardCount).filter { !cluster.shards(of: node).contains($0) }
    for shard in others {
      stage.expect(
        stage.options.isDisarmed || stage.accepted(during: fault, shards: [shard]) > 0,
        "shard \(shard), on another node, took no orders")
    }
    try stage.recover(fault)
  }

  /// Flips a bit in the payload of the middle one of the journal's actions, wherever the file holds it.
  private func flip(_ journal: String, _ cluster: DrillCluster) throws -> (sequence: UInt64, flips: Int64) {
    let reader = try JournalReader(directory: cluster.map.journalDirectory(of: Self.machine), machine: Self.machine)
    var actions: [(sequence: UInt64, payload: Data)] = []
    try reader.forEachEntry(from: SequenceNumber(1)) { header, payload in
      if header.kind == .action { actions.append((header.sequence.rawValue, Data(payload))) }
      return true
    }
    guard !actions.isEmpty else { throw SupervisionError(what: journal, reason: "it holds no action yet") }
    let victim = actions[actions.count / 2]
    let bytes = try Data(contentsOf: URL(fileURLWithPath: journal))
    let descriptor = open(journal, O_RDWR | O_CLOEXEC)
    defer { close(descriptor) }
    var flips: Int64 = 0
    var place = bytes.startIndex
    while let found = bytes.range(of: victim.payload, in: place..<bytes.endIndex) {
      let offset = found.lowerBound + victim.payload.count / 2
      var byte = bytes[offset] ^ 0x10
      guard pwrite(descriptor, &byte, 1, off_t(offset)) == 1 else {
        throw SupervisionError(what: journal, reason: String(cString: strerror(errno)))
      }
      flips += 1
      place = found.upperBound
    }
    fsync(descriptor)
    return (victim.sequence, flips)
  }
}
