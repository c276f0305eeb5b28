import Bytes
import Machine
import Market

/// A matching engine as plain as possible: arrays in order of arrival, searched from end to end. It follows the article
/// *Rules of a shard* and shares nothing with the fast one but the vocabulary.
struct NaiveEngine {
  let id: MachineID
  let shard: ShardID

  var isOpened = false
  var underlying: UnderlyingID?
  var parameters = MarketParameters()
  /// Every instrument of the market: its underlying, its shard, and its book if it has one here.
  var listed: [(underlying: UnderlyingID, shard: ShardID, book: Int?)] = []
  var books: [NaiveBook] = []

  /// In order of number: the first of a price is the oldest there.
  var orders: [NaiveOrder] = []
  /// In order of arrival.
  var stops: [NaiveStop] = []
  /// In order of request.
  var held: [NaiveHeld] = []
  /// In order of coming.
  var queue: [NaiveTicket] = []
  /// In order of start.
  var sweeps: [NaiveSweep] = []
  var jobs: [NaiveJob] = []
  var jobsStarted = 0
  var arrivals: UInt64 = 0
  var requests: UInt64 = 0

  /// The house is the first.
  var accounts: [NaiveAccount] = []
  var positions: [NaivePosition] = []
  var ledgers: [NaiveLedger] = []
  /// In order of coming.
  var nonces: [NaiveNonce] = []

  var epoch = Epoch(1)
  var streams = StreamNumbers()
  var fillNumber: UInt64 = 0
  var acceptedOperations: UInt64 = 0
  /// The encoded fills of the epoch.
  var epochFills: [UInt8] = []

  var now = Timestamp.zero
  var riskHeard = Timestamp.zero
  var marksHeard = Timestamp.zero
  var marksVersion: UInt64 = 0
  var index: Int64 = 0
  var isHalted = false
  var heartbeats: UInt64 = 0
  var nextHeartbeat = Timestamp.never

  // The input at hand.
  var sequence = SequenceNumber(0)
  var term = Term(0)
  /// Units left in this step.
  var budget = 0

  init(id: MachineID) {
    self.id = id
    shard = ShardID(id.index)
  }

  /// Stamps end here, so that a deadline after any of them can still be told from `.never`.
  static let latest = Timestamp(nanoseconds: .max / 2)

  mutating func apply(
    _ header: InputHeader, _ payload: UnsafeRawBufferPointer, into output: inout OutputBuffer
  ) {
    if !isOpened {
      if header.kind == .genesis { open(payload, at: header.stamp) }
      return
    }
    if header.stamp > now { now = min(header.stamp, Self.latest) }
    sequence = header.sequence
    term = header.term
    if header.kind == .seal { return seal(payload, into: &output) }
    budget = stepBound
    fireTimers(header.kind, into: &output)
    goOn(into: &output)
    switch header.kind {
    case .action: act(payload, into: &output)
    case .stream: consume(header, payload, into: &output)
    case .marks: takeMarks(payload)
    case .sessionEnd: endSession(payload)
    case .quarantined: passOver(header, payload, into: &output)
    case .tick, .seal, .continuation, .handOver, .genesis, .attestation, .settlementEvent: break
    }
    goOn(into: &output)
  }

  var stepBound: Int { max(1, Int(parameters.stepBound)) }

  func stateHash() -> UInt64 {
    var hasher = StateHasher()
    hash(into: &hasher)
    return hasher.value
  }
}
