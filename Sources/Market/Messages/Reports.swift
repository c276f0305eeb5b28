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
    /// An order that was held, armed, queued or sweeping now rests; or a resting one was shrunk.
    case accepted = 2
    /// A stop's trigger was met; what became of its order follows.
    case triggered = 3
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

/// One change of one order in a book, told without its owner: L3 as it is, L2 by the level's total that comes with it,
/// L1 by the best of those. A book is its snapshot plus these, in order of `sequence`.
///
/// `checksum` is Σ lots · `weight(of:_:)` over all displayed lots after the change: whoever sums their own copy, by
/// orders or by levels, and gets another number holds another book.
public struct BookDelta: ByteCodable, Sendable, Hashable, BitwiseCopyable {
  public static let byteCount = 56

  public enum Event: UInt8, Sendable, BitwiseCopyable {
    /// The order is new at this price, behind all others there.
    case added = 1
    /// It shrank in place.
    case reduced = 2
    /// It left without trading.
    case removed = 3
    /// It traded, as the maker; what the level lost is what was traded.
    case traded = 4
  }

  public var instrument: InstrumentID
  public var event: Event
  public var side: Side
  public var price: Price
  /// Lots now shown at the price; zero removes the level.
  public var lots: Lots
  /// Names the order in public for as long as it keeps its place; a refreshed iceberg has a new one.
  public var order: UInt64
  /// Lots that the order now shows; zero removes it.
  public var orderLots: Lots
  /// Counts the instrument's deltas from 1, without gaps.
  public var sequence: UInt64
  public var checksum: UInt64

  public init(
    instrument: InstrumentID, event: Event, side: Side, price: Price, lots: Lots, order: UInt64, orderLots: Lots,
    sequence: UInt64, checksum: UInt64
  ) {
    self.instrument = instrument
    self.event = event
    self.side = side
    self.price = price
    self.lots = lots
    self.order = order
    self.orderLots = orderLots
    self.sequence = sequence
    self.checksum = checksum
  }

  /// What one lot at that price adds to a book's checksum: odd, so that no change of a level goes unseen.
  @inlinable @inline(__always) public static func weight(of side: Side, _ price: Price) -> UInt64 {
    let mixed = (UInt64(bitPattern: price.units) &<< 1 | UInt64(side.rawValue)) &* 0x9E37_79B9_7F4A_7C15
    return mixed ^ mixed >> 32 | 1
  }

  public func write(to writer: inout ByteWriter) {
    instrument.write(to: &writer)
    writer.u8(event.rawValue)
    writer.u8(side.rawValue)
    writer.u16(0)
    price.write(to: &writer)
    lots.write(to: &writer)
    writer.u64(order)
    orderLots.write(to: &writer)
    writer.u64(sequence)
    writer.u64(checksum)
  }
  public init(from reader: inout ByteReader) {
    instrument = InstrumentID(from: &reader)
    event = reader.enumeration(Event.self, otherwise: .added)
    side = reader.enumeration(Side.self, otherwise: .buy)
    if reader.u16() != 0 { reader.fail() }
    price = Price(from: &reader)
    lots = Lots(from: &reader)
    order = reader.u64()
    orderLots = Lots(from: &reader)
    sequence = reader.u64()
    checksum = reader.u64()
  }
}

/// Whether and how an instrument trades.
public enum TradingState: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// Continuously.
  case open = 0
  /// Only cancels and amendments.
  case halted = 1
  /// Orders gather for a call auction.
  case auction = 2
  /// The auction's orders are being matched at its one price.
  case uncrossing = 3
}

/// An instrument's trading state, and in an auction what it would come to now.
public struct InstrumentStatus: ByteCodable, Sendable, Hashable, BitwiseCopyable {
  public var instrument: InstrumentID
  public var state: TradingState
  /// When the auction ends; zero outside one.
  public var until: Timestamp
  /// The price at which the auction would uncross, or does; zero where nothing crosses.
  public var price: Price
  /// Lots that would trade at that price.
  public var volume: Lots
  /// Lots bid minus lots offered at that price.
  public var imbalance: Lots
  /// The instrument's last book delta before this.
  public var sequence: UInt64
  public init(
    instrument: InstrumentID, state: TradingState, until: Timestamp = .zero, price: Price = .zero,
    volume: Lots = .zero, imbalance: Lots = .zero, sequence: UInt64
  ) {
    self.instrument = instrument
    self.state = state
    self.until = until
    self.price = price
    self.volume = volume
    self.imbalance = imbalance
    self.sequence = sequence
  }
  public func write(to writer: inout ByteWriter) {
    instrument.write(to: &writer)
    writer.u8(state.rawValue)
    until.write(to: &writer)
    price.write(to: &writer)
    volume.write(to: &writer)
    imbalance.write(to: &writer)
    writer.u64(sequence)
  }
  public init(from reader: inout ByteReader) {
    instrument = InstrumentID(from: &reader)
    state = reader.enumeration(TradingState.self, otherwise: .open)
    until = Timestamp(from: &reader)
    price = Price(from: &reader)
    volume = Lots(from: &reader)
    imbalance = Lots(from: &reader)
    sequence = reader.u64()
  }
}
