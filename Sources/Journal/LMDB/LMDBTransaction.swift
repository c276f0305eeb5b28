import CLMDB
import Glibc

/// What read and write transactions share: looking things up. Bytes that they return stay valid until the transaction
/// ends, or, in a write transaction, until its next write.
public protocol LMDBTransaction: ~Copyable {
  /// LMDB's handle.
  var handle: OpaquePointer { get }
  /// Where the transaction reads and writes.
  var environment: LMDBEnvironment { get }
}

extension LMDBTransaction where Self: ~Copyable {
  /// The value at `key`, or `nil`.
  public borrowing func value<Key>(
    at key: Key, in database: LMDBDatabase<Key>
  ) throws(JournalError) -> UnsafeRawBufferPointer? {
    var value = MDB_val()
    let code = key.withKeyBytes { bytes in
      var name = MDB_val(bytes)
      return mdb_get(handle, database.index, &name, &value)
    }
    if code == MDB_NOTFOUND { return nil }
    try environment.check(code, "mdb_get \(database.name)")
    return value.bytes
  }

  /// Records in the database.
  public borrowing func count<Key>(of database: LMDBDatabase<Key>) throws(JournalError) -> Int {
    var stat = MDB_stat()
    try environment.check(mdb_stat(handle, database.index, &stat), "mdb_stat \(database.name)")
    return stat.ms_entries
  }

  /// Walks the database with a cursor that lives as long as `body`.
  public borrowing func withCursor<Key, Result, Failure: Error>(
    over database: LMDBDatabase<Key>, _ body: (inout LMDBCursor<Key>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var cursor = LMDBCursor(transaction: handle, database: database, environment: environment)
    return try body(&cursor)
  }
}

/// A consistent view of the last commit; ends with its lifetime.
public struct LMDBReadTransaction: ~Copyable, LMDBTransaction {
  public let handle: OpaquePointer
  public let environment: LMDBEnvironment
  deinit { mdb_txn_abort(handle) }
}

/// The one write transaction of an environment. Unless committed it leaves no trace.
///
/// It ends on the thread that began it, for it holds a robust mutex, which the C library keeps in a list of the thread:
/// no `await` in between, unless the actor's executor has one thread only. Anything else is trapped, since it would
/// corrupt memory.
public struct LMDBWriteTransaction: ~Copyable, LMDBTransaction {
  private var open: OpaquePointer?
  private let thread: pthread_t
  public let environment: LMDBEnvironment
  public var handle: OpaquePointer { open! }

  init(handle: OpaquePointer, environment: LMDBEnvironment) {
    open = handle
    self.environment = environment
    thread = pthread_self()
  }

  deinit {
    guard let open else { return }
    checkThread()
    mdb_txn_abort(open)
  }

  private func checkThread() {
    precondition(pthread_equal(pthread_self(), thread) != 0, "a write transaction ends on the thread that began it")
  }

  /// What a key that is there already, or the order of keys, means for a write.
  public enum Mode: Sendable {
    /// Write over what is there.
    case replace
    /// Refuse if the key is there.
    case insert
    /// The key is greater than every other: pages fill completely. Refuse if it is not.
    case append
    var flags: UInt32 {
      switch self {
      case .replace: 0
      case .insert: UInt32(MDB_NOOVERWRITE)
      case .append: UInt32(MDB_APPEND)
      }
    }
  }

  /// Writes `value` at `key`; `false` if the mode refused it.
  @discardableResult
  public mutating func put<Key>(
    _ value: UnsafeRawBufferPointer, at key: Key, in database: LMDBDatabase<Key>, _ mode: Mode = .replace
  ) throws(JournalError) -> Bool {
    var data = MDB_val(value)
    return try put(&data, key, database, mode.flags)
  }

  /// Makes room for `count` bytes at `key` and returns where they go, to be filled before the next write; `nil` if the
  /// mode refused it.
  public mutating func reserve<Key>(
    _ count: Int, at key: Key, in database: LMDBDatabase<Key>, _ mode: Mode = .replace
  ) throws(JournalError) -> UnsafeMutableRawBufferPointer? {
    var data = MDB_val(mv_size: count, mv_data: nil)
    guard try put(&data, key, database, mode.flags | UInt32(MDB_RESERVE)) else { return nil }
    return UnsafeMutableRawBufferPointer(start: data.mv_data, count: count)
  }

  private mutating func put<Key>(
    _ data: inout MDB_val, _ key: Key, _ database: LMDBDatabase<Key>, _ flags: UInt32
  ) throws(JournalError) -> Bool {
    let code = key.withKeyBytes { bytes in
      var name = MDB_val(bytes)
      return mdb_put(handle, database.index, &name, &data, flags)
    }
    if code == MDB_KEYEXIST { return false }
    try environment.check(code, "mdb_put \(database.name)")
    return true
  }

  /// Deletes the record at `key`; `false` if there was none.
  @discardableResult
  public mutating func delete<Key>(_ key: Key, in database: LMDBDatabase<Key>) throws(JournalError) -> Bool {
    let code = key.withKeyBytes { bytes in
      var name = MDB_val(bytes)
      return mdb_del(handle, database.index, &name, nil)
    }
    if code == MDB_NOTFOUND { return false }
    try environment.check(code, "mdb_del \(database.name)")
    return true
  }

  /// Deletes every record of the database.
  public mutating func clear<Key>(_ database: LMDBDatabase<Key>) throws(JournalError) {
    try environment.check(mdb_drop(handle, database.index, 0), "mdb_drop \(database.name)")
  }

  /// Makes the writes durable. A failure ends the environment's term: nothing more is written until it is reopened.
  public consuming func commit() throws(JournalError) {
    checkThread()
    let code = mdb_txn_commit(handle)
    open = nil
    guard code != 0 else { return }
    let failure = environment.failure(code, "mdb_txn_commit")
    environment.endTerm("\(failure)")
    throw failure
  }

  /// Drops the writes.
  public consuming func abort() {}
}
