import Bytes
import Glibc
import Messaging

/// What the supervisor's authority holds, in one file that is replaced whole: a reader finds the old state or the new
/// one, complete, or an error.
///
/// Layout: magic [8], version u32, CRC-32C u32 of the rest; era u64, revision u64, last lease u64; records u32 and
/// each; leases u32 and each: identifier u64, node, nonce u64, milliseconds u32.
struct AuthorityFile: Sendable {
  let path: String
  private static let magic = Array("NOVAUTH\n".utf8)
  private static let version: UInt32 = 1
  private static let headerBytes = 16
  /// Largest file that is read.
  private static let byteLimit = 16 << 20

  init(path: String) { self.path = path }

  /// The table as the file holds it, started again at `now`; an empty one if there is no file.
  func load(now: MonotonicTime) throws(AuthorityFileError) -> OwnershipTable {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0, errno == ENOENT { return OwnershipTable() }
    guard descriptor >= 0 else { throw failure("open") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("stat") }
    guard (Self.headerBytes...Self.byteLimit).contains(Int(status.st_size)) else {
      throw AuthorityFileError(path: path, reason: "it has \(status.st_size) bytes, which no authority's file has")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    guard read(descriptor, &bytes, bytes.count) == bytes.count else { throw failure("read") }
    return try decode(bytes, now)
  }

  private func decode(_ bytes: [UInt8], _ now: MonotonicTime) throws(AuthorityFileError) -> OwnershipTable {
    let result = bytes.withUnsafeBytes { bytes -> Result<OwnershipTable, AuthorityFileError> in
      var reader = ByteReader(bytes)
      guard reader.bytes(Self.magic.count).elementsEqual(Self.magic) else {
        return .failure(AuthorityFileError(path: path, reason: "it is not an authority's file"))
      }
      let version = reader.u32()
      guard version == Self.version else {
        return .failure(
          AuthorityFileError(path: path, reason: "format version \(version); this build reads \(Self.version)"))
      }
      let body = UnsafeRawBufferPointer(rebasing: bytes[Self.headerBytes...])
      guard reader.u32() == CRC32C.checksum(body) else {
        return .failure(AuthorityFileError(path: path, reason: "its checksum is wrong: it is damaged"))
      }
      let (era, revision, lastLease) = (reader.u64(), reader.u64(), reader.u64())
      var records: [Ownership] = []
      for _ in 0..<reader.itemCount(minimumSize: 22) { records.append(Ownership(from: &reader)) }
      var leases: [OwnershipTable.HeldLease] = []
      for _ in 0..<reader.itemCount(minimumSize: 22) {
        leases.append(
          OwnershipTable.HeldLease(
            identifier: reader.u64(), node: reader.text(), nonce: reader.u64(), milliseconds: reader.u32(),
            expires: now))
      }
      guard reader.isExhausted else {
        return .failure(AuthorityFileError(path: path, reason: "its contents are malformed at byte \(reader.offset)"))
      }
      return .success(
        OwnershipTable(
          records: records, revision: revision, leases: leases, lastLease: lastLease, previousEra: era, now: now))
    }
    return try result.get()
  }

  /// Writes `table`; it is durable when this returns.
  func save(_ table: borrowing OwnershipTable) throws(AuthorityFileError) {
    var body = ByteWriter()
    body.u64(table.era)
    body.u64(table.revision)
    body.u64(table.lastLease)
    body.u32(UInt32(table.records.count))
    for record in table.records { record.write(to: &body) }
    body.u32(UInt32(table.leases.count))
    for lease in table.leases {
      body.u64(lease.identifier)
      body.text(lease.node)
      body.u64(lease.nonce)
      body.u32(lease.milliseconds)
    }
    var file = ByteWriter()
    file.bytes(Self.magic)
    file.u32(Self.version)
    file.u32(CRC32C.checksum(body.bytes))
    file.bytes(body.bytes)
    try replace(with: file.bytes)
  }

  private func replace(with bytes: UnsafeRawBufferPointer) throws(AuthorityFileError) {
    let draft = path + ".new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("create") }
    var error: AuthorityFileError?
    if Glibc.write(descriptor, bytes.baseAddress, bytes.count) != bytes.count {
      error = failure("write")
    } else if fsync(descriptor) != 0 {
      error = failure("sync")
    }
    close(descriptor)
    if let error { throw error }
    guard rename(draft, path) == 0 else { throw failure("rename") }
    // The name, too, must outlast a power cut.
    let directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw failure("open the directory of") }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw failure("sync the directory of") }
  }

  private var parent: String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private func failure(_ operation: String) -> AuthorityFileError {
    AuthorityFileError(path: path, reason: "cannot \(operation) it: \(String(cString: strerror(errno)))")
  }
}

/// An authority's file that cannot be read or written.
public struct AuthorityFileError: Error, Equatable, CustomStringConvertible {
  public var path: String
  public var reason: String
  public var description: String { "\(path): \(reason)" }
}
