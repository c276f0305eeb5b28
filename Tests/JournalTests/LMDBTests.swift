import Glibc
import Journal
import Machine
import Market
import Testing

@Suite struct LMDBTests {
  private let directory = TemporaryDirectory()

  private func keys(_ environment: LMDBEnvironment, _ database: LMDBDatabase<UInt64>) throws -> [UInt64] {
    let transaction = try environment.beginReading()
    return try transaction.withCursor(over: database) { cursor in
      var keys: [UInt64] = []
      while let record = try cursor.next() { keys.append(record.key) }
      return keys
    }
  }

  private func put(_ keys: [UInt64], _ environment: LMDBEnvironment, _ database: LMDBDatabase<UInt64>) throws {
    var transaction = try environment.beginWriting()
    for key in keys { try [UInt8(1)].withUnsafeBytes { _ = try transaction.put($0, at: key, in: database) } }
    try transaction.commit()
  }

  @Test func integerKeysAreInOrderOfTheirNumbers() throws {
    let environment = try LMDBEnvironment(directory: directory.path)
    let database = try environment.database(named: "numbers", keys: UInt64.self)
    try put([256, 1, .max, 255, 65_536, 0], environment, database)
    #expect(try keys(environment, database) == [0, 1, 255, 256, 65_536, .max])
  }

  @Test func aCursorSeeksDeletesAndGoesOn() throws {
    let environment = try LMDBEnvironment(directory: directory.path)
    let database = try environment.database(named: "numbers", keys: UInt64.self)
    try put([10, 20, 30, 40], environment, database)
    let transaction = try environment.beginWriting()
    var seen: [UInt64?] = []
    try transaction.withCursor(over: database) { cursor in
      seen.append(try cursor.seek(11)?.key)
      try cursor.delete()
      seen.append(try cursor.next()?.key)
      seen.append(try cursor.previous()?.key)
      seen.append(try cursor.last()?.key)
      seen.append(try cursor.seek(41)?.key)
    }
    #expect(seen == [20, 30, 10, 40, nil])
    try transaction.commit()
    #expect(try keys(environment, database) == [10, 30, 40])
  }

  @Test func modesRefuseWhatTheySay() throws {
    let environment = try LMDBEnvironment(directory: directory.path)
    let database = try environment.database(named: "numbers", keys: UInt64.self)
    try put([10], environment, database)
    var transaction = try environment.beginWriting()
    var results: [Bool] = []
    try [UInt8(2)].withUnsafeBytes { bytes in
      results.append(try transaction.put(bytes, at: 10, in: database, .insert))
      results.append(try transaction.put(bytes, at: 9, in: database, .append))
      results.append(try transaction.put(bytes, at: 11, in: database, .append))
      results.append(try transaction.put(bytes, at: 10, in: database, .replace))
      results.append(try transaction.delete(12, in: database))
      results.append(try transaction.delete(10, in: database))
    }
    #expect(results == [false, false, true, true, false, true])
    transaction.abort()
    #expect(try keys(environment, database) == [10])
  }

  @Test func aReadTransactionSeesTheCommitBeforeIt() throws {
    let environment = try LMDBEnvironment(directory: directory.path)
    let database = try environment.database(named: "numbers", keys: UInt64.self)
    let transaction = try environment.beginReading()
    try put([1], environment, database)
    let before = try transaction.value(at: 1, in: database).map { [UInt8]($0) }
    #expect(before == nil)
    let after = try environment.beginReading()
    let value = try after.value(at: 1, in: database).map { [UInt8]($0) }
    #expect(value == [1])
  }

  @Test func oneProcessSharesADirectoryItOpensTwice() throws {
    let first = try LMDBEnvironment(directory: directory.path)
    let numbers = try first.database(named: "numbers", keys: UInt64.self)
    do {
      let second = try LMDBEnvironment(reading: directory.path)
      try put([1, 2], first, numbers)
      #expect(try keys(second, second.database(named: "numbers", keys: UInt64.self)) == [1, 2])
    }
    try put([3], first, numbers)
    #expect(try keys(first, numbers) == [1, 2, 3])
  }

  @Test func whatIsOpenReadOnlyIsNotOpenedForWriting() throws {
    do {
      let environment = try LMDBEnvironment(directory: directory.path)
      _ = try environment.database(named: "numbers", keys: UInt64.self)
    }
    let reader = try LMDBEnvironment(reading: directory.path)
    #expect(throws: JournalError.openReadOnly(path: directory.path)) {
      _ = try LMDBEnvironment(directory: directory.path)
    }
    #expect(throws: JournalError.noJournal(path: directory.path)) {
      _ = try reader.database(named: "other", keys: UInt64.self)
    }
  }

  @Test func aWriteThatEndsOnAnotherThreadIsTrappedBeforeItCorruptsAnything() async throws {
    let path = directory.path
    await #expect(processExitsWith: .signal(SIGILL)) { [path = path as String] in
      let journal = try Journal(directory: path, machine: .risk)
      try journal.begin()
      var other = pthread_t()
      pthread_create(
        &other, nil,
        { argument in
          Unmanaged<Journal>.fromOpaque(argument!).takeUnretainedValue().abort()
          return nil
        }, Unmanaged.passUnretained(journal).toOpaque())
      pthread_join(other, nil)
      withExtendedLifetime(journal) { exit(0) }
    }
  }

  @Test func anErrorNamesOperationPathAndReason() {
    let error = JournalError.failed(operation: "mdb_put entries", path: "/data/risk", code: -30792)
    #expect("\(error)".contains("/data/risk: mdb_put entries failed: MDB_MAP_FULL"))
  }
}
