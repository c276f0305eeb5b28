import Authority
import Market

/// What a copy of a machine is at present.
enum Reign: Equatable {
  /// It does not know yet: the authority was asked.
  case undecided
  /// It follows the owner.
  case standby
  /// It acknowledges no owner any more, and asks for the next term.
  case candidate
  /// It stamps inputs, in a term of its own.
  case owner
  /// It takes nothing more, and gives the machine to a node as soon as all is settled.
  case handingOver(to: String)
}

/// A question to the authority.
public enum AuthorityQuestion: Sendable, Hashable {
  case ownership(MachineID)
  case replace(Ownership, expecting: UInt64)
}

/// What it answered.
public enum AuthorityWord: Sendable {
  case ownership(Ownership?)
  case replacement(Replacement)
  /// Whether it was done is not known.
  case unreachable(String)
}

/// A copy that follows this owner.
struct Follower {
  var node: String
  /// The last entry sent, and the last that is durable there, which is never after it.
  var sent: SequenceNumber
  var acknowledged: SequenceNumber
  /// Monotonic time since which it has certainly been heard: when that was sent which its last word answers.
  var heardAt: Int64
  /// The journal does not hold any more what it lacks.
  var isLeftBehind = false
}

/// A copy that is being given a snapshot.
struct Receiver {
  var node: String
  /// The entry after which the snapshot was taken: what comes after it is asked for next.
  var sequence: SequenceNumber
  /// Monotonic time of its last request.
  var heardAt: Int64
}

/// Why a reign ended.
enum ReignError: Error, CustomStringConvertible {
  /// Another is the owner, or was in between.
  case deposed(MachineID, Ownership)
  /// Another copy's journal holds something else at this place.
  case diverged(MachineID, at: SequenceNumber, from: String)
  /// The end of this journal was never acknowledged and is not the owner's.
  case cut(MachineID, after: SequenceNumber)
  case noCommonGround(MachineID, with: String)
  /// Its clock is so many nanoseconds ahead of its peers': stamps would make things expire, and cannot be taken back.
  case clockAhead(MachineID, by: Int64, of: [MachineID])
  /// A consumer has more of a stream than the journal has ever sent: an older copy of the journal was put back.
  case oldCopy(MachineID, MachineID, has: UInt64, sent: UInt64)

  var description: String {
    switch self {
    case .deposed(let id, let record):
      "\(id): \(record.owner.isEmpty ? "nobody" : record.owner) owns it, in term \(record.term)"
    case .diverged(let id, let sequence, let node):
      "\(id): the journal differs from that of \(node) at entry \(sequence)"
    case .cut(let id, let sequence):
      "\(id): what this journal holds after entry \(sequence) is not the owner's and was removed"
    case .oldCopy(let id, let consumer, let has, let sent):
      "\(id): this journal is an old copy: \(consumer) has message \(has) of its stream, and it has only sent "
        + "\(sent); put the newest copy back, or let it follow a standby that has it (novation restore, novation "
        + "shard move)"
    case .clockAhead(let id, let nanoseconds, let peers):
      "\(id): its clock is \(nanoseconds / 1_000_000) ms ahead of its peers' "
        + "(\(peers.map(\.description).joined(separator: ", "))), more than is stamped; set this host's clock right"
    case .noCommonGround(let id, let node): "\(id): the journal of \(node) has no batch in common with this one"
    }
  }
}
