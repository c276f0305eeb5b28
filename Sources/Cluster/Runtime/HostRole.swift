import Journal
import Machine
import Market
import Wire

/// What a role adds to the common host.
public struct HostRole<M: Machine & ~Copyable>: Sendable {
  /// Machines whose streams it consumes.
  public var sources: [MachineID]
  /// Input kinds that peers may bring, with the role a peer must have.
  public var admits: [FrameKind: ClusterMap.Role]
  /// Figures and texts of the machine for `status`.
  public var figures: @Sendable (borrowing M) -> (figures: [String: Int64], texts: [String: String])
  /// Answers a query other than `status`; a thrown error becomes its text.
  public var answer: @Sendable (borrowing M, Query) throws -> HostAnswer
  /// Carries out an effect; called on the loop, after the commit.
  public var effect: @Sendable (_ code: UInt32, _ payload: [UInt8]) throws -> HostReaction
  /// How the ends of clients' sessions reach it when their gateway is gone; `nil` for a machine that knows no sessions.
  public var sessions: SessionWatch.Times?
  /// Inputs that the machine missed while it was down, asked once at start.
  public var catchUp: @Sendable (borrowing M) -> [(kind: InputKind, payload: [UInt8])]

  #if NOVATION_PLANT
    /// Bugs of a test build, planted before the host serves.
    public var plant: @Sendable (inout M) -> Void = { _ in }
  #endif

  public init(
    sources: [MachineID], admits: [FrameKind: ClusterMap.Role], sessions: SessionWatch.Times? = nil,
    figures: @escaping @Sendable (borrowing M) -> (figures: [String: Int64], texts: [String: String]),
    answer: @escaping @Sendable (borrowing M, Query) throws -> HostAnswer,
    effect: @escaping @Sendable (_ code: UInt32, _ payload: [UInt8]) throws -> HostReaction = { _, _ in HostReaction()
    },
    catchUp: @escaping @Sendable (borrowing M) -> [(kind: InputKind, payload: [UInt8])] = { _ in [] }
  ) {
    self.sources = sources
    self.admits = admits
    self.sessions = sessions
    self.figures = figures
    self.answer = answer
    self.effect = effect
    self.catchUp = catchUp
  }
}

/// Limits of one host.
public struct HostConfiguration: Sendable {
  public var journal = JournalConfiguration()
  public var retention = JournalRetention()
  /// Frames taken from one socket in one turn.
  public var framesPerTurn = 256
  /// Batches that are closed and have not left; beyond it input waits.
  public var batchesInFlight = 8
  /// Inputs after which a commit is due, though more are waiting.
  public var inputsPerCommit = 1_024
  /// Least time between two commits while actions keep coming.
  public var urgentCommitNanoseconds: Int64 = 3_000_000
  /// Longest time that an input from another machine, which no client waits for, is kept from a commit.
  public var relaxedCommitNanoseconds: Int64 = 10_000_000
  /// Between signs of life from an owner to those that follow it.
  public var lifeNanoseconds: Int64 = 50_000_000
  /// Silence after which a standby is no longer waited for.
  public var followerSilenceNanoseconds: Int64 = 1_000_000_000
  /// Entries on their way to a standby that it has not acknowledged.
  public var followerWindow: UInt64 = 32_768
  /// Time until the authority is asked again when it gave no answer.
  public var authorityRetryNanoseconds: Int64 = 100_000_000
  /// Time that a copy is given to take over what was handed to it.
  public var handOverNanoseconds: Int64 = 2_000_000_000
  /// An owner's node that never had a lease is taken for gone after this time.
  public var absenceNanoseconds: Int64 = 5_000_000_000
  /// Longest time that an owner which was started again waits to hear from all consumers of its streams.
  public var consumerNanoseconds: Int64 = 2_000_000_000
  /// Between questions to peers for their clocks.
  public var clockNanoseconds: Int64 = 250_000_000
  /// A clock that is behind by more is set forward; one ahead by more than the limit stamps nothing, and after some
  /// patience stops its owner.
  public var clockToleranceNanoseconds: Int64 = 20_000_000
  public var clockLimitNanoseconds: Int64 = 500_000_000
  public var clockPatienceNanoseconds: Int64 = 1_000_000_000
  /// What an action is told to wait that was refused because the journal has no room.
  public var roomRetryMilliseconds: UInt32 = 500
  /// Ticks in one turn; a machine with more to do goes on in the next.
  public var ticksPerTurn = 16
  /// Journal entries between snapshots.
  public var snapshotEvery: UInt64 = 250_000
  public init() {}
}

/// Exit codes of a hosting process.
public enum HostExit {
  /// The term is over (a commit failed, a journal was damaged): start again.
  public static let termEnded: Int32 = 70
}
