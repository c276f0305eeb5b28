import Bytes

/// A shard's (or risk's) answer to a signed action: one outcome an operation. Not on a stream: asked again by nonce.
public struct ActionReply: ByteCodable, Sendable, Hashable {
  public struct Result: Sendable, Hashable, BitwiseCopyable {
    public static let byteCount = 10
    public var outcome: Outcome
    /// Lots filled at once (before resting or dropping the rest).
    public var filled: Lots
    public init(outcome: Outcome, filled: Lots = .zero) {
      self.outcome = outcome
      self.filled = filled
    }
  }

  public var machine: MachineID
  public var account: AccountID
  public var key: KeyID
  public var nonce: UInt64
  /// Where the action stands in the machine's journal: with the machine and term it names the acknowledgement. For a
  /// resend it is the first one's.
  public var term: Term
  public var sequence: SequenceNumber
  public var stamp: Timestamp
  /// True when this nonce was answered before and this is the same answer again.
  public var isRepeated: Bool
  public var results: [Result]
  public init(
    machine: MachineID, account: AccountID, key: KeyID, nonce: UInt64, term: Term, sequence: SequenceNumber,
    stamp: Timestamp, isRepeated: Bool, results: [Result]
  ) {
    self.machine = machine
    self.account = account
    self.key = key
    self.nonce = nonce
    self.term = term
    self.sequence = sequence
    self.stamp = stamp
    self.isRepeated = isRepeated
    self.results = results
  }
  public func write(to writer: inout ByteWriter) {
    machine.write(to: &writer)
    account.write(to: &writer)
    key.write(to: &writer)
    writer.u64(nonce)
    term.write(to: &writer)
    sequence.write(to: &writer)
    stamp.write(to: &writer)
    writer.bool(isRepeated)
    writer.u16(UInt16(results.count))
    for result in results {
      writer.u16(result.outcome.rawValue)
      result.filled.write(to: &writer)
    }
  }
  public init(from reader: inout ByteReader) {
    machine = MachineID(from: &reader)
    account = AccountID(from: &reader)
    key = KeyID(from: &reader)
    nonce = reader.u64()
    term = Term(from: &reader)
    sequence = SequenceNumber(from: &reader)
    stamp = Timestamp(from: &reader)
    isRepeated = reader.bool()
    let count = Int(reader.u16())
    results = []
    guard reader.remaining >= count * Result.byteCount else {
      reader.fail()
      return
    }
    for _ in 0..<count {
      let code = Outcome(rawValue: reader.u16())
      if code == nil { reader.fail() }
      results.append(Result(outcome: code ?? .malformed, filled: Lots(from: &reader)))
    }
  }
}

/// What happened to one account's order: a fill, or an end that the owner did not ask for in that moment.
public struct ExecutionReport: ByteCodable, Sendable, Hashable {
  public enum Event: UInt8, Sendable, BitwiseCopyable {
    case fill = 0
    /// The order ended with `outcome`.
    case ended = 1
    /// A held order was accepted and now rests.
    case accepted = 2
  }
  public var event: Event
  public var shard: ShardID
  public var sequence: SequenceNumber
  public var stamp: Timestamp
  public var order: OrderID
  public var instrument: InstrumentID
  public var outcome: Outcome
  /// The fill's own numbers; zero unless `event` is `fill`.
  public var fillNumber: UInt64
  public var lots: Lots
  public var price: Price
  public var fee: Money
  /// Open lots afterwards.
  public var remaining: Lots
  public var isMaker: Bool
  public init(
    event: Event, shard: ShardID, sequence: SequenceNumber, stamp: Timestamp, order: OrderID,
    instrument: InstrumentID, outcome: Outcome, fillNumber: UInt64 = 0, lots: Lots = .zero, price: Price = .zero,
    fee: Money = .zero, remaining: Lots = .zero, isMaker: Bool = false
  ) {
    self.event = event
    self.shard = shard
    self.sequence = sequence
    self.stamp = stamp
    self.order = order
    self.instrument = instrument
    self.outcome = outcome
    self.fillNumber = fillNumber
    self.lots = lots
    self.price = price
    self.fee = fee
    self.remaining = remaining
    self.isMaker = isMaker
  }
  public func write(to writer: inout ByteWriter) {
    writer.u8(event.rawValue)
    shard.write(to: &writer)
    sequence.write(to: &writer)
    stamp.write(to: &writer)
    order.write(to: &writer)
    instrument.write(to: &writer)
    writer.u16(outcome.rawValue)
    writer.u64(fillNumber)
    lots.write(to: &writer)
    price.write(to: &writer)
    fee.write(to: &writer)
    remaining.write(to: &writer)
    writer.bool(isMaker)
  }
  public init(from reader: inout ByteReader) {
    event = reader.enumeration(Event.self, otherwise: .ended)
    shard = ShardID(from: &reader)
    sequence = SequenceNumber(from: &reader)
    stamp = Timestamp(from: &reader)
    order = OrderID(from: &reader)
    instrument = InstrumentID(from: &reader)
    outcome = reader.enumeration(Outcome.self, otherwise: .malformed)
    fillNumber = reader.u64()
    lots = Lots(from: &reader)
    price = Price(from: &reader)
    fee = Money(from: &reader)
    remaining = Lots(from: &reader)
    isMaker = reader.bool()
  }
}

/// A price level's new total after a step: the book of one instrument is its snapshot plus these, in order.
public struct BookDelta: ByteCodable, Sendable, Hashable, BitwiseCopyable {
  public static let byteCount = 29
  public var instrument: InstrumentID
  public var side: Side
  public var price: Price
  /// Lots now open at the price; zero removes the level.
  public var lots: Lots
  /// Counts the instrument's deltas from 1, without gaps.
  public var sequence: UInt64
  public init(instrument: InstrumentID, side: Side, price: Price, lots: Lots, sequence: UInt64) {
    self.instrument = instrument
    self.side = side
    self.price = price
    self.lots = lots
    self.sequence = sequence
  }
  public func write(to writer: inout ByteWriter) {
    instrument.write(to: &writer)
    writer.u8(side.rawValue)
    price.write(to: &writer)
    lots.write(to: &writer)
    writer.u64(sequence)
  }
  public init(from reader: inout ByteReader) {
    instrument = InstrumentID(from: &reader)
    side = reader.enumeration(Side.self, otherwise: .buy)
    price = Price(from: &reader)
    lots = Lots(from: &reader)
    sequence = reader.u64()
  }
}
