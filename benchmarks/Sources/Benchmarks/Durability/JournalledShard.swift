import Bytes
import Cluster
import Foundation
import Journal
import Machine
import Market
import Matching
import Replay

/// A matching shard on its journal, without a process around it: what a matcher opens when it starts.
struct JournalledShard: ~Copyable {
  private var sequencer: Sequencer<ShardMachine>
  private var market: RecordedMarket
  private let time: RecordedTime
  private var encoded = ByteWriter(capacity: RecordedMarket.actionBytes)
  private var batches = 0

  /// Inputs of a commit.
  private static let batch = 512
  /// Commits of an epoch.
  private static let epoch = 200

  /// The market's own time, as its actions are stamped.
  private final class RecordedTime: TimeSource {
    var now: Timestamp
    init(_ now: Timestamp) { self.now = now }
    func monotonic() -> Int64 { now.nanoseconds }
    func wall() -> Timestamp { now }
  }

  /// Opens the journal in `directory` and replays it, or begins it.
  init(_ market: RecordedMarket, directory: String) throws {
    let id = MachineID.shard(ShardID(0))
    let journal = try Journal(directory: directory, machine: id)
    let isNew = journal.lastSequence.rawValue == 0
    let time = RecordedTime(max(market.stamp, journal.lastStamp))
    var sequencer = try Sequencer<ShardMachine>.open(id: id, journal: journal, genesis: market.definition, time: time)
    if isNew {
      for input in market.opening {
        input.payload.withUnsafeBytes {
          _ = sequencer.submit(
            input.kind, $0, from: input.source, firstNumber: input.number, count: input.number > 0 ? 1 : 0)
        }
      }
      try sequencer.commit()
      sequencer.finishTurn()
    }
    self.sequencer = sequencer
    self.market = market
    self.time = time
  }

  /// Inputs that are durable.
  var inputs: UInt64 { sequencer.lastSequence.rawValue }

  /// Takes an action; it is durable when enough others have come, or with `commit`.
  mutating func act(_ action: ObsStream.Action) throws {
    encoded.clear()
    market.encode(action.operation, account: action.account, nonce: action.nonce, into: &encoded)
    time.now = max(time.now, market.stamp)
    sequencer.submit(.action, encoded.bytes)
    if sequencer.pendingInputs == Self.batch { try commit() }
  }

  /// Makes what has come durable.
  mutating func commit() throws {
    try sequencer.commit()
    sequencer.finishTurn()
    batches += 1
    guard batches % Self.epoch == 0 else { return }
    try sequencer.seal()
    try sequencer.commit()
    sequencer.finishTurn()
  }

  mutating func takeSnapshot() throws {
    try commit()
    try sequencer.takeSnapshot()
  }
}
