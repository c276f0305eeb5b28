import Bytes

/// Risk to shard: the absolute ceiling of one account's cumulative charge in that shard. The shard takes
/// max(ceiling, U + reserved), and answers `CreditTaken`. The first one opens the account there.
public struct Credit: StreamMessage, Hashable {
  public static let kind = MessageKind.credit
  public var account: AccountID
  /// Who may sign for the account; fixed by the first message.
  public var owner: Address
  /// Grows with every credit of this (account, shard); an older one is ignored.
  public var version: UInt64
  /// In USD.
  public var ceiling: Money
  /// Cancel resting orders, newest first, until U + reserved ≤ ceiling.
  public var isForced: Bool
  /// The account's charge multiplier, per million: superlinear margin add-ons.
  public var chargeMultiplier: UInt32
  /// The trading group, named by one of its accounts: orders of one group never trade with each other.
  public var group: AccountID

  /// An account without a `group` is its own.
  public init(
    account: AccountID, owner: Address, version: UInt64, ceiling: Money, isForced: Bool = false,
    chargeMultiplier: UInt32 = 1_000_000, group: AccountID? = nil
  ) {
    self.group = group ?? account
    self.account = account
    self.owner = owner
    self.version = version
    self.ceiling = ceiling
    self.isForced = isForced
    self.chargeMultiplier = chargeMultiplier
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    owner.write(to: &writer)
    writer.u64(version)
    ceiling.write(to: &writer)
    writer.bool(isForced)
    writer.u32(chargeMultiplier)
    group.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    owner = Address(from: &reader)
    version = reader.u64()
    ceiling = Money(from: &reader)
    isForced = reader.bool()
    chargeMultiplier = reader.u32()
    group = AccountID(from: &reader)
  }
}

/// Shard to risk: what the shard made of a `Credit`.
public struct CreditTaken: StreamMessage, Hashable {
  public static let kind = MessageKind.creditTaken
  public var account: AccountID
  public var version: UInt64
  /// The ceiling now in force.
  public var ceiling: Money
  /// U at that moment.
  public var consumed: Money
  public init(account: AccountID, version: UInt64, ceiling: Money, consumed: Money) {
    self.account = account
    self.version = version
    self.ceiling = ceiling
    self.consumed = consumed
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    writer.u64(version)
    ceiling.write(to: &writer)
    consumed.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    version = reader.u64()
    ceiling = Money(from: &reader)
    consumed = Money(from: &reader)
  }
}

/// Shard to risk: an order is held because U + reserved + charge exceeds the ceiling by `shortfall`.
public struct CreditRequest: StreamMessage, Hashable {
  public static let kind = MessageKind.creditRequest
  /// Counts this shard's requests from 1; names the held order in the answer.
  public var request: UInt64
  public var account: AccountID
  public var instrument: InstrumentID
  /// Signed size of the held order.
  public var lots: Lots
  public var price: Price
  public var charge: Money
  public var shortfall: Money
  public init(
    request: UInt64, account: AccountID, instrument: InstrumentID, lots: Lots, price: Price, charge: Money,
    shortfall: Money
  ) {
    self.request = request
    self.account = account
    self.instrument = instrument
    self.lots = lots
    self.price = price
    self.charge = charge
    self.shortfall = shortfall
  }
  public func write(to writer: inout ByteWriter) {
    writer.u64(request)
    account.write(to: &writer)
    instrument.write(to: &writer)
    lots.write(to: &writer)
    price.write(to: &writer)
    charge.write(to: &writer)
    shortfall.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    request = reader.u64()
    account = AccountID(from: &reader)
    instrument = InstrumentID(from: &reader)
    lots = Lots(from: &reader)
    price = Price(from: &reader)
    charge = Money(from: &reader)
    shortfall = Money(from: &reader)
  }
}

/// Risk to shard: the held order may run as IOC, though the account is in deficit, because it shrinks the deficit. It
/// raises the ceiling by exactly `charge` for that order and is withdrawn with its residual.
public struct Grant: StreamMessage, Hashable {
  public static let kind = MessageKind.grant
  public var account: AccountID
  public var request: UInt64
  public var charge: Money
  public init(account: AccountID, request: UInt64, charge: Money) {
    self.account = account
    self.request = request
    self.charge = charge
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    writer.u64(request)
    charge.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    request = reader.u64()
    charge = Money(from: &reader)
  }
}

/// Risk to shard: the held order is refused.
public struct CreditRefused: StreamMessage, Hashable {
  public static let kind = MessageKind.creditRefused
  public var account: AccountID
  public var request: UInt64
  public var outcome: Outcome
  public init(account: AccountID, request: UInt64, outcome: Outcome) {
    self.account = account
    self.request = request
    self.outcome = outcome
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    writer.u64(request)
    writer.u16(outcome.rawValue)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    request = reader.u64()
    outcome = reader.enumeration(Outcome.self, otherwise: .malformed)
  }
}

/// Shard to risk: a grant has ended. `ceiling` and `consumed` stand as after `CreditTaken`.
public struct GrantClosed: StreamMessage, Hashable {
  public static let kind = MessageKind.grantClosed
  public var account: AccountID
  public var request: UInt64
  /// False when the order was gone before the grant came.
  public var wasUsed: Bool
  public var ceiling: Money
  public var consumed: Money
  public init(account: AccountID, request: UInt64, wasUsed: Bool, ceiling: Money, consumed: Money) {
    self.account = account
    self.request = request
    self.wasUsed = wasUsed
    self.ceiling = ceiling
    self.consumed = consumed
  }
  public func write(to writer: inout ByteWriter) {
    account.write(to: &writer)
    writer.u64(request)
    writer.bool(wasUsed)
    ceiling.write(to: &writer)
    consumed.write(to: &writer)
  }
  public init(from reader: inout ByteReader) {
    account = AccountID(from: &reader)
    request = reader.u64()
    wasUsed = reader.bool()
    ceiling = Money(from: &reader)
    consumed = Money(from: &reader)
  }
}
