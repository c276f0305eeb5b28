import CLMDB
import Glibc
import Synchronization

/// The one LMDB handle that this process has on a directory, shared by all who open it here.
///
/// LMDB's lock file is held by POSIX record locks, which the first `close` in a process drops for all: a second handle
/// on the same directory would unprotect the first. What counts is the data file: where another was put in its place, a
/// restored copy or another's, the handle of the one before sees what is gone, and the next to open gets a new one.
final class SharedEnvironment: @unchecked Sendable {
  private struct FileIdentity: Hashable {
    var device: UInt64
    var file: UInt64

    /// Of the data file in `directory`; `nil` if there is none.
    init?(in directory: String) {
      var status = stat()
      guard stat("\(directory)/data.mdb", &status) == 0 else { return nil }
      device = UInt64(status.st_dev)
      file = UInt64(status.st_ino)
    }
  }
  private static let open = Mutex<[FileIdentity: SharedEnvironment]>([:])

  /// LMDB's handle; it may be used from any thread.
  let handle: OpaquePointer
  let isReadOnly: Bool
  /// Why writing has ended, if it has.
  let endOfTerm = Mutex<String?>(nil)
  private let identity: FileIdentity
  /// Guarded by the lock of `open`.
  private var users = 1

  private init(handle: OpaquePointer, isReadOnly: Bool, identity: FileIdentity) {
    self.handle = handle
    self.isReadOnly = isReadOnly
    self.identity = identity
  }

  static func open(
    _ directory: String, _ configuration: LMDBConfiguration, readOnly: Bool
  ) throws(JournalError) -> SharedEnvironment {
    let result = open.withLock { open -> Result<SharedEnvironment, JournalError> in
      if let identity = FileIdentity(in: directory), let shared = open[identity] {
        guard readOnly || !shared.isReadOnly else { return .failure(.openReadOnly(path: directory)) }
        shared.users += 1
        return .success(shared)
      }
      return make(directory, configuration, readOnly: readOnly).flatMap { handle in
        guard let identity = FileIdentity(in: directory) else {
          mdb_env_close(handle)
          return .failure(.noJournal(path: directory))
        }
        let shared = SharedEnvironment(handle: handle, isReadOnly: readOnly, identity: identity)
        open[identity] = shared
        return .success(shared)
      }
    }
    return try result.get()
  }

  /// Whether the data file in `directory` is still the one that was opened.
  func isCurrent(in directory: String) -> Bool { FileIdentity(in: directory) == identity }

  /// Lets go of one use; the last one closes LMDB's handle.
  func close() {
    Self.open.withLock { open in
      users -= 1
      guard users == 0 else { return }
      open[identity] = nil
      mdb_env_close(handle)
    }
  }

  private static func make(
    _ directory: String, _ configuration: LMDBConfiguration, readOnly: Bool
  ) -> Result<OpaquePointer, JournalError> {
    var handle: OpaquePointer?
    var flags = UInt32(MDB_NOTLS)
    if readOnly { flags |= UInt32(MDB_RDONLY) }
    #if NOVATION_PLANT
      if JournalFaults.skipSync.load(ordering: .relaxed) { flags |= UInt32(MDB_NOSYNC) }
    #endif
    let steps: [(String, () -> Int32)] = [
      ("mdb_env_create", { mdb_env_create(&handle) }),
      ("mdb_env_set_maxdbs", { mdb_env_set_maxdbs(handle, configuration.databases) }),
      ("mdb_env_set_maxreaders", { mdb_env_set_maxreaders(handle, configuration.readers) }),
      // A reader takes the size that the writer has written into the file.
      ("mdb_env_set_mapsize", { readOnly ? 0 : mdb_env_set_mapsize(handle, wholePages(configuration.mapSize)) }),
      ("mdb_env_open", { mdb_env_open(handle, directory, flags, 0o600) }),
    ]
    for (operation, step) in steps {
      let code = step()
      guard code != 0 else { continue }
      if let handle { mdb_env_close(handle) }
      if readOnly, code == ENOENT { return .failure(.noJournal(path: directory)) }
      return .failure(.failed(operation: operation, path: directory, code: code))
    }
    return .success(handle!)
  }
}

/// The size of the memory pages that hold `bytes`.
private func wholePages(_ bytes: Int) -> Int {
  let page = sysconf(Int32(_SC_PAGESIZE))
  return (bytes + page - 1) / page * page
}

/// Makes the directory and those above it, as far as they are missing.
func makeDirectory(_ directory: String) throws(JournalError) {
  if mkdir(directory, 0o700) == 0 || errno == EEXIST { return }
  if errno == ENOENT, let slash = directory.lastIndex(of: "/"), slash != directory.startIndex {
    try makeDirectory(String(directory[..<slash]))
    if mkdir(directory, 0o700) == 0 || errno == EEXIST { return }
  }
  throw .failed(operation: "mkdir", path: directory, code: errno)
}
