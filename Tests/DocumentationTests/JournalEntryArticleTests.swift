import Bytes
import Cryptography
import Foundation
import Journal
import Machine
import Market
import Testing

struct JournalEntryArticleTests {
  private let article: Article
  init() throws { article = try Article("Sources/Journal/Journal.docc/JournalEntry") }

  private func entry(_ header: InputHeader, _ payload: [UInt8]) -> [UInt8] {
    var entry = [UInt8](repeating: 0, count: EntryCodec.byteCount(payloadCount: payload.count))
    payload.withUnsafeBytes { payload in
      entry.withUnsafeMutableBytes { EntryCodec.write(header, payload, over: $0) }
    }
    return entry
  }
  private var entries: [[UInt8]] { WorkedExample.inputs.map { entry($0.header, $0.payload) } }
  private var leaves: [Digest] { entries.map { SHA256.hash([0] + $0) } }
  private var link: Digest { SHA256.hash(Digest.zero.array + leaves.flatMap(\.array)) }
  private var root: Digest {
    SHA256.hash([1] + SHA256.hash([1] + leaves[0].array + leaves[1].array).array + leaves[2].array)
  }

  @Test func theEntryIsWhatTheCodecWrites() throws {
    let (header, payload) = WorkedExample.inputs[1]
    let checksum = entries[1][44..<48]
    try article.holds(
      "journal-entry",
      [
        .init(header.sequence, "0 sequence u64: 2"), .init(header.stamp, "8 stamp i64: nanoseconds since 1970"),
        .init(WorkedExample.littleEndian(header.firstNumber), "16 first number u64: 41"),
        .init(header.term, "24 term u32: 1"), .init(header.epoch, "28 epoch u32: 12"),
        .init(header.source, "32 source u32: risk"),
        .init(WorkedExample.littleEndian(UInt32(payload.count)), "36 payload length u32: 23"),
        .init(WorkedExample.littleEndian(header.count), "40 count u16: 2 messages"),
        .init([header.kind.rawValue], "42 kind u8: stream"), .init([1], "43 layout version u8"),
        .init(Array(checksum), "44 CRC-32C u32 of bytes 0-43 and the payload"),
        .init(Array(payload[..<4]), "48 length of the first message u32: 13"),
        .init(Array(payload[4..<17]), "52 Release: kind 24, account u32: 1, id u64: 3"),
        .init(Array(payload[17..<21]), "65 length of the second message u32: 2"),
        .init(Array(payload[21...]), "69 Halt: kind 27, false"),
      ])
    #expect(try article.bytes("journal-entry") == entries[1])
  }

  @Test func theCodecReadsTheEntry() throws {
    let bytes = try article.bytes("journal-entry")
    try bytes.withUnsafeBytes { bytes in
      let (header, payload) = try EntryCodec.read(bytes)
      #expect(header == WorkedExample.inputs[1].header)
      var messages = StreamMessages(header, payload)
      let next = messages.next()
      var first = try #require(next)
      #expect(first.number == 41 && first.kind == .release)
      let release = Release(from: &first.body)
      #expect(release == WorkedExample.release)
      let last = messages.next()
      let second = try #require(last)
      #expect(second.number == 42 && second.kind == .halt)
      #expect(messages.isExhausted)
    }
  }

  @Test func theChecksumCoversAllElse() throws {
    let bytes = try article.bytes("journal-entry", count: 71)
    let covered = Array(bytes[..<44] + bytes[48...])
    #expect(covered.withUnsafeBytes { CRC32C.checksum($0) }.littleEndian.bytes == Array(bytes[44..<48]))
  }

  @Test func theBatchIsHashedAsTheArticleSays() throws {
    try article.holds(
      "journal-batch",
      [
        .init(entries[0], "entry 1, a tick"), .init(entries[2], "entry 3, the end of a client's session"),
        .init(leaves[0], "leaf of entry 1"), .init(leaves[1], "leaf of entry 2"), .init(leaves[2], "leaf of entry 3"),
        .init(Digest.zero, "the link before the first batch"), .init(link, "the batch's link"),
        .init(root, "RFC 6962 root of the three entries"),
      ])
  }

  @Test func aJournalComesToTheSameLinkRootAndSeal() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("article-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let journal = try Journal(
      directory: directory, machine: WorkedExample.shard, configuration: JournalConfiguration(mapSize: 1 << 24))
    try journal.begin()
    for (header, payload) in WorkedExample.inputs { try payload.withUnsafeBytes { try journal.append(header, $0) } }
    try journal.commit()
    let batch = try article.example("journal-batch", fields: 8)
    #expect(journal.chainHead.array == batch[6].bytes)
    #expect(journal.entryRoot.array == batch[7].bytes)
    let sealed = try Seal(decoding: article.bytes("journal-seal"))
    #expect(sealed.chainHead == journal.chainHead && sealed.entryRoot == journal.entryRoot)
    #expect(sealed.lastSequence == journal.lastSequence && sealed.firstSequence == journal.epochFirstSequence)
  }

  @Test func theSealHoldsLinkAndRoot() throws {
    let seal = WorkedExample.seal(chainHead: link, entryRoot: root)
    try article.holds(
      "journal-seal",
      [
        .init(seal.epoch, "0 epoch u32: 12"), .init(seal.term, "4 term u32: 1"),
        .init(seal.firstSequence, "8 first sequence u64: 1"), .init(seal.lastSequence, "16 last sequence u64: 3"),
        .init(seal.chainHead, "24 chain head [32]"), .init(seal.entryRoot, "56 entry root [32]"),
      ])
    #expect(try Seal(decoding: article.bytes("journal-seal")) == seal)
  }
}

extension FixedWidthInteger where Self: BitwiseCopyable {
  /// The value's bytes as they lie in memory.
  var bytes: [UInt8] { withUnsafeBytes(of: self) { [UInt8]($0) } }
}
