import Bytes
import Cryptography
import Glibc
import Journal
import Machine
import Market

/// A directory that goes with the test.
final class TemporaryDirectory: Sendable {
  let path: String

  init() {
    var template = [UInt8]("/tmp/journal-XXXXXX\0".utf8)
    path = template.withUnsafeMutableBytes {
      String(cString: mkdtemp($0.baseAddress!.assumingMemoryBound(to: CChar.self)))
    }
  }

  deinit {
    for file in ["data.mdb", "lock.mdb", "owner.lock", "ballast"] { unlink("\(path)/\(file)") }
    rmdir(path)
  }

  /// Changes a database behind the journal's back.
  func edit<Key>(
    _ name: String, keys: Key.Type, _ body: (inout LMDBWriteTransaction, LMDBDatabase<Key>) throws -> Void
  ) throws {
    let environment = try LMDBEnvironment(directory: path)
    let database = try environment.database(named: name, keys: keys)
    var transaction = try environment.beginWriting()
    try body(&transaction, database)
    try transaction.commit()
  }
}

func testHeader(_ sequence: UInt64, kind: InputKind = .action) -> InputHeader {
  InputHeader(
    sequence: SequenceNumber(sequence), stamp: Timestamp(nanoseconds: Int64(sequence) * 10), term: Term(1), kind: kind)
}

/// Bytes that tell an entry from its neighbours.
func testPayload(_ sequence: UInt64, size: Int = 20) -> [UInt8] {
  (0..<size).map { UInt8(truncatingIfNeeded: Int(sequence) &* 31 &+ $0) }
}

func testLeaf(_ header: InputHeader, _ payload: [UInt8]) -> Digest {
  var entry = [UInt8](repeating: 0, count: EntryCodec.byteCount(payloadCount: payload.count))
  payload.withUnsafeBytes { payload in
    entry.withUnsafeMutableBytes { EntryCodec.write(header, payload, over: $0) }
  }
  return RFC6962SHA256.leaf(entry)
}

extension Journal {
  func appendEntries(_ count: Int, size: Int = 20) throws {
    for _ in 0..<count {
      let header = testHeader(lastSequence.rawValue + 1)
      try testPayload(header.sequence.rawValue, size: size).withUnsafeBytes { try append(header, $0) }
    }
  }

  func appendBatch(_ count: Int, size: Int = 20) throws {
    try begin()
    do {
      try appendEntries(count, size: size)
      try commit()
    } catch {
      abort()
      throw error
    }
  }
}
