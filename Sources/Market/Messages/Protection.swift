import Bytes

/// Shard to risk: an account's market-maker protection has tripped there. Risk tells the underlying's other shards.
public struct ProtectionTripped: StreamMessage, Hashable {
  public static let kind = MessageKind.protectionTripped
  public var account: AccountID
  public var underlying: UnderlyingID
  /// When the account may quote again; `.never` until it resets.
  public var until: Timestamp
  public init(account: AccountID, underlying: UnderlyingID, until: Timestamp) {
    self.account = account
    self.underlying = underlying
    self.until = until
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    underlying.write(to: &writer)
    until.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    underlying = UnderlyingID(from: &reader)
    until = Timestamp(from: &reader)
  }
}

/// Risk to a shard: another shard of the underlying has tripped the account's protection.
public struct ProtectionFreeze: StreamMessage, Hashable {
  public static let kind = MessageKind.protectionFreeze
  public var account: AccountID
  public var until: Timestamp
  public init(account: AccountID, until: Timestamp) {
    self.account = account
    self.until = until
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    until.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    until = Timestamp(from: &reader)
  }
}

/// Risk to every shard and to settlement: a new instrument, whose id is the next one of the market.
public struct InstrumentListing: StreamMessage, Hashable {
  public static let kind = MessageKind.listing
  public var instrument: Instrument
  public init(instrument: Instrument) { self.instrument = instrument }
  public func write(to writer: inout ByteWriter) { instrument.write(to: &writer) }
  public init(from reader: inout ByteReader) { instrument = Instrument(from: &reader) }
}
