import Bytes
import Foundation
import Journal
import Machine
import Market

/// Writes a journal's entries and batch links to a file, as JSON Lines that need none of this program to be checked: an
/// entry's bytes are given whole, so that its CRC-32C, its leaf, its batch's link and its epoch's root can be computed
/// anew.
///
/// ```
/// {"sequence":1,"stamp":…ns,"term":1,"kind":"genesis","entry":"…hex of all bytes"}
/// {"batch_through":1,"link":"0x…"}
/// ```
public struct JournalExport: CommandReport {
  var machine: String
  var file: String
  var entries = 0
  var batches = 0
  var firstSequence: UInt64 = 0
  var lastSequence: UInt64 = 0

  fileprivate struct Entry: Encodable {
    var sequence: UInt64
    var stamp: Int64
    var term: UInt32
    var kind: String
    var entry: String
  }
  private struct Batch: Encodable {
    var batchThrough: UInt64
    var link: String
  }

  /// Exports entries `from` to `to`, both included, and the links of the batches that end among them; without them,
  /// from the first entry there is, and to the last.
  /// - Throws: `CommandMistake` for a range that is none, or a file that cannot be written; what is already there is
  ///   kept.
  public init(_ name: String, from: UInt64?, to: UInt64?, file: String, dataDirectory: String) throws {
    let shelf = try JournalShelf(dataDirectory: dataDirectory)
    let reader = try shelf.reader(named: name)
    let end = try reader.lastSequence().rawValue
    let kept = try reader.base().sequence.next.rawValue
    let from = from ?? kept
    let to = to ?? end
    guard from >= kept, from <= to, to <= end else {
      throw CommandMistake("--from \(from) --to \(to): the journal of \(name) holds entries \(kept) to \(end)")
    }
    guard !FileManager.default.fileExists(atPath: file) else {
      throw CommandMistake("\(file): is there already; name another file")
    }
    guard FileManager.default.createFile(atPath: file, contents: nil), let handle = FileHandle(forWritingAtPath: file)
    else { throw CommandMistake("\(file): cannot be written") }
    machine = name
    self.file = file
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    var links: [UInt64: Digest] = [:]
    try reader.forEachBatch(from: SequenceNumber(from)) { last, link in
      if last.rawValue > to { return false }
      links[last.rawValue] = link
      return true
    }
    var lines = Data()
    var entries = 0
    try reader.forEachEntry(from: SequenceNumber(from)) { header, payload in
      lines.append(try encoder.encode(Entry(header, payload)))
      lines.append(10)
      entries += 1
      if let link = links[header.sequence.rawValue] {
        lines.append(try encoder.encode(Batch(batchThrough: header.sequence.rawValue, link: link.description)))
        lines.append(10)
      }
      if lines.count > 1 << 20 {
        try handle.write(contentsOf: lines)
        lines.removeAll(keepingCapacity: true)
      }
      return header.sequence.rawValue < to
    }
    try handle.write(contentsOf: lines)
    try handle.synchronize()
    try handle.close()
    self.entries = entries
    batches = links.count
    firstSequence = from
    lastSequence = to
  }

  public var text: String {
    "\(file): entries \(firstSequence) to \(lastSequence) of \(machine), \(batches) batch links"
  }
}

extension JournalExport.Entry {
  fileprivate init(_ header: InputHeader, _ payload: UnsafeRawBufferPointer) {
    var bytes = [UInt8](repeating: 0, count: EntryCodec.byteCount(payloadCount: payload.count))
    bytes.withUnsafeMutableBytes { EntryCodec.write(header, payload, over: $0) }
    self.init(
      sequence: header.sequence.rawValue, stamp: header.stamp.nanoseconds, term: header.term.rawValue,
      kind: "\(header.kind)", entry: bytes.withUnsafeBytes { $0.hexadecimal })
  }
}
