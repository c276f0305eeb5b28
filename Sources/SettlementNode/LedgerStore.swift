import Bytes
import Journal
import Settlement
import Synchronization

/// The embedded settlement layer: the vault's rules over a log of its transactions in LMDB. What it has accepted is
/// durable before it says so; opened again, it is the same vault.
public final class LedgerStore: Sendable {
  /// Layout version of the store.
  public static let formatVersion: UInt32 = 1
  /// Transactions between two snapshots of the vault.
  private static let snapshotInterval: UInt64 = 512

  private struct State {
    var vault: Vault
    var count: UInt64
  }

  private let environment: LMDBEnvironment
  private let tables: LedgerTables
  private let state: Mutex<State>

  /// Opens the ledger in `directory`, or makes one with these rules. One made with other rules is refused.
  public init(directory: String, rules: VaultRules) throws {
    environment = try LMDBEnvironment(directory: directory)
    tables = try LedgerTables(environment)
    var (vault, count) = try tables.load(environment, rules)
    try tables.forEach(environment, from: count + 1) { number, transaction in
      _ = vault.apply(transaction)
      count = number
    }
    state = Mutex(State(vault: vault, count: count))
  }

  /// Applies a transaction and, if it changed anything, makes it durable.
  public func apply(_ transaction: VaultTransaction) throws -> Result<VaultReceipt, VaultRefusal> {
    try state.withLock { state in
      try catchUp(&state)
      var vault = state.vault
      let result = vault.apply(transaction)
      guard case .success(let receipt) = result else { return result }
      if case .alreadyPosted = receipt { return result }
      let number = state.count + 1
      try tables.append(
        environment, number, transaction, snapshot: number % Self.snapshotInterval == 0 ? vault : nil)
      state.vault = vault
      state.count = number
      return result
    }
  }

  /// Reads the vault as it stands.
  public func read<R>(_ body: (Vault) throws -> R) rethrows -> R {
    try state.withLock { state in
      // A ledger that cannot be read refuses the next transaction, and says why.
      try? catchUp(&state)
      return try body(state.vault)
    }
  }

  /// Takes up what another process has written: the coordinator's owner before this one.
  private func catchUp(_ state: inout State) throws {
    try tables.forEach(environment, from: state.count + 1) { number, transaction in
      _ = state.vault.apply(transaction)
      state.count = number
    }
  }
}

/// A read-only view of a ledger, for auditors: every transaction that the settlement layer accepted, in order.
public struct LedgerReader {
  let environment: LMDBEnvironment
  let tables: LedgerTables

  public init(directory: String) throws {
    environment = try LMDBEnvironment(reading: directory)
    tables = try LedgerTables(environment)
  }

  public func forEachTransaction(_ body: (VaultTransaction) throws -> Void) throws {
    try tables.forEach(environment, from: 1) { _, transaction in try body(transaction) }
  }
}

/// The databases of a ledger: `transactions` by number from 1, and `meta` with version, rules and the last snapshot.
struct LedgerTables: Sendable {
  let transactions: LMDBDatabase<UInt64>
  let meta: LMDBDatabase<String>

  init(_ environment: LMDBEnvironment) throws {
    transactions = try environment.database(named: "transactions", keys: UInt64.self)
    meta = try environment.database(named: "meta", keys: String.self)
  }

  /// The last snapshot and the number of its last transaction; a new ledger is made with `rules`.
  func load(_ environment: LMDBEnvironment, _ rules: VaultRules) throws -> (Vault, UInt64) {
    let stored = try stored(environment)
    guard let stored else {
      var transaction = try environment.beginWriting()
      var writer = ByteWriter()
      writer.u32(LedgerStore.formatVersion)
      rules.write(to: &writer)
      try transaction.put(writer.bytes, at: "rules", in: meta)
      try transaction.commit()
      return (Vault(rules), 0)
    }
    guard stored.rules == rules else {
      throw LedgerError(path: environment.directory, reason: "it was made with the rules of another market")
    }
    return stored.snapshot ?? (Vault(rules), 0)
  }

  private func stored(
    _ environment: LMDBEnvironment
  ) throws -> (rules: VaultRules, snapshot: (Vault, UInt64)?)? {
    let transaction = try environment.beginReading()
    guard let value = try transaction.value(at: "rules", in: meta) else { return nil }
    var reader = ByteReader(value)
    let version = reader.u32()
    guard version == LedgerStore.formatVersion else {
      throw LedgerError(
        path: environment.directory,
        reason: "format version \(version) is unknown; this build reads \(LedgerStore.formatVersion)")
    }
    let rules = VaultRules(from: &reader)
    guard reader.isExhausted else { throw LedgerError(path: environment.directory, reason: "its rules are damaged") }
    guard let value = try transaction.value(at: "snapshot", in: meta) else { return (rules, nil) }
    reader = ByteReader(value)
    let checksum = reader.u32()
    guard value.count > 4, CRC32C.checksum(UnsafeRawBufferPointer(rebasing: value[4...])) == checksum else {
      return (rules, nil)
    }
    let number = reader.u64()
    let vault = Vault(from: &reader)
    return (rules, reader.isExhausted ? (vault, number) : nil)
  }

  func append(
    _ environment: LMDBEnvironment, _ number: UInt64, _ vaultTransaction: VaultTransaction, snapshot: Vault?
  ) throws {
    var writer = ByteWriter(capacity: 4_096)
    writer.u32(0)
    vaultTransaction.write(to: &writer)
    Self.patchChecksum(&writer)
    var transaction = try environment.beginWriting()
    guard try transaction.put(writer.bytes, at: number, in: transactions, .append) else {
      throw LedgerError(path: environment.directory, reason: "transaction \(number) is there already")
    }
    if let snapshot {
      writer.clear()
      writer.u32(0)
      writer.u64(number)
      snapshot.write(to: &writer)
      Self.patchChecksum(&writer)
      try transaction.put(writer.bytes, at: "snapshot", in: meta)
    }
    try transaction.commit()
  }

  private static func patchChecksum(_ writer: inout ByteWriter) {
    let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: writer.bytes[4...]))
    writer.patch(checksum, at: 0)
  }

  /// Walks the transactions from `first` on; a damaged one is refused by its number.
  func forEach(
    _ environment: LMDBEnvironment, from first: UInt64, _ body: (UInt64, VaultTransaction) throws -> Void
  ) throws {
    let transaction = try environment.beginReading()
    try transaction.withCursor(over: transactions) { cursor in
      var record = try cursor.seek(first)
      while let found = record {
        try body(found.key, Self.transaction(found, environment))
        record = try cursor.next()
      }
    }
  }
}

/// A ledger that cannot be used.
public struct LedgerError: Error, CustomStringConvertible {
  public var path: String
  public var reason: String
  public var description: String { "\(path): \(reason)" }
}
