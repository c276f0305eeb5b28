import Bytes
import Cryptography
import Machine
import Market

/// The deterministic machine of one shard: the books of a fixed group of instruments of one underlying, the positions
/// in
/// them and every cash flow that follows, and each account's use of credit there.
///
/// ```
/// inputs                            state                                  outputs
/// genesis, seal, tick ─┐   nonces ─ accounts ─ held orders        ┌─ reply, reports, book deltas → gateways
/// action ──────────────┼──▶  │         │                    ──────┼─ fills, credit answers        → risk
/// stream (risk) ───────┤   index ─ orders ─ books (ladders)       └─ commitment, heartbeats       → settlement
/// marks, session end ──┘             │
///                                positions, ledger deltas of the epoch
/// ```
///
/// Records live in slabs of trivial types and name each other by slot, so that the path of an order allocates nothing
/// and counts no references.
public struct ShardMachine: ~Copyable, Machine {
  public static let snapshotVersion: UInt16 = 3

  /// The account that takes fees and residues.
  static let houseSlot: Slot = 1

  public let id: MachineID
  let shard: ShardID

  // The market, from genesis on.
  var isOpened = false
  var underlying: UnderlyingID?
  var parameters = MarketParameters()
  /// The higher of the two fee rates, per million.
  var feeRate: UInt32 = 0
  var instruments: [Instrument] = []
  /// The genesis payload.
  var definition: [UInt8] = []
  /// Book + 1 of each instrument of the whole market; 0 where another shard hosts it.
  var bookOfInstrument: [UInt32] = []
  /// The settlement currencies of the shard's instruments; those of the genesis ascending.
  var currencies: [Currency] = []
  var books = BookSet()
  /// Instruments listed since genesis.
  var listings: [Instrument] = []
  var placements: [Placement] = []
  /// Shards of the market that host instruments of this one's underlying: protection's limits are shared among them.
  var shardsOfUnderlying: Int64 = 1

  // Orders.
  var orders = Slab<RestingOrder>(capacity: 1 << 26)
  var orderTable = SlotTable()
  var extras = Slab<OrderExtra>(capacity: 1 << 24)
  var sessionTable = SlotTable()
  var clientTable = SlotTable()
  /// Counts what was placed or armed: time priority.
  var arrivals: UInt64 = 0

  // Orders that end later.
  var held = Slab<HeldOrder>(capacity: 1 << 20)
  var requests: UInt64 = 0
  var stops = Slab<ArmedStop>(capacity: 1 << 22)
  var stopTable = SlotTable()
  /// By book; empty until the first stop.
  var triggers: [TriggerBook] = []
  var queue = Slab<QueuedOperation>(capacity: 1 << 17)
  var firstQueued: Slot = 0
  var lastQueued: Slot = 0
  var queueCursor: Slot = 0
  var queuePass: UInt64 = 0
  var sweeps = Slab<Sweep>(capacity: 1 << 17)
  var sweepSlots: [Slot] = []
  /// By book, while one is on or has left something.
  var auctions: [Int: Auction] = [:]
  /// Σ hidden lots of icebergs by book, side and rank, where there are any.
  var hiddenAtLevel: [UInt64: Int64] = [:]

  // Accounts.
  var accounts = Slab<Account>(capacity: 1 << 22)
  var accountIndex = AccountIndex()
  var positions = Slab<Position>(capacity: 1 << 26)
  var positionTable = SlotTable()
  /// Two of each book, see `PositionList`.
  var openPositions: [PositionList] = []
  var protections = Slab<Protection>(capacity: 1 << 20)
  var protectionFills = Slab<ProtectionFill>(capacity: 1 << 24)
  var nonces = NonceLedger()

  // The epoch.
  public internal(set) var epoch = Epoch(1)
  public internal(set) var streams = StreamNumbers()
  var ledger = LedgerDeltas(currencies: 1)
  var movedAccounts: [Slot] = []
  var movedPositions: [Slot] = []
  /// Fills sent so far, in all epochs.
  public internal(set) var fillNumber: UInt64 = 0
  /// The encoded fills of this epoch, in order; hashed into the fill root at the seal, off the path of orders.
  var epochFills = ByteWriter(capacity: 1 << 12)

  // What was heard, and when.
  var now = Timestamp.zero
  var riskHeard = Timestamp.zero
  var marksHeard = Timestamp.zero
  var marksVersion: UInt64 = 0
  var index: Int64 = 0
  var isHalted = false
  /// Until when risk and marks count as heard, see `updateHeard`.
  var heardUntil = Timestamp(nanoseconds: .min)
  var heartbeats: UInt64 = 0
  var nextHeartbeat = Timestamp.never

