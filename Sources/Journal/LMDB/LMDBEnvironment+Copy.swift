import CLMDB
import Glibc

extension LMDBEnvironment {
  /// Copies the data as of the last commit into `directory`, which is made if need be and must hold no data file yet,
  /// without the pages that are free. Whoever writes goes on meanwhile. The copy is on disk when this returns.
  public func copy(to directory: String) throws(JournalError) {
    try makeDirectory(directory)
    try check(mdb_env_copy2(handle, directory, UInt32(MDB_CP_COMPACT)), "mdb_env_copy2 to \(directory)")
    // As closed to others as what it is a copy of; LMDB leaves it as open as the process's mask says.
    guard chmod("\(directory)/data.mdb", 0o600) == 0 else {
      throw .failed(operation: "chmod", path: directory, code: errno)
    }
    for path in ["\(directory)/data.mdb", directory] {
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw .failed(operation: "open", path: path, code: errno) }
      defer { close(descriptor) }
      guard fsync(descriptor) == 0 else { throw .failed(operation: "fsync", path: path, code: errno) }
    }
  }
}

extension JournalReader {
  /// Copies the journal as of the last commit into `directory`, see `LMDBEnvironment.copy`.
  public func copy(to directory: String) throws(JournalError) { try store.environment.copy(to: directory) }
}
