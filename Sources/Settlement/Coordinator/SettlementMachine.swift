import Bytes
import Machine
import Market

/// The settlement coordinator: opens epochs, collects the machines' commitments, checks that nothing was minted,
/// applies the deltas to the account tree, waits for the verifiers' quorum and has the epoch posted.
///
/// ```
/// seal e → commitments of e from all → sums balance → tree → `attest` → quorum → `post` → posted → final → risk
/// ```
///
/// Several epochs may be on the way at once; each is applied and posted only after the one before it. A breach stops
/// posting for good. Killed between any two steps, it carries on with the same epoch and the same root: what it owes
/// its edge is part of its state, and `resume` says it again.
public struct SettlementMachine: ~Copyable, Machine {
  public static let snapshotVersion: UInt16 = 1
  /// An epoch is opened only while no more than this many are sealed and not final.
  public static let maximumUnfinishedEpochs = 8
  /// Every leaf is rewritten at least this often, in epochs.
  public static let refreshEpochs: UInt32 = 60
  /// Deposits that may wait for risk to consume them; more are not taken up until it does.
  public static let maximumPendingDeposits = 65_536
  /// Version of the market's parameters, as headers state it; nothing changes them yet.
  public static let parameterVersion: UInt32 = 1

  /// How far one machine's journal has been applied.
  struct Progress: Sendable {
    /// Where its next epoch must begin: entries are numbered from 1, and its seal lies between two epochs.
    var nextFirstSequence: UInt64 = 1
    var fillNumber: UInt64 = 0
  }

  let id: MachineID
  /// `nil` before the genesis input.
  var market: MarketDefinition?
  /// Who commits to an epoch, in order.
  var machines: [MachineID] = []
  public internal(set) var epoch = Epoch(0)
  public internal(set) var streams = StreamNumbers()

  // Time.
  var lastStamp = Timestamp.zero
  /// When the epoch has lasted its length; `.never` once that has fired.
  var epochDeadline = Timestamp.never
  /// The epoch has lasted its length and is not sealed yet.
  var isSealDue = false
  var heartbeatDeadline = Timestamp.never
  var heartbeatNumber: UInt64 = 0

  // Deposits.
  /// Owner of each account that a deposit has named, by id; the house has none.
  var owners: [Address] = []
  /// Number of the last deposit forwarded to risk.
  var depositsForwarded: UInt64 = 0
  /// Number of the last deposit that an applied epoch consumed.
  var depositCursor: UInt64 = 0
  /// Those between the two.
  var pendingDeposits: [Deposit] = []

  // Epochs.
  /// Sealed and not final, in order without gaps; at most one more than `maximumUnfinishedEpochs`.
  var openEpochs: [OpenEpoch] = []
  /// By place in `machines`.
  var progress: [Progress] = []
  /// By instrument and by underlying: what risk has committed, up to the last epoch applied.
  var marks: [Price?] = []
  var indices: [Price] = []
  var book = AccountBook()
  /// Of the last epoch applied.
  public internal(set) var lastHeader: EpochHeader?
  public internal(set) var lastFinalEpoch = Epoch(0)
  /// Root of the last final epoch; the empty tree's before the first.
  public internal(set) var lastFinalRoot: Digest
  /// Why it posts no more; `nil` while all is well.
  public internal(set) var stopReason: StopReason?

  #if NOVATION_PLANT
    /// Planted bugs; not part of the state.
    public var faults: SettlementFaults = []
  #endif

  public init(id: MachineID) {
    self.id = id
    lastFinalRoot = book.root
  }

  /// Root of the account tree after the last epoch applied.
  public var root: Digest { book.root }
  /// The last epoch applied; 0 before the first.
  public var lastAppliedEpoch: Epoch { lastHeader?.epoch ?? Epoch(0) }
  public var knownMarket: MarketDefinition? { market }
  /// The deposit that it takes up next: where its edge reads on.
  public var nextDeposit: UInt64 { depositsForwarded &+ 1 }

  public var wantsSeal: Bool {
    isSealDue && openEpochs.count <= Self.maximumUnfinishedEpochs && epoch.rawValue < .max
  }
  public var nextDeadline: Timestamp { min(epochDeadline, heartbeatDeadline) }

  public mutating func apply(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer
  ) {
    lastStamp = max(lastStamp, header.stamp)
    guard market != nil else {
      if header.kind == .genesis { begin(payload) }
      return
    }
    fireTimers(into: &output)
    switch header.kind {
    case .seal: seal(payload, into: &output)
    case .stream: receive(header, payload)
    case .attestation:
      if let attestation = try? Attestation(decoding: payload) { receive(attestation) }
    case .settlementEvent:
      if let event = try? SettlementEvent(decoding: payload) { receive(event, into: &output) }
    case .quarantined: passOver(header, payload)
    case .genesis, .tick, .action, .marks, .sessionEnd, .continuation, .handOver: break
    }
    advance(into: &output)
  }

  /// Takes up the market; bytes that are no market, or one with more currencies than a leaf has room for, change
  /// nothing.
  private mutating func begin(_ payload: UnsafeRawBufferPointer) {
    guard let market = try? MarketDefinition(decoding: payload), market.currencies.count <= Int(UInt8.max) else {
      return
    }
    machines = market.committingMachines
    progress = Array(repeating: Progress(), count: machines.count)
    marks = Array(repeating: nil, count: market.instruments.count)
    indices = Array(repeating: .zero, count: market.underlyings.count)
    owners = [.zero]
    epoch = Epoch(1)
    self.market = market
    epochDeadline = lastStamp + epochLength
    heartbeatDeadline = lastStamp + heartbeatInterval
  }

  // MARK: Time

  private var epochLength: Interval { atLeastOneMillisecond(market?.parameters.epochLength) }
  private var heartbeatInterval: Interval { atLeastOneMillisecond(market?.parameters.heartbeatInterval) }
  private func atLeastOneMillisecond(_ interval: Interval?) -> Interval {
    max(.milliseconds(1), interval ?? .milliseconds(1))
  }

  private mutating func fireTimers(into output: inout OutputBuffer) {
    if epochDeadline <= lastStamp {
      isSealDue = true
      epochDeadline = .never
    }
    if heartbeatDeadline <= lastStamp { sendHeartbeats(into: &output) }
  }

  private mutating func sendHeartbeats(into output: inout OutputBuffer) {
    heartbeatDeadline = lastStamp + heartbeatInterval
    heartbeatNumber &+= 1
    for machine in machines {
      output.send(Heartbeat(number: heartbeatNumber, stamp: lastStamp), to: machine, &streams)
    }
  }

  /// Ends the epoch, if that is due: a seal that it did not ask for changes nothing.
  private mutating func seal(_ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
    guard wantsSeal, let seal = try? Seal(decoding: payload), seal.epoch == epoch else { return }
    openEpochs.append(OpenEpoch(epoch: epoch, machines: machines.count))
    epoch = epoch.next
    isSealDue = false
    epochDeadline = lastStamp + epochLength
    sendHeartbeats(into: &output)
  }

  // MARK: Stopping

  /// Stops posting for good; the first reason stands.
  mutating func stop(_ reason: StopReason) {
    if stopReason == nil { stopReason = reason }
  }
}
