import Bytes
import Journal
import Market
import Settlement

/// Copies of a ledger, and ledgers that are taken back to an earlier transaction.
extension LedgerReader {
  /// The last epoch that was posted; 0 before the first.
  public func lastPostedEpoch() throws -> Epoch {
    let transaction = try environment.beginReading()
    return try transaction.withCursor(over: tables.transactions) { cursor in
      var record = try cursor.last()
      while let found = record {
        if case .post(let post) = try LedgerTables.transaction(found, environment) { return post.header.epoch }
        record = try cursor.previous()
      }
      return Epoch(0)
    }
  }

  /// Copies the ledger as of its last transaction into `directory`, while it goes on.
  public func copy(to directory: String) throws { try environment.copy(to: directory) }

  /// Takes the ledger in `directory` back to before the first post of an epoch after `epoch`: that transaction goes,
  /// and all that follow it.
  /// - Returns: How many went.
  public static func cut(directory: String, afterPostOf epoch: Epoch) throws -> Int {
    let environment = try LMDBEnvironment(directory: directory)
    let tables = try LedgerTables(environment)
    var transaction = try environment.beginWriting()
    let removed = try transaction.withCursor(over: tables.transactions) { cursor in
      var first: UInt64?
      var record = try cursor.last()
      while let found = record {
        if case .post(let post) = try LedgerTables.transaction(found, environment) {
          guard post.header.epoch > epoch else { break }
          first = found.key
        }
        record = try cursor.previous()
      }
      guard let first else { return 0 }
      var removed = 0
      record = try cursor.seek(first)
      while record != nil {
        try cursor.delete()
        removed += 1
        record = try cursor.next()
      }
      return removed
    }
    guard removed > 0 else { return 0 }
    // It may be of a later transaction; a ledger without one is rebuilt from its first.
    try transaction.delete("snapshot", in: tables.meta)
    try transaction.commit()
    return removed
  }
}

extension LedgerTables {
  /// The transaction in `record`; a damaged one is refused by its number.
  static func transaction(
    _ record: LMDBCursor<UInt64>.Record, _ environment: LMDBEnvironment
  ) throws -> VaultTransaction {
    var reader = ByteReader(record.value)
    let checksum = reader.u32()
    let transaction = VaultTransaction(from: &reader)
    guard reader.isExhausted,
      CRC32C.checksum(UnsafeRawBufferPointer(rebasing: record.value[4...])) == checksum
    else { throw LedgerError(path: environment.directory, reason: "transaction \(record.key) is damaged") }
    return transaction
  }
}
