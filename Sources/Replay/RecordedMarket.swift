import Bytes
import Machine
import Market

/// What stands around one matching shard that recorded orders are put through: the market, what other machines say
/// before the first order, and signed actions, encoded as they stand in a journal.
public struct RecordedMarket {
  /// What the shard's genesis says.
  public let definition: MarketDefinition
  /// The time of the action encoded last: a tenth of a millisecond after the one before.
  public private(set) var stamp = Timestamp(seconds: 1_700_000_000)
  private let owners: [Address]
  private let mark: Int64

  /// An input that is no action.
  public struct Input {
    public var kind: InputKind
    public var payload: [UInt8]
    public var source = MachineID.none
    /// Number of its message in the source's stream, of which it holds one; 0 if it is from none.
    public var number: UInt64 = 0
  }

  /// Accounts 1 ... are opened with ceilings that nothing exhausts.
  private static let ampleCeiling = Money(units: .max / 2)
  /// How far the stamps of two actions lie apart: 10,000 orders a second.
  static let pace = Interval(nanoseconds: 100_000)

  /// `instruments` books of whole lots and of ticks of `tickSize` units.
  /// - Parameters:
  ///   - accounts: opened as 1 ... `accounts`, all without fees and limits, self-trade prevention on.
  ///   - mark: of every instrument, in units of price; the band around it is the whole range.
  public init(instruments: Int, accounts: Int, tickSize: Int64 = 1, mark: Int64) {
    self.mark = mark
    owners = (0...accounts).map { account in Address((0..<20).map { UInt8(truncatingIfNeeded: account * 7 + $0) }) }
    var parameters = MarketParameters()
    parameters.makerFee = 0
    parameters.takerFee = 0
    parameters.openOrdersPerAccount = .max
    parameters.liveNonces = .max
    // A recording has no oracle: what is heard at the opening holds throughout.
    parameters.heartbeatLapse = .days(365)
    definition = MarketDefinition(
      currencies: [.init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero)],
      underlyings: [.init(name: "RECORDED", openingIndex: Price(whole: 1))],
      instruments: (0..<instruments).map { place in
        Instrument(
          id: InstrumentID(UInt32(place)), name: "RECORDED-\(place)", kind: .perpetual, settlement: .linear,
          underlying: UnderlyingID(0), settlementCurrency: .usd, shard: ShardID(0), expiry: .never, strike: .zero,
          tickSize: Price(units: tickSize), lotSize: Quantity(units: 1), maximumOrder: Lots(1 << 40))
      }, shardCount: 1, parameters: parameters)
  }

  /// What the shard hears between its genesis and the first order: marks, a heartbeat, and credits that never bite.
  public var opening: [Input] {
    let entries = definition.instruments.map { instrument in
      ShardMarks.Entry(
        instrument: instrument.id, mark: Price(units: mark), marginToBuy: Money(units: 1),
        marginToSell: Money(units: 1), bandLow: .zero, bandHigh: Price(units: .max))
    }
    let marks = ShardMarks(version: 1, stamp: stamp, index: Price(whole: 1), entries: entries)
    let credits = owners.indices.dropFirst().map { account in
      Self.risk(
        Credit(account: AccountID(UInt32(account)), owner: owners[account], version: 1, ceiling: Self.ampleCeiling),
        number: UInt64(account) + 1)
    }
    return [
      Input(kind: .marks, payload: marks.encoded), Self.risk(Heartbeat(number: 1, stamp: stamp), number: 1),
    ] + credits
  }

  private static func risk(_ message: some StreamMessage, number: UInt64) -> Input {
    var body = ByteWriter()
    body.u8(type(of: message).kind.rawValue)
    message.write(to: &body)
    var writer = ByteWriter()
    writer.blob(body.bytes)
    return Input(kind: .stream, payload: writer.array, source: .risk, number: number)
  }

  /// Bytes of an action of one operation.
  public static let actionBytes = SignedActionHeader.byteCount + Operation.byteCount

  /// Appends one signed action of up to 256 operations; its signature expires with the next second.
  public mutating func encode(
    _ operations: [Operation], account: UInt32, nonce: UInt64, into writer: inout ByteWriter
  ) {
    encodeHeader(operations.count, account: account, nonce: nonce, into: &writer)
    for operation in operations { operation.write(to: &writer) }
  }

  /// Appends one signed action of one operation.
  public mutating func encode(
    _ operation: Operation, account: UInt32, nonce: UInt64, into writer: inout ByteWriter
  ) {
    encodeHeader(1, account: account, nonce: nonce, into: &writer)
    operation.write(to: &writer)
  }

  /// Appends an action's header, as a gateway would forward it.
  private mutating func encodeHeader(_ operations: Int, account: UInt32, nonce: UInt64, into writer: inout ByteWriter) {
    stamp = stamp + Self.pace
    let owner = owners[Int(account)]
    SignedActionHeader(
      module: .batch, operationCount: UInt16(operations), account: AccountID(account), nonce: nonce,
      expiry: UInt64(stamp.seconds) + 1, underlying: UnderlyingID(0), signer: owner, owner: owner,
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0)
    ).write(to: &writer)
  }
}
