import Clearing
import Cluster
import Foundation
import Journal
import Machine
import Market
import Matching
import Operations
import Settlement
import SettlementNode
import Testing

/// `novation backup` and `novation restore`, on a cluster that trades on in this process meanwhile.
@Suite struct JournalBackupTests {
  private static func object(_ report: some CommandReport) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
  }

  private static func number(_ report: some CommandReport, _ key: String) throws -> Int {
    try #require(try object(report)[key] as? Int)
  }

  /// A cluster that has traded, with a backup made while it went on, and the directories for what comes of it.
  private final class Scene {
    let cluster: InProcessCluster
    let backup: String
    let restored: String
    private var day = TradingDay(seed: 5)

    init() throws {
      cluster = try InProcessCluster()
      backup = "\(cluster.path)-backup"
      restored = "\(cluster.path)-restored"
      try day.open(cluster)
      try trade(actions: 30)
    }

    deinit { for path in [cluster.path, backup, restored] { InProcessCluster.remove(path) } }

    /// Trades, and lets every producer forget what its consumers have, as a host does.
    func trade(actions: Int) throws {
      for _ in 0..<actions {
        try day.trade(cluster, actions: 1)
        try trim()
      }
    }

    private func trim() throws {
      func trim(_ journal: Journal, _ consumers: [(MachineID, UInt64)]) throws {
        try journal.begin()
        for (consumer, number) in consumers { try journal.trimOutbox(destination: consumer, through: number) }
        try journal.commit()
      }
      let risk = cluster.risk.read { $0.streams }
      let settlement = cluster.settlement.read { $0.streams }
      for shard in cluster.shards {
        try shard.turn()
        let id = shard.id
        try trim(
          shard.sequencer.journal,
          [(.risk, risk.lastReceived(from: id)), (.settlement, settlement.lastReceived(from: id))])
      }
      try cluster.risk.turn()
      try trim(
        cluster.risk.sequencer.journal,
        cluster.shards.map { shard in (shard.id, shard.read { $0.streams.lastReceived(from: .risk) }) }
          + [(.settlement, settlement.lastReceived(from: .risk))])
      try cluster.settlement.turn()
      try trim(cluster.settlement.sequencer.journal, [(.risk, risk.lastReceived(from: .settlement))])
    }

    /// Makes the backup on a thread of its own, with trading until it is done and for a while after.
    func makeBackup() throws -> ClusterBackup {
      let (data, target) = (cluster.path, backup)
      let done = DispatchSemaphore(value: 0)
      nonisolated(unsafe) var made: Result<ClusterBackup, any Error>?
      Thread.detachNewThread {
        made = Result { try ClusterBackup(dataDirectory: data, to: target) }
        done.signal()
      }
      while done.wait(timeout: .now()) != .success { try trade(actions: 1) }
      try trade(actions: 20)
      return try made!.get()
    }
  }

  @Test func aBackupOfATradingClusterIsRestoredToTheEndOfOneEpochWithEveryStreamWhole() throws {
    let scene = try Scene()
    let backup = try scene.makeBackup()
    #expect(try Self.object(backup)["was_stopped"] as? Bool == false)
    let restore = try ClusterRestore(from: scene.backup, dataDirectory: scene.restored)
    let epoch = Epoch(UInt32(try Self.number(restore, "epoch")))
    let machines = try #require(try Self.object(restore)["machines"] as? [[String: Any]])
    #expect(machines.count == 4)
    #expect(machines.contains { ($0["left_out"] as? Int ?? 0) > 0 })
    #expect(machines.contains { ($0["rebuilt_messages"] as? Int ?? 0) > 0 })

    let shelf = try JournalShelf(dataDirectory: scene.restored)
    for machine in shelf.machines {
      let reader = try shelf.reader(of: machine)
      #expect(try reader.lastSeal()?.sequence == reader.lastSequence())
      #expect(try reader.lastSeal()?.seal.epoch == epoch)
      _ = try reader.verifyChain()
    }
    let streams = try Self.streams(shelf)
    for producer in shelf.machines {
      let journal = try Journal(directory: "\(scene.restored)/journal/\(producer)", machine: producer)
      for consumer in shelf.machines where consumer != producer {
        var next = streams[consumer]!.lastReceived(from: producer) + 1
        let last = streams[producer]!.lastSent(to: consumer)
        try journal.forEachOutbox(destination: consumer, from: next) { chunk in
          #expect(chunk.firstNumber <= next, "\(producer) to \(consumer)")
          #expect(chunk.epoch <= epoch.next)
          next = chunk.lastNumber + 1
          return true
        }
        #expect(next == last + 1, "\(producer) to \(consumer)")
      }
    }
    try FileManager.default.createDirectory(atPath: "\(scene.restored)/clients", withIntermediateDirectories: true)
    let audit = try Auditor.audit(dataDirectory: scene.restored, isRunning: true)
    #expect(audit.invariants.allSatisfy { $0.breaches == 0 }, "\(audit.invariants)")
    #expect(audit.epochs > 0)
  }

  private static func streams(_ shelf: JournalShelf) throws -> [MachineID: StreamNumbers] {
    func replay<M: Machine & ~Copyable>(_ type: M.Type, _ reader: JournalReader) throws -> StreamNumbers {
      var replay = try MachineReplay<M>(reader, from: nil)
      try replay.advance(to: reader.lastSequence())
      return replay.machine.streams
    }
    var streams: [MachineID: StreamNumbers] = [:]
    for machine in shelf.machines {
      let reader = try shelf.reader(of: machine)
      streams[machine] =
        switch machine.kind {
        case .risk: try replay(RiskMachine.self, reader)
        case .settlement: try replay(SettlementMachine.self, reader)
        default: try replay(ShardMachine.self, reader)
        }
    }
    return streams
  }

  @Test func theSettlementLayerIsCutWithTheCoordinatorAndNotBeforeWhatItHeld() throws {
    let scene = try Scene()
    let backup = try scene.makeBackup()
    let posted = try Self.number(backup, "posted_epoch")
    #expect(posted > 0)
    let restore = try ClusterRestore(from: scene.backup, dataDirectory: scene.restored)
    let epoch = try Self.number(restore, "epoch")
    let held = try Self.number(restore, "posted_epoch")
    #expect(held >= posted && held < epoch)
    let refusal = #expect(throws: CommandRefused.self) {
      _ = try ClusterRestore(from: scene.backup, dataDirectory: "\(scene.restored)-2", epoch: 1)
    }
    #expect("\(try #require(refusal))".contains("has made epoch \(posted) final"))
    #expect(!FileManager.default.fileExists(atPath: "\(scene.restored)-2"))
    #expect(!FileManager.default.fileExists(atPath: "\(scene.restored)-2.restoring"))
    #expect(throws: CommandMistake.self) {
      _ = try ClusterRestore(from: scene.backup, dataDirectory: "\(scene.restored)-2", epoch: UInt32(epoch) + 1_000)
    }
  }

  /// A cluster wound down and closed, by its data directory.
  private static func stopped(_ use: (_ data: String, _ backup: String, _ restored: String) throws -> Void) throws {
    let path: String
    do {
      let scene = try Scene()
      try #require(try scene.cluster.windDown())
      try scene.cluster.close()
      path = "\(scene.cluster.path)-stopped"
      try FileManager.default.copyItem(atPath: scene.cluster.path, toPath: path)
    }
    defer { for end in ["", "-backup", "-restored"] { InProcessCluster.remove(path + end) } }
    try use(path, "\(path)-backup", "\(path)-restored")
  }

  @Test func aBackupOfAStoppedClusterIsRestoredAsItStood() throws {
    try Self.stopped { data, backup, restored in
      let made = try ClusterBackup(dataDirectory: data, to: backup)
      #expect(try Self.object(made)["was_stopped"] as? Bool == true)
      let restore = try ClusterRestore(from: backup, dataDirectory: restored)
      #expect(try Self.object(restore)["epoch"] == nil)
      for machine in try #require(try Self.object(restore)["machines"] as? [[String: Any]]) {
        #expect(machine["left_out"] as? Int == 0)
      }
      try FileManager.default.copyItem(atPath: "\(data)/clients", toPath: "\(restored)/clients")
      let audit = try Auditor.audit(dataDirectory: restored)
      #expect(audit.isSound, "\(audit.invariants)")
      // Nothing is put over anything.
      #expect(throws: CommandMistake.self) { _ = try ClusterRestore(from: backup, dataDirectory: restored) }
      #expect(throws: CommandMistake.self) { _ = try ClusterBackup(dataDirectory: data, to: backup) }
      #expect(throws: CommandMistake.self) { _ = try ClusterBackup(dataDirectory: data, to: "\(data)/inside") }
    }
  }

  @Test func aDamagedBackupIsRefusedWithTheFileAndNothingIsLeft() throws {
    try Self.stopped { data, backup, restored in
      _ = try ClusterBackup(dataDirectory: data, to: backup)
      let file = "\(backup)/journal/risk/data.mdb"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: URL(fileURLWithPath: file))
      let refusal = #expect(throws: CommandRefused.self) {
        _ = try ClusterRestore(from: backup, dataDirectory: restored)
      }
      #expect("\(try #require(refusal))".contains("journal/risk/data.mdb: its SHA-256"))
      #expect(!FileManager.default.fileExists(atPath: restored))
      try FileManager.default.removeItem(atPath: "\(backup)/manifest.json")
      #expect(throws: CommandMistake.self) { _ = try ClusterRestore(from: backup, dataDirectory: restored) }
    }
  }

  @Test func aLostJournalIsReplacedByAWholeCopyAndAnOldCopyIsRefused() throws {
    try Self.stopped { data, backup, old in
      let shelf = try JournalShelf(dataDirectory: data)
      let last = try shelf.reader(of: .shard(ShardID(0))).lastSequence()
      _ = try ClusterBackup(dataDirectory: data, to: backup)
      // An old copy: the same journal, some entries ago.
      try FileManager.default.copyItem(atPath: data, toPath: old)
      let earlier = SequenceNumber(last.rawValue - 5)
      do {
        let journal = try Journal(directory: "\(old)/journal/shard-0", machine: .shard(ShardID(0)))
        try journal.cut(after: earlier)
      }
      let refusal = #expect(throws: CommandRefused.self) {
        _ = try JournalReplacement("shard-0", from: old, dataDirectory: data)
      }
      let words = "\(try #require(refusal))"
      #expect(words.contains("an old copy") && words.contains("entry \(earlier)") && words.contains("entry \(last)"))
      // With nothing left of the journal the others tell, if not by its last entry, that something is missing.
      try FileManager.default.removeItem(atPath: "\(data)/journal/shard-0/data.mdb")
      do {
        let journal = try Journal(directory: "\(old)/journal/shard-0", machine: .shard(ShardID(0)))
        try journal.cut(after: SequenceNumber(last.rawValue / 2))
      }
      #expect(throws: CommandRefused.self) {
        _ = try JournalReplacement("shard-0", from: old, dataDirectory: data)
      }
      let replaced = try JournalReplacement("shard-0", from: backup, dataDirectory: data)
      #expect(try Self.number(replaced, "last_sequence") == Int(last.rawValue))
      let audit = try Auditor.audit(dataDirectory: data)
      #expect(audit.isSound, "\(audit.invariants)")
    }
  }

  @Test func ofSeveralCopiesEachIsListedAndTheFurthestIsMeantByTheMachinesName() throws {
    try Self.stopped { data, backup, _ in
      let shard = MachineID.shard(ShardID(0))
      let last = try JournalShelf(dataDirectory: data).reader(of: shard).lastSequence()
      let home = "\(data)/journal/shard-0"
      try FileManager.default.createDirectory(atPath: "\(home)@matcher-1", withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: "\(home)/data.mdb", toPath: "\(home)@matcher-1/data.mdb")
      do { try Journal(directory: home, machine: shard).cut(after: SequenceNumber(last.rawValue - 5)) }

      let list = try #require(try Self.object(JournalList(dataDirectory: data))["journals"] as? [[String: Any]])
      let shown = list.compactMap { $0["machine"] as? String }
      #expect(shown == ["shard-0", "shard-0@matcher-1", "shard-1", "risk", "settlement"])
      let sound = try JournalVerification([], dataDirectory: data)
      #expect(sound.isGood)
      #expect(try (Self.object(sound)["journals"] as? [Any])?.count == 5)
      for (name, end) in [("shard-0", last.rawValue), ("shard-0@matcher-1", last.rawValue)] {
        let excerpt = try JournalExcerpt(name, from: nil, count: 1, withPayload: false, dataDirectory: data)
        #expect(try Self.number(excerpt, "last_sequence") == Int(end))
      }
      _ = try ClusterBackup(dataDirectory: data, to: backup)
      #expect(try JournalShelf(dataDirectory: backup).reader(of: shard).lastSequence() == last)
      #expect(try JournalShelf(dataDirectory: backup).machines.count == 4)
      // The copy at home lags: it is replaced by one that does not.
      let replaced = try JournalReplacement("shard-0", from: backup, dataDirectory: data)
      #expect(try Self.number(replaced, "last_sequence") == Int(last.rawValue))
      let reader = try JournalReader(directory: home, machine: shard)
      #expect(try reader.lastSequence() == last)
      #expect(try JournalShelf(dataDirectory: data).machines.count == 4)
    }
  }
}
