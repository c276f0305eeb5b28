import Bytes

/// A listed contract. Prices on the book are whole ticks, quantities whole lots.
public struct Instrument: Sendable, Hashable {
  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    case perpetual = 0
    case future = 1
    case call = 2
    case put = 3
    public var isOption: Bool { self == .call || self == .put }
  }

  /// How a fill moves the ledger.
  public enum Settlement: UInt8, Sendable, BitwiseCopyable {
    /// Quoted and settled in USD: buying q at p moves the USD ledger by −q·p.
    case linear = 0
    /// Quoted and settled in the coin (Deribit's options): buying q at p moves the coin ledger by −q·p.
    case coin = 1
    /// Quoted in USD, settled in the coin, q in USD: buying q at p moves the coin ledger by +q/p.
    case inverse = 2
  }

  /// From a price on, ticks are coarser.
  public struct TickStep: Sendable, Hashable, BitwiseCopyable {
    /// Lowest price of the step.
    public var from: Price
    /// Tick there: a multiple of the instrument's `tickSize`.
    public var tick: Price
    public init(from: Price, tick: Price) {
      self.from = from
      self.tick = tick
    }
  }
  /// Most steps of one instrument.
  public static let mostTickSteps = 8

  public var id: InstrumentID
  /// For example `BTC-27MAR27-100000-C`, `ETH-27MAR27`, `BTC-PERPETUAL`.
  public var name: String
  public var kind: Kind
  public var settlement: Settlement
  public var underlying: UnderlyingID
  /// The currency that fills, fees and expiry move.
  public var settlementCurrency: Currency
  public var shard: ShardID
  /// When it stops trading; `.never` for perpetuals.
  public var expiry: Timestamp
  /// Zero unless an option.
  public var strike: Price
  /// Price of one tick; the book's prices are its multiples.
  public var tickSize: Price
  /// Quantity of one lot; orders are whole lots.
  public var lotSize: Quantity
  /// Largest order, in lots.
  public var maximumOrder: Lots
  /// Smallest order, in lots.
  public var minimumOrder: Lots
  /// Coarser ticks at higher prices, ascending; none where one tick holds throughout.
  public var tickSteps: [TickStep]
  /// The asset and sub-id by which a Derive-form signed order names this instrument.
  public var asset: Address
  public var subID: Digest

  public init(
    id: InstrumentID, name: String, kind: Kind, settlement: Settlement, underlying: UnderlyingID,
    settlementCurrency: Currency, shard: ShardID, expiry: Timestamp, strike: Price, tickSize: Price,
    lotSize: Quantity, maximumOrder: Lots, minimumOrder: Lots = Lots(1), tickSteps: [TickStep] = [],
    asset: Address = .zero, subID: Digest = .zero
  ) {
    self.id = id
    self.name = name
    self.kind = kind
    self.settlement = settlement
    self.underlying = underlying
    self.settlementCurrency = settlementCurrency
    self.shard = shard
    self.expiry = expiry
    self.strike = strike
    self.tickSize = tickSize
    self.lotSize = lotSize
    self.maximumOrder = maximumOrder
    self.minimumOrder = minimumOrder
    self.tickSteps = tickSteps
    self.asset = asset
    self.subID = subID
  }

  /// The settlement-currency amount that `lots` are worth at `price`, before sign and rounding down:
  /// q·p (linear and coin), q/p (inverse). `nil` on overflow or a price that is not positive where one must be.
  @inlinable public func notional(_ lots: Lots, at price: Price) -> Money? {
    guard let quantity = quantity(lots) else { return nil }
    return switch settlement {
    case .linear, .coin: ExactDivision.floor(quantity.units, times: price.units, by: fixedPointScale).map(Money.init)
    case .inverse: ExactDivision.floor(quantity.units, times: fixedPointScale, by: price.units).map(Money.init)
    }
  }

  /// What the buyer's ledger moves by when `lots` (> 0) trade at `price`; the seller's moves by the exact opposite.
  /// Rounded once, so that the two always cancel. `nil` on overflow.
  @inlinable public func buyerCashFlow(_ lots: Lots, at price: Price) -> Money? {
    guard let notional = notional(lots, at: price) else { return nil }
    // The lowest amount has no opposite.
    guard notional.units > .min else { return nil }
    return settlement == .inverse ? notional : -notional
  }

  /// What a position is worth at `mark`, in the settlement currency, rounded down: +q·m, or −q/m for inverse.
  @inlinable public func positionValue(_ position: Lots, at mark: Price) -> Money? {
    guard let quantity = quantity(position) else { return nil }
    return switch settlement {
    case .linear, .coin: ExactDivision.floor(quantity.units, times: mark.units, by: fixedPointScale).map(Money.init)
    case .inverse: ExactDivision.floor(quantity.units, times: -fixedPointScale, by: mark.units).map(Money.init)
    }
  }

  /// The tick in force at a price.
  public func tick(at price: Price) -> Price { tickSteps.last { $0.from <= price }?.tick ?? tickSize }

  /// `lots` as a quantity; `nil` on overflow.
  @inlinable public func quantity(_ lots: Lots) -> Quantity? {
    let (units, overflow) = lots.count.multipliedReportingOverflow(by: lotSize.units)
    return overflow ? nil : Quantity(units: units)
  }

  /// What the contract is worth per unit of quantity when the underlying's index fixes at `index`: the settlement price
  /// of expiry, in the same quotation as its trades.
  public func settlementPrice(index: Price) -> Price? {
    let intrinsic: Int64
    switch kind {
    case .perpetual, .future: return index
    case .call: intrinsic = max(0, index.units - strike.units)
    case .put: intrinsic = max(0, strike.units - index.units)
    }
    guard settlement == .coin else { return Price(units: intrinsic) }
    return ExactDivision.floor(intrinsic, times: fixedPointScale, by: index.units).map(Price.init)
  }
}

