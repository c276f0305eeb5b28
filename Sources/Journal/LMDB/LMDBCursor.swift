import CLMDB

/// A position in a database. Keys and values that it returns stay valid until its transaction ends or writes.
public struct LMDBCursor<Key: LMDBKey>: ~Copyable {
  /// A record under the cursor.
  public typealias Record = (key: Key, value: UnsafeRawBufferPointer)

  private var handle: OpaquePointer?
  /// What opening it said; reported by the first move.
  private let opening: Int32
  private let database: LMDBDatabase<Key>
  private let environment: LMDBEnvironment

  init(transaction: OpaquePointer, database: LMDBDatabase<Key>, environment: LMDBEnvironment) {
    opening = mdb_cursor_open(transaction, database.index, &handle)
    self.database = database
    self.environment = environment
  }

  deinit { if let handle { mdb_cursor_close(handle) } }

  /// The record with the smallest key.
  public mutating func first() throws(JournalError) -> Record? { try move(MDB_FIRST) }
  /// The record with the greatest key.
  public mutating func last() throws(JournalError) -> Record? { try move(MDB_LAST) }
  /// The next record; the first if the cursor stands nowhere yet.
  public mutating func next() throws(JournalError) -> Record? { try move(MDB_NEXT) }
  /// The record before; the last if the cursor stands nowhere yet.
  public mutating func previous() throws(JournalError) -> Record? { try move(MDB_PREV) }

  /// The first record whose key is `key` or greater.
  public mutating func seek(_ key: Key) throws(JournalError) -> Record? {
    try environment.check(opening, "mdb_cursor_open \(database.name)")
    var data = MDB_val()
    var name = MDB_val()
    let code = key.withKeyBytes { bytes in
      name = MDB_val(bytes)
      return mdb_cursor_get(handle, &name, &data, MDB_SET_RANGE)
    }
    return try record(code, name, data)
  }

  /// Deletes the record under the cursor (write transactions only); `next` then gives the one after it.
  public mutating func delete() throws(JournalError) {
    try environment.check(mdb_cursor_del(handle, 0), "mdb_cursor_del \(database.name)")
  }

  private mutating func move(_ operation: MDB_cursor_op) throws(JournalError) -> Record? {
    try environment.check(opening, "mdb_cursor_open \(database.name)")
    var data = MDB_val()
    var name = MDB_val()
    return try record(mdb_cursor_get(handle, &name, &data, operation), name, data)
  }

  private func record(_ code: Int32, _ name: MDB_val, _ data: MDB_val) throws(JournalError) -> Record? {
    if code == MDB_NOTFOUND { return nil }
    try environment.check(code, "mdb_cursor_get \(database.name)")
    guard let key = Key(keyBytes: name.bytes) else {
      throw .damagedRecord(path: environment.directory, record: "a key of \(database.name)", reason: "not such a key")
    }
    return (key, data.bytes)
  }
}
