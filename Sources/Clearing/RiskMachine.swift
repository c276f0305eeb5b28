import Bytes
import Machine
import Market

/// The aggregator: nets every account's portfolio over all shards, lays out credit ceilings, reduces accounts that fall
/// below maintenance margin, and is the only writer of deposits and withdrawals.
///
/// Integers only. A shard's fills, the coordinator's deposits and the oracle's marks come in; ceilings, freezes,
/// reducing orders, settlements and one commitment an epoch go out. What one capability decides stands in its own
/// folder: `Accounts`, `Margin`, `Credit`, `Protection`, `Liquidation`, `Withdrawals`, `Listing`, `Epochs`.
public struct RiskMachine: ~Copyable, Machine {
  public static let snapshotVersion: UInt16 = 2

  let id: MachineID
  /// False until the genesis input; until then every input is ignored.
  var isOpen = false
  var board: RiskBoard
  var book: AccountBook
  var timers = TimerQueue()
  public internal(set) var streams = StreamNumbers()
  public internal(set) var epoch = Epoch(0)
  /// The newest stamp seen.
  var now = Timestamp.zero

  /// By shard: stamp of the newest heartbeat heard, and number of the last fill consumed.
  var heard: [Timestamp] = []
  var fillNumbers: [UInt64] = []
  var heartbeatNumber: UInt64 = 0
  var nextHeartbeat = Timestamp.never
  /// Ids given to freezes and to liquidation steps so far.
  var lastFreeze: UInt64 = 0
  var lastStep: UInt64 = 0
  var finality = FinalityWatch()
  var lastListing = LastListing()
  var ledgers: EpochLedger
  /// Inputs and messages that were refused: for operators, and a sign that a peer is not what it should be.
  public internal(set) var refusals: UInt64 = 0

  /// Requests to answer, accounts that got credit back, and accounts to look at, when the present input's messages have
  /// all been consumed, in order of arrival; empty between inputs. A ceiling raised in the midst would be judged by
  /// fills that came after it.
  var requests: [(shard: Int, request: CreditRequest)] = []
  var returns: [Int] = []
  var reviews: [Int] = []
  /// Scratch memory of measurements.
  var sums = ScenarioSums()

  #if NOVATION_PLANT
    public var faults: RiskFaults = []
  #endif

  public init(id: MachineID) {
    self.id = id
    board = .blank
    book = AccountBook(underlyings: 0)
    ledgers = EpochLedger(currencies: 1, instruments: 0)
  }

  public var nextDeadline: Timestamp { isOpen ? min(nextHeartbeat, timers.nextDeadline) : .never }

  public mutating func apply(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer
  ) {
    guard isOpen else {
      if header.kind == .genesis { open(payload, at: header.stamp) }
      return
    }
    now = max(now, header.stamp)
    fireTimers(into: &output)
    switch header.kind {
    case .tick, .continuation, .handOver: break
    case .seal: seal(payload, into: &output)
    case .action: act(header, payload, into: &output)
    case .stream: consume(header, payload, into: &output)
    case .marks: mark(payload, into: &output)
    case .quarantined: passOver(header, payload, into: &output)
    case .genesis, .sessionEnd, .attestation, .settlementEvent: refusals &+= 1
    }
    concludeInput(into: &output)
  }

  private mutating func open(_ payload: UnsafeRawBufferPointer, at stamp: Timestamp) {
    guard let definition = try? MarketDefinition(decoding: payload), let board = RiskBoard(definition) else {
      refusals &+= 1
      return
    }
    prepare(board)
    now = max(.zero, stamp)
    epoch = Epoch(1)
    nextHeartbeat = now + heartbeatInterval
    finality.lastFinalAt = now
    book.open(account(.house, owner: .zero))
  }

  /// Sizes everything for a market.
  mutating func prepare(_ board: RiskBoard) {
    self.board = board
    isOpen = true
    book = AccountBook(underlyings: board.quotations.count)
    ledgers = EpochLedger(
      currencies: board.definition.currencies.count, instruments: board.definition.instruments.count)
    heard = Array(repeating: .zero, count: shardCount)
    fillNumbers = Array(repeating: 0, count: shardCount)
  }

  /// The market as it is now: as it began, and what was listed since. Empty before the genesis input.
  public var market: MarketDefinition { board.definition }
  public var knownMarket: MarketDefinition? { board.definition.instruments.isEmpty ? nil : board.definition }
  var shardCount: Int { Int(board.definition.shardCount) }
  var parameters: MarketParameters { board.definition.parameters }
  var heartbeatInterval: Interval { max(.milliseconds(1), parameters.heartbeatInterval) }

  func machine(_ shard: Int) -> MachineID { .shard(ShardID(UInt16(shard))) }

  mutating func sendToShards(_ message: some StreamMessage, into output: inout OutputBuffer) {
    for shard in 0..<shardCount { output.send(message, to: machine(shard), &streams) }
  }
}

extension RiskBoard {
  /// The market before there is one.
  static let blank = RiskBoard(
    MarketDefinition(
      currencies: [.init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero)], underlyings: [],
      instruments: [], shardCount: 1))!
}