extension Instrument.Kind: ByteCodable {
  public func write(to writer: inout ByteWriter) { writer.u8(rawValue) }
  public init(from reader: inout ByteReader) {
    self = reader.enumeration(Self.self, otherwise: .perpetual)
  }
}

extension Instrument: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    id.write(to: &writer)
    writer.text(name)
    kind.write(to: &writer)
    writer.u8(settlement.rawValue)
    underlying.write(to: &writer)
    settlementCurrency.write(to: &writer)
    shard.write(to: &writer)
    expiry.write(to: &writer)
    strike.write(to: &writer)
    tickSize.write(to: &writer)
    lotSize.write(to: &writer)
    maximumOrder.write(to: &writer)
    minimumOrder.write(to: &writer)
    writer.u32(UInt32(tickSteps.count))
    for step in tickSteps {
      step.from.write(to: &writer)
      step.tick.write(to: &writer)
    }
    asset.write(to: &writer)
    subID.write(to: &writer)
  }

  public init(from reader: inout ByteReader) {
    id = InstrumentID(from: &reader)
    name = reader.text()
    kind = Kind(from: &reader)
    settlement = reader.enumeration(Settlement.self, otherwise: .linear)
    underlying = UnderlyingID(from: &reader)
    settlementCurrency = Currency(from: &reader)
    shard = ShardID(from: &reader)
    expiry = Timestamp(from: &reader)
    strike = Price(from: &reader)
    tickSize = Price(from: &reader)
    lotSize = Quantity(from: &reader)
    maximumOrder = Lots(from: &reader)
    minimumOrder = Lots(from: &reader)
    tickSteps = (0..<reader.itemCount(minimumSize: 16)).map { _ in
      TickStep(from: Price(from: &reader), tick: Price(from: &reader))
    }
    asset = Address(from: &reader)
    subID = Digest(from: &reader)
    if tickSize.units <= 0 || lotSize.units <= 0 || !hasSaneSteps { reader.fail() }
    if minimumOrder.count <= 0 || minimumOrder > maximumOrder { reader.fail() }
  }

  /// Steps ascend, and each begins on a tick of its own and of the step below.
  private var hasSaneSteps: Bool {
    if tickSteps.count > Self.mostTickSteps { return false }
    var below = TickStep(from: .zero, tick: tickSize)
    for step in tickSteps {
      if step.from <= below.from || step.tick <= below.tick || step.tick.units % tickSize.units != 0 { return false }
      if step.from.units % step.tick.units != 0 || step.from.units % below.tick.units != 0 { return false }
      below = step
    }
    return true
  }
}
