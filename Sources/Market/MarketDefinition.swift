import Bytes

/// Everything that the machines agree on before the first order: currencies, underlyings, instruments, and the
/// parameters of their rules. Its bytes are the genesis input of every journal; nothing in it changes later but by
/// input.
public struct MarketDefinition: Sendable, Hashable {
  /// Layout version of the encoded definition.
  public static let formatVersion: UInt16 = 2

  public struct CurrencyDefinition: Sendable, Hashable {
    /// `USDC`, `BTC`, `ETH`.
    public var name: String
    /// The underlying whose index converts it to USD; `nil` for the dollar itself.
    public var underlying: UnderlyingID?
    /// Margin value per million of market value: 1,000,000 counts whole. Haircuts belong to margin only.
    public var collateralWeight: UInt32
    /// Its token on the settlement layer, as withdrawals name it.
    public var token: Address
    public init(name: String, underlying: UnderlyingID?, collateralWeight: UInt32, token: Address) {
      self.name = name
      self.underlying = underlying
      self.collateralWeight = collateralWeight
      self.token = token
    }
  }

  public struct UnderlyingDefinition: Sendable, Hashable {
    /// `BTC`, `ETH`.
    public var name: String
    /// Index price at the first opening, where a built-in index starts.
    public var openingIndex: Price
    public init(name: String, openingIndex: Price) {
      self.name = name
      self.openingIndex = openingIndex
    }
  }

  public var currencies: [CurrencyDefinition]
  public var underlyings: [UnderlyingDefinition]
  /// In order of id.
  public var instruments: [Instrument]
  /// Number of shards; ids are 0 ..< shardCount.
  public var shardCount: UInt16
  public var parameters: MarketParameters

  public init(
    currencies: [CurrencyDefinition], underlyings: [UnderlyingDefinition], instruments: [Instrument],
    shardCount: UInt16, parameters: MarketParameters = MarketParameters()
  ) {
    self.currencies = currencies
    self.underlyings = underlyings
    self.instruments = instruments
    self.shardCount = shardCount
    self.parameters = parameters
  }

  public subscript(id: InstrumentID) -> Instrument? {
    Int(id.rawValue) < instruments.count ? instruments[Int(id.rawValue)] : nil
  }
  public func instrument(named name: String) -> Instrument? { instruments.first { $0.name == name } }
  public func instruments(of shard: ShardID) -> [Instrument] { instruments.filter { $0.shard == shard } }
  public var shards: [ShardID] { (0..<shardCount).map { ShardID($0) } }
  /// Every machine that takes part in an epoch, in order of id: the shards, then risk.
  public var committingMachines: [MachineID] { shards.map(MachineID.shard) + [.risk] }
}

/// Numbers of the market's rules that every machine must share. Times are of the journal's stamps.
public struct MarketParameters: Sendable, Hashable {
  /// Fee of the resting side, per million of notional; never negative.
  public var makerFee: UInt32 = 0
  /// Fee of the incoming side, per million of notional.
  public var takerFee: UInt32 = 300
  /// A shard refuses new orders when its stamp is further than this past the newest heard from risk or from marks.
  public var heartbeatLapse = Interval.seconds(2)
  /// How often a machine speaks on its streams when it has nothing to say.
  public var heartbeatInterval = Interval.milliseconds(250)
  /// How long an order may wait for credit before it is refused.
  public var heldOrderTimeout = Interval.milliseconds(1_000)
  /// Orders of one account that may wait for credit in one shard.
  public var heldOrdersPerAccount: UInt32 = 64
  /// Open orders of one account in one shard.
  public var openOrdersPerAccount: UInt32 = 100_000
  /// Live nonces of one (account, key) in one shard; the last 1/16 is a reserve for cancels.
  public var liveNonces: UInt32 = 65_536
  /// Longest time ahead that a signature's expiry may lie.
  public var signatureLifetime = Interval.seconds(86_400 * 30)
  /// Fills, triggers and cancels of one step.
  public var stepBound: UInt32 = 1_024
  /// Length of a settlement epoch.
  public var epochLength = Interval.milliseconds(1_000)
  /// Trading halts when the last final epoch is this many epochs old.
  public var haltAfterEpochs: UInt32 = 60
  /// Initial margin per million of the worst scenario's loss.
  public var initialMarginFactor: UInt32 = 1_000_000
  /// Maintenance margin per million of the worst scenario's loss.
  public var maintenanceMarginFactor: UInt32 = 750_000
  /// How far through the mark a liquidation may trade, per million of the index price.
  public var liquidationBand: UInt32 = 50_000
  /// A withdrawal that cannot be granted by then is refused.
  public var withdrawalTimeout = Interval.seconds(10)
  /// Operations that may wait in one shard for unfinished orders.
  public var queuedOperations: UInt32 = 4_096
  /// How often an auction tells what it would come to.
  public var indicativeInterval = Interval.milliseconds(500)
  /// Who may sign for the house: trading states and kill switches; nobody if zero.
  public var operatorAddress = Address.zero
  /// Verifier attestations needed to post an epoch.
  public var attestationQuorum: UInt16 = 1
  /// Who may attest, by verifier number: the addresses of their signing keys. At most `maximumVerifiers`.
  public var verifiers: [Address] = []
  /// Most verifiers of one market.
  public static let maximumVerifiers = 64
  /// EIP-712 chain id of the signing domain.
  public var chainID: UInt64 = 901
  /// EIP-712 verifying contract of the signing domain.
  public var verifyingContract = Address.zero
  /// Module addresses of the signing domain: a single trade, a batch of operations, a withdrawal.
  public var tradeModule = Address.zero
  public var batchModule = Address.zero
  public var withdrawalModule = Address.zero
  public init() {}
}

