import CLMDB
import Glibc
import Market

/// Why a store could not be opened, read or written: what was tried, where, and what would be right.
public enum JournalError: Error, Equatable, Sendable, CustomStringConvertible {
  /// LMDB or the system refused `operation`; `code` is LMDB's (negative) or an `errno`.
  case failed(operation: String, path: String, code: Int32)
  /// The memory map is used up, or so nearly that nothing more is begun; what was committed stays readable.
  case mapFull(path: String, mapSize: Int)
  /// An earlier commit failed, so the end of the journal is not known to be what was acknowledged: reopen and verify.
  case termEnded(path: String, cause: String)
  /// Another process (or this one) already writes this directory.
  case alreadyOwned(path: String, processID: Int32)
  /// This process has the directory open read-only, and LMDB must not be opened twice in a process.
  case openReadOnly(path: String)
  /// The directory holds another machine's journal.
  case wrongMachine(path: String, expected: MachineID, found: MachineID)
  /// The directory holds no journal.
  case noJournal(path: String)
  /// A format that this program does not know.
  case unknownVersion(path: String, part: String, found: Int, known: Int)
  /// The journal is damaged, first at this entry.
  case damaged(path: String, sequence: SequenceNumber, reason: String)
  /// An entry was asked for that has been truncated; `first` is the first that is here.
  case truncated(path: String, asked: SequenceNumber, first: SequenceNumber)
  /// Entries through `through` were to be truncated, but they are still needed.
  case stillNeeded(path: String, through: SequenceNumber, reason: String)
  /// A snapshot cannot be kept for `sequence`.
  case noPlaceForSnapshot(path: String, sequence: SequenceNumber, reason: String)
  /// A record other than an entry is damaged.
  case damagedRecord(path: String, record: String, reason: String)
  /// An entry was appended out of sequence.
  case outOfSequence(path: String, expected: SequenceNumber, found: SequenceNumber)
  /// The outbox already holds messages from this number.
  case outboxConflict(path: String, destination: MachineID, firstNumber: UInt64)

  public var description: String {
    switch self {
    case .failed(let operation, let path, let code):
      "\(path): \(operation) failed: \(String(cString: mdb_strerror(code))) (\(code))"
    case .mapFull(let path, let mapSize):
      "\(path): the map of \(mapSize) bytes is full; raise the journal's map size or truncate the journal"
    case .termEnded(let path, let cause):
      "\(path): writing has ended (\(cause)); reopen and verify before writing again"
    case .alreadyOwned(let path, let processID):
      "\(path): process \(processID) writes here; stop it first"
    case .openReadOnly(let path):
      "\(path): this process has it open read-only; close that before writing"
    case .wrongMachine(let path, let expected, let found):
      "\(path): holds the journal of \(found), not of \(expected)"
    case .noJournal(let path):
      "\(path): no journal here"
    case .unknownVersion(let path, let part, let found, let known):
      "\(path): \(part) has format version \(found); this program knows version \(known) only"
    case .damaged(let path, let sequence, let reason):
      "\(path): damaged at sequence \(sequence): \(reason); nothing is skipped: put a standby's or a verifier's copy "
        + "in its place, or start from a snapshot after it ('novation journal verify' names them, 'novation restore' "
        + "does it)"
    case .truncated(let path, let asked, let first):
      "\(path): entry \(asked) was asked for, but the journal begins with entry \(first): what came before was "
        + "truncated behind its snapshots; a backup or an auditor's export has it"
    case .stillNeeded(let path, let through, let reason):
      "\(path): entries through \(through) cannot be truncated: \(reason)"
    case .noPlaceForSnapshot(let path, let sequence, let reason):
      "\(path): no snapshot can be kept after entry \(sequence): \(reason)"
    case .damagedRecord(let path, let record, let reason):
      "\(path): \(record) is damaged: \(reason)"
    case .outOfSequence(let path, let expected, let found):
      "\(path): entry \(found) appended where \(expected) is next"
    case .outboxConflict(let path, let destination, let firstNumber):
      "\(path): the outbox for \(destination) already holds messages from number \(firstNumber)"
    }
  }
}
