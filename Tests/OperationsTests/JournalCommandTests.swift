import Bytes
import Cryptography
import Foundation
import Journal
import Machine
import Market
import Operations
import Testing

/// `novation journal`, on journals that an in-process cluster wrote.
@Suite struct JournalCommandTests {
  private static func run(_ use: (InProcessCluster) throws -> Void) throws {
    let cluster = try InProcessCluster()
    defer { InProcessCluster.remove(cluster.path) }
    var day = TradingDay(seed: 11)
    try day.open(cluster)
    try day.trade(cluster, actions: 40)
    try #require(try cluster.windDown())
    try cluster.close()
    try use(cluster)
  }

  private static func object(_ report: some CommandReport) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
  }

  /// A copy of the journals in which a bit of a stored entry is flipped, its checksum left as it was.
  private static func damagedCopy(
    _ cluster: InProcessCluster, _ machine: String, entry sequence: UInt64
  ) throws -> String {
    let copy = "\(cluster.path)/copy"
    for name in try FileManager.default.contentsOfDirectory(atPath: "\(cluster.path)/journal") {
      try FileManager.default.createDirectory(atPath: "\(copy)/journal/\(name)", withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: "\(cluster.path)/journal/\(name)/data.mdb", toPath: "\(copy)/journal/\(name)/data.mdb")
    }
    let environment = try LMDBEnvironment(directory: "\(copy)/journal/\(machine)")
    let entries = try environment.database(named: "entries", keys: UInt64.self)
    var transaction = try environment.beginWriting()
    let stored = try transaction.value(at: sequence, in: entries)
    var bytes = try [UInt8](#require(stored))
    bytes[bytes.count - 1] ^= 1
    try bytes.withUnsafeBytes { _ = try transaction.put($0, at: sequence, in: entries) }
    try transaction.commit()
    return copy
  }

  @Test func everyJournalIsListedWithWhatItHolds() throws {
    try Self.run { cluster in
      let list = try JournalList(dataDirectory: cluster.path)
      let journals = try #require(try Self.object(list)["journals"] as? [[String: Any]])
      #expect(journals.contains { $0["machine"] as? String == "risk" })
      #expect(journals.contains { $0["machine"] as? String == "shard-0" })
      for journal in journals {
        #expect(journal["entries"] as? Int == journal["last_sequence"] as? Int)
        #expect(list.text.contains(journal["machine"] as? String ?? "?"))
      }
    }
  }

  @Test func anExcerptSaysWhatEachEntryIs() throws {
    try Self.run { cluster in
      let excerpt = try JournalExcerpt("shard-0", from: 1, count: 400, withPayload: false, dataDirectory: cluster.path)
      let entries = try #require(try Self.object(excerpt)["entries"] as? [[String: Any]])
      #expect(entries.first?["kind"] as? String == "genesis")
      let kinds = Set(entries.compactMap { $0["kind"] as? String })
      #expect(kinds.isSuperset(of: ["genesis", "action", "seal", "stream", "marks"]))
      #expect(entries.contains { ($0["says"] as? String ?? "").hasPrefix("account ") })
      #expect(entries.allSatisfy { $0["payload"] == nil })
      #expect(!entries.contains { ($0["says"] as? String ?? "").contains("not readable") })
      let last = try JournalExcerpt("risk", from: nil, count: 2, withPayload: true, dataDirectory: cluster.path)
      let two = try #require(try Self.object(last)["entries"] as? [[String: Any]])
      #expect(two.count == 2)
      #expect(two.last?["sequence"] as? Int == (try Self.object(last)["last_sequence"] as? Int))
      #expect(two.allSatisfy { ($0["payload"] as? String)?.count == ($0["payload_bytes"] as? Int ?? -1) * 2 })
    }
  }

  @Test func aSoundJournalVerifiesAndADamagedEntryIsNamed() throws {
    try Self.run { cluster in
      let sound = try JournalVerification([], dataDirectory: cluster.path)
      #expect(sound.isGood, "\(sound.text)")
      let copy = try Self.damagedCopy(cluster, "shard-0", entry: 9)
      let damaged = try JournalVerification([], dataDirectory: copy)
      #expect(!damaged.isGood)
      let journals = try #require(try Self.object(damaged)["journals"] as? [[String: Any]])
      for journal in journals where journal["machine"] as? String != "shard-0" { #expect(journal["damage"] == nil) }
      let shard = journals.first { $0["machine"] as? String == "shard-0" }
      let damage = try #require(shard?["damage"] as? [String: Any])
      #expect(damage["sequence"] as? Int == 9)
      let good = try #require(damage["good_through"] as? Int)
      #expect(good < 9)
      #expect((damage["ways_out"] as? [String])?.isEmpty == false)
      #expect(damaged.text.contains("DAMAGED: entry 9"))
    }
  }

  @Test func anExportCanBeCheckedWithoutThisProgram() throws {
    try Self.run { cluster in
      let file = "\(cluster.path)/export.jsonl"
      let export = try JournalExport("shard-0", from: 1, to: nil, file: file, dataDirectory: cluster.path)
      let report = try Self.object(export)
      var link = BatchLink(after: .zero)
      var entries = 0
      var batches = 0
      for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        if let hexadecimal = object["entry"] as? String {
          let bytes = try #require([UInt8](hexadecimal: hexadecimal))
          link.append(RFC6962SHA256.leaf(bytes))
          entries += 1
        } else {
          let expected = link.digest
          #expect(object["link"] as? String == expected.description)
          link.restart(after: expected)
          batches += 1
        }
      }
      #expect(entries == report["entries"] as? Int)
      #expect(batches == report["batches"] as? Int)
      #expect(link.count == 0, "the last batch is closed")
    }
  }

  @Test func whatIsAskedWronglyIsRefused() throws {
    try Self.run { cluster in
      #expect(throws: CommandMistake.self) {
        try JournalExcerpt("nobody", from: nil, count: 1, withPayload: false, dataDirectory: cluster.path)
      }
      #expect(throws: CommandMistake.self) {
        try JournalExcerpt("risk", from: 1 << 40, count: 1, withPayload: false, dataDirectory: cluster.path)
      }
      let file = "\(cluster.path)/kept"
      try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
      #expect(throws: CommandMistake.self) {
        try JournalExport("risk", from: 1, to: nil, file: file, dataDirectory: cluster.path)
      }
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
      #expect(throws: CommandMistake.self) {
        try JournalExport("risk", from: 5, to: 4, file: "\(file)-2", dataDirectory: cluster.path)
      }
    }
  }
}

extension [UInt8] {
  fileprivate init?(hexadecimal text: String) {
    guard text.count % 2 == 0 else { return nil }
    let digits = Array<Character>(text)
    var bytes: [UInt8] = []
    for place in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(digits[place...place + 1]), radix: 16) else { return nil }
      bytes.append(byte)
    }
    self = bytes
  }
}