extension MarketParameters: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    writer.u32(makerFee)
    writer.u32(takerFee)
    heartbeatLapse.write(to: &writer)
    heartbeatInterval.write(to: &writer)
    heldOrderTimeout.write(to: &writer)
    writer.u32(heldOrdersPerAccount)
    writer.u32(openOrdersPerAccount)
    writer.u32(liveNonces)
    signatureLifetime.write(to: &writer)
    writer.u32(stepBound)
    epochLength.write(to: &writer)
    writer.u32(haltAfterEpochs)
    writer.u32(initialMarginFactor)
    writer.u32(maintenanceMarginFactor)
    writer.u32(liquidationBand)
    withdrawalTimeout.write(to: &writer)
    writer.u32(queuedOperations)
    indicativeInterval.write(to: &writer)
    operatorAddress.write(to: &writer)
    writer.u16(attestationQuorum)
    writer.u32(UInt32(verifiers.count))
    for verifier in verifiers { verifier.write(to: &writer) }
    writer.u64(chainID)
    verifyingContract.write(to: &writer)
    tradeModule.write(to: &writer)
    batchModule.write(to: &writer)
    withdrawalModule.write(to: &writer)
  }

  public init(from reader: inout ByteReader) {
    makerFee = reader.u32()
    takerFee = reader.u32()
    heartbeatLapse = Interval(from: &reader)
    heartbeatInterval = Interval(from: &reader)
    heldOrderTimeout = Interval(from: &reader)
    heldOrdersPerAccount = reader.u32()
    openOrdersPerAccount = reader.u32()
    liveNonces = reader.u32()
    signatureLifetime = Interval(from: &reader)
    stepBound = reader.u32()
    epochLength = Interval(from: &reader)
    haltAfterEpochs = reader.u32()
    initialMarginFactor = reader.u32()
    maintenanceMarginFactor = reader.u32()
    liquidationBand = reader.u32()
    withdrawalTimeout = Interval(from: &reader)
    queuedOperations = reader.u32()
    indicativeInterval = Interval(from: &reader)
    operatorAddress = Address(from: &reader)
    attestationQuorum = reader.u16()
    verifiers = (0..<reader.itemCount(minimumSize: 20)).map { _ in Address(from: &reader) }
    chainID = reader.u64()
    verifyingContract = Address(from: &reader)
    tradeModule = Address(from: &reader)
    batchModule = Address(from: &reader)
    withdrawalModule = Address(from: &reader)
    let quorumIsPossible = verifiers.isEmpty || Int(attestationQuorum) <= verifiers.count
    if attestationQuorum == 0 || !quorumIsPossible || verifiers.count > Self.maximumVerifiers { reader.fail() }
  }
}

extension MarketDefinition: ByteCodable {
  public func write(to writer: inout ByteWriter) {
    writer.u16(Self.formatVersion)
    writer.u32(UInt32(currencies.count))
    for currency in currencies {
      writer.text(currency.name)
      writer.bool(currency.underlying != nil)
      (currency.underlying ?? UnderlyingID(0)).write(to: &writer)
      writer.u32(currency.collateralWeight)
      currency.token.write(to: &writer)
    }
    writer.u32(UInt32(underlyings.count))
    for underlying in underlyings {
      writer.text(underlying.name)
      underlying.openingIndex.write(to: &writer)
    }
    writer.u32(UInt32(instruments.count))
    for instrument in instruments { instrument.write(to: &writer) }
    writer.u16(shardCount)
    parameters.write(to: &writer)
  }

  /// Refuses another format version, ids out of order, and references to what is not there.
  public init(from reader: inout ByteReader) {
    if reader.u16() != Self.formatVersion { reader.fail() }
    currencies = (0..<reader.itemCount(minimumSize: 28)).map { _ in
      let name = reader.text()
      let hasUnderlying = reader.bool()
      let underlying = UnderlyingID(from: &reader)
      return CurrencyDefinition(
        name: name, underlying: hasUnderlying ? underlying : nil, collateralWeight: reader.u32(),
        token: Address(from: &reader))
    }
    underlyings = (0..<reader.itemCount(minimumSize: 10)).map { _ in
      UnderlyingDefinition(name: reader.text(), openingIndex: Price(from: &reader))
    }
    instruments = (0..<reader.itemCount(minimumSize: 104)).map { _ in Instrument(from: &reader) }
    shardCount = reader.u16()
    parameters = MarketParameters(from: &reader)
    let underlyingCount = underlyings.count
    let converts = currencies.allSatisfy { $0.underlying.map { Int($0.rawValue) < underlyingCount } ?? true }
    let consistent = instruments.enumerated().allSatisfy { index, instrument in
      Int(instrument.id.rawValue) == index && instrument.shard.rawValue < shardCount
        && Int(instrument.underlying.rawValue) < underlyings.count
        && Int(instrument.settlementCurrency.rawValue) < currencies.count
    }
    if !consistent || !converts || currencies.isEmpty { reader.fail() }
  }
}