  // Deadlines and long work.
  var timers = TimerQueue()
  /// Timers that are still wanted.
  var timedOrders = 0
  /// An order with a deadline left in this step, so the earliest deadline may have moved.
  var hasLostTimer = false
  /// Before this time an action has nothing due before it and no unfinished work, and `second` is the time's second.
  var calmUntil = Self.noTime
  /// The last input whose nonces to forget were forgotten in passing.
  var passed = SequenceNumber(0)
  /// Some order's deadline has passed, but its turn has not come.
  var isBehind = false
  /// The earliest of all deadlines.
  var wakeup = Timestamp.never
  var jobs: [Job] = []
  var jobsStarted: UInt64 = 0
  /// Some book with stops has traded since its last price was looked at.
  var hasNewLast = false
  /// These books.
  var booksWithNewLast: [Int] = []
  /// Units left in this step, see `Rules`.
  var budget = 0

  /// Live nonces of an account from which on it may only cancel: a sixteenth of the limit is kept for that.
  var openNonces: UInt32 = 0

  /// Bytes 24 to 31 of a plain action's header: the owner's key and the shard's underlying.
  var plainKey = UInt64.max

  // The time's second, divided out once.
  var second: Int64 = 0
  var secondEnd: Int64 = 0
  /// Seconds ahead that a signature's expiry may lie.
  var signatureSeconds: Int64 = 0

  // The input at hand.
  var sequence = SequenceNumber(0)
  var term = Term(0)

  /// Operations accepted so far.
  public internal(set) var acceptedOperations: UInt64 = 0

  #if NOVATION_PLANT
    /// Bugs planted by a test build.
    public var faults: ShardFaults = []
  #endif

  public init(id: MachineID) {
    assert(MemoryLayout<Account>.stride == 192 && MemoryLayout<RestingOrder>.stride == 64)
    self.id = id
    shard = ShardID(id.index)
  }

  public mutating func apply(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer
  ) {
    #if NOVATION_PLANT
      if faults.contains(.trapAtPoison), header.kind == .action, ShardFaults.isPoison(payload) {
        fatalError("planted: a poison order")
      }
    #endif
    // What has nothing due before it goes straight to its answer.
    let time = max(header.stamp, now)
    guard _fastPath(header.kind == .action), _fastPath(time < calmUntil) || forgetInPassing(header, at: time),
      let action = SignedActionView(lone: payload, plainKey)
    else { return applyInFull(header, payload, into: &output) }
    let slot = accountIndex.findDense(action.account)
    let account = accounts.base + Int(slot)
    guard let track = admitAlone(action, slot, account) else { return applyInFull(header, payload, into: &output) }
    now = time
    sequence = header.sequence
    term = header.term
    switch action.operation(0).manner & ~OperationCode.plainManner {
    case UInt64(OperationCode.cancel): cancelAlone(header, action.base, account, track, into: &output)
    case UInt64(OperationCode.new): placeAlone(header, action.base, account, track, into: &output)
    case UInt64(OperationCode.replace): replaceAlone(header, action.base, account, track, into: &output)
    default: applyInFull(header, payload, into: &output)
    }
  }

  @inline(never) mutating func applyInFull(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer
  ) {
    applyEverything(header, payload, into: &output)
    updateCalm()
  }

  @inline(never) private mutating func applyEverything(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer
  ) {
    if !isOpened {
      if header.kind == .genesis { open(payload, at: header.stamp) }
      return
    }
    if header.stamp > now { now = min(header.stamp, Self.latest) }
    sequence = header.sequence
    term = header.term
    // A seal says nothing but its commitment, so that every other output is of the epoch before it or after it; what is
    // due fires with the next input.
    if header.kind == .seal { return seal(payload, into: &output) }
    budget = stepBound
    if wakeup <= now, passed != header.sequence { fireTimers(header.kind, into: &output) }
    goOn(into: &output)
    if header.kind != .action {
      applyRare(header, payload, into: &output)
    } else {
      act(payload, into: &output)
    }
    goOn(into: &output)
    if hasLostTimer { updateWakeup() }
  }

  /// What comes seldom.
  @inline(never) private mutating func applyRare(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer
  ) {
    switch header.kind {
    case .stream: consume(header, payload, into: &output)
    case .marks: takeMarks(payload)
    case .sessionEnd: endSession(payload, into: &output)
    case .quarantined: passOver(header, payload, into: &output)
    case .action, .tick, .seal, .continuation, .handOver, .genesis, .attestation, .settlementEvent: break
    }
  }

  public var nextDeadline: Timestamp {
    if !isOpened { return .never }
    if !jobs.isEmpty && hasRunnableJob { return now }
    return max(now, wakeup)
  }

  /// Stamps end here, in 2116, so that a deadline after any of them can still be told from `.never`.
  static let latest = Timestamp(nanoseconds: .max / 2)

  /// Bounded work of one step; never zero, or nothing would ever end.
  var stepBound = 1
}
