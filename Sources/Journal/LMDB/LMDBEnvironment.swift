import CLMDB
import Glibc
import Synchronization

/// How an LMDB environment is opened.
public struct LMDBConfiguration: Sendable, Hashable {
  /// Largest size of the data file in bytes, rounded up to whole pages. It is address space, not memory or disk, until
  /// it is used.
  public var mapSize: Int
  /// Most named databases.
  public var databases: UInt32
  /// Largest number of read transactions at the same time, in all processes together.
  public var readers: UInt32
  public init(mapSize: Int = 64 << 30, databases: UInt32 = 16, readers: UInt32 = 126) {
    self.mapSize = mapSize
    self.databases = databases
    self.readers = readers
  }
}

/// One LMDB directory, opened with LMDB's default durability: a commit returns when its data and its meta page are
/// synced. A power cut then keeps every commit.
///
/// A directory that this process already has open is shared, since LMDB's locks do not survive a double open. After the
/// first failed commit the environment refuses to write (a smaller transaction might succeed and leave a gap) until
/// every user has let go of it and it is opened again.
public final class LMDBEnvironment: Sendable {
  private let shared: SharedEnvironment
  /// The directory, as given.
  public let directory: String
  var handle: OpaquePointer { shared.handle }

  /// Opens the directory for writing, creating it if it is not there, and frees the slots of readers that died.
  public convenience init(directory: String, configuration: LMDBConfiguration = LMDBConfiguration())
    throws(JournalError)
  {
    try makeDirectory(directory)
    try self.init(sharing: SharedEnvironment.open(directory, configuration, readOnly: false), directory)
    try takeOverLastCommit()
  }

  /// A writer that was killed may have written its last commit, and not yet told the other processes that have the
  /// environment open: who only reads then sees the commit before. Whoever takes the writers' lock next puts it right.
  private func takeOverLastCommit() throws(JournalError) { _ = try beginWriting() }

  /// Opens another process's live directory for reading only.
  public convenience init(reading directory: String) throws(JournalError) {
    try self.init(sharing: SharedEnvironment.open(directory, LMDBConfiguration(), readOnly: true), directory)
  }

  private init(sharing shared: SharedEnvironment, _ directory: String) throws(JournalError) {
    self.shared = shared
    self.directory = directory
    try checkReaders()
  }

  deinit { shared.close() }

  /// Whether the data file is still the one that lies in the directory; if not, another was put in its place.
  public var isCurrent: Bool { shared.isCurrent(in: directory) }

  /// Why writing has ended, or `nil` while it is allowed.
  public var endOfTerm: String? { shared.endOfTerm.withLock { $0 } }
  func endTerm(_ cause: String) { shared.endOfTerm.withLock { $0 = $0 ?? cause } }

  /// Largest size of the data file in bytes.
  public var mapSize: Int {
    var info = MDB_envinfo()
    mdb_env_info(handle, &info)
    return info.me_mapsize
  }

  /// Bytes of the map that have ever been used. Freed pages among them are used again before the file grows.
  public var bytesUsed: Int {
    var info = MDB_envinfo()
    var stat = MDB_stat()
    mdb_env_info(handle, &info)
    mdb_env_stat(handle, &stat)
    return (info.me_last_pgno + 1) * Int(stat.ms_psize)
  }

  /// Bytes of freed pages that no reader needs any more: the next writes use them before the file grows. Walks the list
  /// of freed pages, one record a commit that freed some.
  public func reusableBytes() throws(JournalError) -> Int {
    let oldest = oldestReader()
    let transaction = try beginReading()
    let freed = LMDBDatabase<UInt64>(index: 0, name: "the freed pages")
    let pages = try transaction.withCursor(over: freed) { cursor throws(JournalError) in
      var pages = 0
      // Keyed by the transaction that freed them; each is a count and that many page numbers.
      while let record = try cursor.next(), record.key < oldest, record.value.count >= 8 {
        pages += record.value.loadUnaligned(as: Int.self)
      }
      return pages
    }
    var stat = MDB_stat()
    mdb_env_stat(handle, &stat)
    return pages * Int(stat.ms_psize)
  }

