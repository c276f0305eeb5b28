import Bytes
import Machine
import Market
import Matching

/// One matching shard, driven in process through the same `apply` that the matcher's runtime calls, with inputs encoded
/// as they stand in a journal.
public struct LoneShard: ~Copyable {
  public private(set) var machine = ShardMachine(id: .shard(ShardID(0)))
  /// What the inputs applied since the last `clear` have said.
  public var output = OutputBuffer(capacity: 1 << 22)
  private var market: RecordedMarket
  private var sequence: UInt64 = 0

  /// A shard of `market`, ready to trade.
  public init(_ market: RecordedMarket) {
    self.market = market
    input(RecordedMarket.Input(kind: .genesis, payload: market.definition.encoded))
    for opening in market.opening { input(opening) }
    output.clear()
  }

  private mutating func nextHeader(_ kind: InputKind) -> InputHeader {
    sequence += 1
    return InputHeader(sequence: SequenceNumber(sequence), stamp: market.stamp, term: Term(1), kind: kind)
  }

  private mutating func input(_ input: RecordedMarket.Input) {
    var header = nextHeader(input.kind)
    header.source = input.source
    header.firstNumber = input.number
    header.count = input.number > 0 ? 1 : 0
    input.payload.withUnsafeBytes { machine.apply(header, $0, into: &output) }
  }

  /// Applies one input, stamped as the last action encoded; returns the nanoseconds that it took by the clock.
  @discardableResult
  public mutating func apply(_ kind: InputKind, _ payload: UnsafeRawBufferPointer) -> UInt64 {
    let header = nextHeader(kind)
    let start = monotonicTime()
    machine.apply(header, payload, into: &output)
    return monotonicTime() &- start
  }

  /// Whether work is left that a step's bound has put off; every `tick` does a step of it.
  public var isBehind: Bool { machine.nextDeadline <= market.stamp }

  /// Ends the epoch, as the runtime would, so that what an epoch gathers stays small.
  public mutating func seal() {
    let seal = Seal(
      epoch: machine.epoch, term: Term(1), firstSequence: SequenceNumber(1), lastSequence: SequenceNumber(sequence),
      chainHead: .zero, entryRoot: .zero)
    input(RecordedMarket.Input(kind: .seal, payload: seal.encoded))
    output.clear()
  }

  /// Appends one signed action of one operation.
  public mutating func encode(
    _ operation: Operation, account: UInt32, nonce: UInt64, into writer: inout ByteWriter
  ) {
    market.encode(operation, account: account, nonce: nonce, into: &writer)
  }

  /// Appends one signed action of up to 256 operations.
  public mutating func encode(
    _ operations: [Operation], account: UInt32, nonce: UInt64, into writer: inout ByteWriter
  ) {
    market.encode(operations, account: account, nonce: nonce, into: &writer)
  }

  /// Applies `actions` of one operation each, encoded one after another; the last one is stamped `stamp`.
  public mutating func apply(actions: UnsafeRawBufferPointer) { apply(actions, times: nil) }

  /// Applies `actions` likewise, and writes the nanoseconds that each took to `times`.
  public mutating func apply(actions: UnsafeRawBufferPointer, times: UnsafeMutablePointer<UInt32>) {
    apply(actions, times: times)
  }

  /// Inlined, so that the way without a clock has no trace of it.
  @inline(__always)
  private mutating func apply(_ actions: UnsafeRawBufferPointer, times: UnsafeMutablePointer<UInt32>?) {
    let count = actions.count / RecordedMarket.actionBytes
    var header = InputHeader(
      sequence: SequenceNumber(sequence), stamp: market.stamp, term: Term(1), kind: .action)
    let first = market.stamp.nanoseconds - Int64(count) * RecordedMarket.pace.nanoseconds
    for place in 0..<count {
      header.sequence = SequenceNumber(sequence + UInt64(place) + 1)
      header.stamp = Timestamp(nanoseconds: first + Int64(place + 1) * RecordedMarket.pace.nanoseconds)
      let action = UnsafeRawBufferPointer(
        rebasing: actions[place * RecordedMarket.actionBytes..<(place + 1) * RecordedMarket.actionBytes])
      guard let times else {
        machine.apply(header, action, into: &output)
        continue
      }
      let start = monotonicTime()
      machine.apply(header, action, into: &output)
      times[place] = UInt32(clamping: monotonicTime() &- start)
    }
    sequence += UInt64(count)
  }
}
