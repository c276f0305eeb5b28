import Bytes

/// Risk to every shard: refuse the account's orders, cancel all that rest, set its ceiling to U.
public struct Freeze: StreamMessage, Hashable {
  public static let kind = MessageKind.freeze
  public var account: AccountID
  /// Names this liquidation; grows with each freeze of any account.
  public var id: UInt64
  public init(account: AccountID, id: UInt64) {
    self.account = account
    self.id = id
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    writer.u64(id)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    id = reader.u64()
  }
}

/// Shard to risk: the freeze holds; no fill of the account after `fillNumber` comes from its own orders.
public struct FreezeTaken: StreamMessage, Hashable {
  public static let kind = MessageKind.freezeTaken
  public var account: AccountID
  public var id: UInt64
  /// The shard's last fill number when it froze the account.
  public var fillNumber: UInt64
  public var consumed: Money
  public init(account: AccountID, id: UInt64, fillNumber: UInt64, consumed: Money) {
    self.account = account
    self.id = id
    self.fillNumber = fillNumber
    self.consumed = consumed
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    writer.u64(id)
    writer.u64(fillNumber)
    consumed.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    id = reader.u64()
    fillNumber = reader.u64()
    consumed = Money(from: &reader)
  }
}

/// Risk to every shard: the freeze `id` is over.
public struct Release: StreamMessage, Hashable {
  public static let kind = MessageKind.release
  public var account: AccountID
  public var id: UInt64
  public init(account: AccountID, id: UInt64) {
    self.account = account
    self.id = id
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    writer.u64(id)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    id = reader.u64()
  }
}

/// Risk to one shard: reduce the account's position by an IOC of `lots` no worse than `limit`. It carries no charge and
/// never goes through zero. The same `step` twice is done once.
public struct Liquidate: StreamMessage, Hashable {
  public static let kind = MessageKind.liquidate
  public var account: AccountID
  /// The freeze it belongs to.
  public var id: UInt64
  /// Counts the steps of risk's liquidations; grows always.
  public var step: UInt64
  public var instrument: InstrumentID
  /// Positive buys, negative sells.
  public var lots: Lots
  public var limit: Price
  public init(account: AccountID, id: UInt64, step: UInt64, instrument: InstrumentID, lots: Lots, limit: Price) {
    self.account = account
    self.id = id
    self.step = step
    self.instrument = instrument
    self.lots = lots
    self.limit = limit
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    writer.u64(id)
    writer.u64(step)
    instrument.write(to: &writer)
    lots.write(to: &writer)
    limit.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    id = reader.u64()
    step = reader.u64()
    instrument = InstrumentID(from: &reader)
    lots = Lots(from: &reader)
    limit = Price(from: &reader)
  }
}

/// Shard to risk: how a `Liquidate` ended; its fills were sent before it.
public struct LiquidationResult: StreamMessage, Hashable {
  public static let kind = MessageKind.liquidationResult
  public var account: AccountID
  public var step: UInt64
  /// Signed lots filled.
  public var filled: Lots
  /// `filled`, `residualCancelled`, or why nothing was done (`riskSilent`/`marksSilent` mean: retry).
  public var outcome: Outcome
  public init(account: AccountID, step: UInt64, filled: Lots, outcome: Outcome) {
    self.account = account
    self.step = step
    self.filled = filled
    self.outcome = outcome
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    writer.u64(step)
    filled.write(to: &writer)
    writer.u16(outcome.rawValue)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    step = reader.u64()
    filled = Lots(from: &reader)
    outcome = reader.enumeration(Outcome.self, otherwise: .malformed)
  }
}

/// Risk to the owning shard: the instrument has expired; cash-settle every position with the underlying at `index`.
public struct Settle: StreamMessage, Hashable {
  public static let kind = MessageKind.settle
  public var instrument: InstrumentID
  /// Index price of the underlying at expiry, USD.
  public var index: Price
  public init(instrument: InstrumentID, index: Price) {
    self.instrument = instrument
    self.index = index
  }
  public func write(to writer: inout ByteWriter) {
    instrument.write(to: &writer)
    index.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    instrument = InstrumentID(from: &reader)
    index = Price(from: &reader)
  }
}

/// Risk to every shard: refuse new orders and replaces (`isHalted`), or take them again.
public struct Halt: StreamMessage, Hashable {
  public static let kind = MessageKind.halt
  public var isHalted: Bool
  public init(isHalted: Bool) { self.isHalted = isHalted }
  public func write(to writer: inout ByteWriter) { writer.bool(isHalted) }
  public init(from reader: inout ByteReader) { isHalted = reader.bool() }
}