  /// The oldest transaction that a reader still looks at, in any process; the greatest number if there is none.
  private func oldestReader() -> UInt64 {
    var oldest = UInt64.max
    // A line a reader: process, thread, and the transaction unless it is idle.
    mdb_reader_list(
      handle,
      { line, oldest in
        guard let line, let oldest = oldest?.assumingMemoryBound(to: UInt64.self) else { return 0 }
        let words = String(cString: line).split(whereSeparator: \.isWhitespace)
        if words.count == 3, let transaction = UInt64(words[2]) { oldest.pointee = min(oldest.pointee, transaction) }
        return 0
      }, &oldest)
    return oldest
  }

  /// Frees the slots of readers whose process is gone: a stale one keeps old pages alive and makes the file grow. Done
  /// at open; to be done now and then while writing. Returns how many it freed.
  @discardableResult
  public func checkReaders() throws(JournalError) -> Int {
    var dead: Int32 = 0
    try check(mdb_reader_check(handle, &dead), "mdb_reader_check")
    return Int(dead)
  }

  /// A view of the last commit. Keep it short: while it lives, no page freed since can be used again.
  public func beginReading() throws(JournalError) -> LMDBReadTransaction {
    var transaction: OpaquePointer?
    var code = mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction)
    if code == MDB_MAP_RESIZED {
      // The writer has reopened with a larger map; adopt its size.
      try check(mdb_env_set_mapsize(handle, 0), "mdb_env_set_mapsize")
      code = mdb_txn_begin(handle, nil, UInt32(MDB_RDONLY), &transaction)
    }
    try check(code, "mdb_txn_begin")
    return LMDBReadTransaction(handle: transaction!, environment: self)
  }

  /// The one write transaction; waits for another's end. It belongs to the thread that began it.
  public func beginWriting() throws(JournalError) -> LMDBWriteTransaction {
    if let cause = endOfTerm { throw .termEnded(path: directory, cause: cause) }
    var transaction: OpaquePointer?
    try check(mdb_txn_begin(handle, nil, 0, &transaction), "mdb_txn_begin")
    return LMDBWriteTransaction(handle: transaction!, environment: self)
  }

  /// The named database; made if it is not there, unless the environment is read-only.
  public func database<Key: LMDBKey>(named name: String, keys: Key.Type) throws(JournalError) -> LMDBDatabase<Key> {
    let flags = Key.comparesAsInteger ? UInt32(MDB_INTEGERKEY) : 0
    if let found = try openDatabase(name, flags: flags, transactionFlags: UInt32(MDB_RDONLY)) {
      return LMDBDatabase(index: found, name: name)
    }
    guard !shared.isReadOnly else { throw .noJournal(path: directory) }
    if let cause = endOfTerm { throw .termEnded(path: directory, cause: cause) }
    guard let made = try openDatabase(name, flags: flags | UInt32(MDB_CREATE), transactionFlags: 0) else {
      throw .failed(operation: "mdb_dbi_open \(name)", path: directory, code: MDB_NOTFOUND)
    }
    return LMDBDatabase(index: made, name: name)
  }

  private func openDatabase(
    _ name: String, flags: UInt32, transactionFlags: UInt32
  ) throws(JournalError) -> MDB_dbi? {
    var transaction: OpaquePointer?
    var index = MDB_dbi()
    try check(mdb_txn_begin(handle, nil, transactionFlags, &transaction), "mdb_txn_begin")
    let code = mdb_dbi_open(transaction, name, flags, &index)
    guard code == 0 else {
      mdb_txn_abort(transaction)
      if code == MDB_NOTFOUND { return nil }
      throw failure(code, "mdb_dbi_open \(name)")
    }
    try check(mdb_txn_commit(transaction), "mdb_txn_commit")
    return index
  }

  func check(_ code: Int32, _ operation: @autoclosure () -> String) throws(JournalError) {
    if code != 0 { throw failure(code, operation()) }
  }

  func failure(_ code: Int32, _ operation: String) -> JournalError {
    code == MDB_MAP_FULL
      ? .mapFull(path: directory, mapSize: mapSize) : .failed(operation: operation, path: directory, code: code)
  }
}
