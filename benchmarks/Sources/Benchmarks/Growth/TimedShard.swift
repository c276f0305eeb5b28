import Bytes
import Machine
import Market
import Replay

/// One matching shard in this process, whose every input is timed.
struct TimedShard: ~Copyable {
  static let accounts: UInt32 = 64
  /// The price around which the benchmarks trade.
  static let middle: Int64 = 2_000_000

  private var shard: LoneShard
  private var nonce: UInt64 = 0
  private var encoded = ByteWriter(capacity: 1 << 20)

  init(instruments: Int) {
    shard = LoneShard(RecordedMarket(instruments: instruments, accounts: Int(Self.accounts), mark: Self.middle))
  }

  /// Applies one action of up to 256 operations; returns its nonce and the nanoseconds that it took.
  @discardableResult
  mutating func act(_ account: UInt32, _ operations: [Market.Operation]) -> (nonce: UInt64, nanoseconds: UInt64) {
    nonce += 1
    encoded.clear()
    shard.encode(operations, account: account, nonce: nonce, into: &encoded)
    let nanoseconds = shard.apply(.action, encoded.bytes)
    shard.output.clear()
    return (nonce, nanoseconds)
  }

  /// Goes on with what a step's bound has left; returns the nanoseconds that it took.
  mutating func finish() -> UInt64 {
    var nanoseconds: UInt64 = 0
    while shard.isBehind {
      nanoseconds += shard.apply(.tick, UnsafeRawBufferPointer(start: nil, count: 0))
      shard.output.clear()
    }
    return nanoseconds
  }

  /// Ends the epoch, so that what an epoch gathers stays small.
  mutating func seal() { shard.seal() }
}
