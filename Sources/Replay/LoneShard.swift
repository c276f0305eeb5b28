import Bytes
import Machine
import Market
import Matching

/// One matching shard, driven in process through the same `apply` that the matcher's runtime calls, with inputs encoded
/// as they stand in a journal: genesis, marks, credits that never bite, and one signed action an order.
public struct LoneShard: ~Copyable {
  public private(set) var machine = ShardMachine(id: .shard(ShardID(0)))
  /// What the inputs applied since the last `clear` have said.
  public var output = OutputBuffer(capacity: 1 << 22)
  private var sequence: UInt64 = 0
  private var stamp: Timestamp
  private var riskMessages: UInt64 = 0
  private let owners: [Address]

  /// Accounts 1 ... are opened with ceilings that nothing exhausts.
  private static let ampleCeiling = Money(units: .max / 2)
  /// How far the stamps of two actions lie apart: 10,000 orders a second.
  private static let pace = Interval(nanoseconds: 100_000)
  private static let opening = Timestamp(seconds: 1_700_000_000)

  /// A shard with `instruments` books of whole lots and of ticks of `tickSize` units, ready to trade.
  /// - Parameters:
  ///   - accounts: opened as 1 ... `accounts`, all without fees and limits, self-trade prevention on.
  ///   - mark: of every instrument, in units of price; the band around it is the whole range.
  public init(instruments: Int, accounts: Int, tickSize: Int64 = 1, mark: Int64) {
    stamp = Self.opening
    owners = (0...accounts).map { account in Address((0..<20).map { UInt8(truncatingIfNeeded: account * 7 + $0) }) }
    var parameters = MarketParameters()
    parameters.makerFee = 0
    parameters.takerFee = 0
    parameters.openOrdersPerAccount = .max
    parameters.liveNonces = .max
    // A recording has no oracle: what is heard at the opening holds throughout.
    parameters.heartbeatLapse = .days(365)
    let market = MarketDefinition(
      currencies: [.init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero)],
      underlyings: [.init(name: "RECORDED", openingIndex: Price(whole: 1))],
      instruments: (0..<instruments).map { place in
        Instrument(
          id: InstrumentID(UInt32(place)), name: "RECORDED-\(place)", kind: .perpetual, settlement: .linear,
          underlying: UnderlyingID(0), settlementCurrency: .usd, shard: ShardID(0), expiry: .never, strike: .zero,
          tickSize: Price(units: tickSize), lotSize: Quantity(units: 1), maximumOrder: Lots(1 << 40))
      }, shardCount: 1, parameters: parameters)
    input(.genesis, market.encoded)
    let entries = (0..<instruments).map { place in
      ShardMarks.Entry(
        instrument: InstrumentID(UInt32(place)), mark: Price(units: mark), marginToBuy: Money(units: 1),
        marginToSell: Money(units: 1), bandLow: .zero, bandHigh: Price(units: .max))
    }
    input(.marks, ShardMarks(version: 1, stamp: stamp, index: Price(whole: 1), entries: entries).encoded)
    risk(Heartbeat(number: 1, stamp: stamp))
    for account in 1...max(1, accounts) where accounts > 0 {
      risk(
        Credit(
          account: AccountID(UInt32(account)), owner: owners[account], version: 1, ceiling: Self.ampleCeiling))
    }
    output.clear()
  }

  private mutating func nextHeader(_ kind: InputKind) -> InputHeader {
    sequence += 1
    return InputHeader(sequence: SequenceNumber(sequence), stamp: stamp, term: Term(1), kind: kind)
  }

  private mutating func input(_ kind: InputKind, _ payload: [UInt8]) {
    payload.withUnsafeBytes { _ = apply(kind, $0) }
  }

  /// Applies one input, stamped as the last action encoded; returns the nanoseconds that it took by the clock.
  @discardableResult
  public mutating func apply(_ kind: InputKind, _ payload: UnsafeRawBufferPointer) -> UInt64 {
    let header = nextHeader(kind)
    let start = monotonicTime()
    machine.apply(header, payload, into: &output)
    return monotonicTime() &- start
  }

  private mutating func risk(_ message: some StreamMessage) {
    var body = ByteWriter()
    body.u8(type(of: message).kind.rawValue)
    message.write(to: &body)
    var writer = ByteWriter()
    writer.blob(body.bytes)
    riskMessages += 1
    var header = nextHeader(.stream)
    header.source = .risk
    header.firstNumber = riskMessages
    header.count = 1
    machine.apply(header, writer.bytes, into: &output)
  }

  /// Whether work is left that a step's bound has put off; every `tick` does a step of it.
  public var isBehind: Bool { machine.nextDeadline <= stamp }

  /// Ends the epoch, as the runtime would, so that what an epoch gathers stays small.
  public mutating func seal() {
    let seal = Seal(
      epoch: machine.epoch, term: Term(1), firstSequence: SequenceNumber(1), lastSequence: SequenceNumber(sequence),
      chainHead: .zero, entryRoot: .zero)
    input(.seal, seal.encoded)
    output.clear()
  }

  /// Appends an action's header, as a gateway would forward it; its signature expires with the next second.
  private mutating func encodeHeader(_ operations: Int, account: UInt32, nonce: UInt64, into writer: inout ByteWriter) {
    stamp = stamp + Self.pace
    let owner = owners[Int(account)]
    SignedActionHeader(
      module: .batch, operationCount: UInt16(operations), account: AccountID(account), nonce: nonce,
      expiry: UInt64(stamp.seconds) + 1, underlying: UnderlyingID(0), signer: owner, owner: owner,
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0)
    ).write(to: &writer)
  }

  /// Appends one signed action of one operation.
  public mutating func encode(
    _ operation: Operation, account: UInt32, nonce: UInt64, into writer: inout ByteWriter
  ) {
    encodeHeader(1, account: account, nonce: nonce, into: &writer)
    operation.write(to: &writer)
  }

  /// Appends one signed action of up to 256 operations.
  public mutating func encode(
    _ operations: [Operation], account: UInt32, nonce: UInt64, into writer: inout ByteWriter
  ) {
    encodeHeader(operations.count, account: account, nonce: nonce, into: &writer)
    for operation in operations { operation.write(to: &writer) }
  }

  /// Bytes of an action of one operation.
  public static let actionBytes = SignedActionHeader.byteCount + Operation.byteCount

  /// Applies `actions` of one operation each, encoded one after another; the last one is stamped `stamp`.
  public mutating func apply(actions: UnsafeRawBufferPointer) { apply(actions, times: nil) }

  /// Applies `actions` likewise, and writes the nanoseconds that each took to `times`.
  public mutating func apply(actions: UnsafeRawBufferPointer, times: UnsafeMutablePointer<UInt32>) {
    apply(actions, times: times)
  }

  /// Inlined, so that the way without a clock has no trace of it.
  @inline(__always)
  private mutating func apply(_ actions: UnsafeRawBufferPointer, times: UnsafeMutablePointer<UInt32>?) {
    let count = actions.count / Self.actionBytes
    var header = InputHeader(
      sequence: SequenceNumber(sequence), stamp: stamp, term: Term(1), kind: .action)
    let first = stamp.nanoseconds - Int64(count) * Self.pace.nanoseconds
    for place in 0..<count {
      header.sequence = SequenceNumber(sequence + UInt64(place) + 1)
      header.stamp = Timestamp(nanoseconds: first + Int64(place + 1) * Self.pace.nanoseconds)
      let action = UnsafeRawBufferPointer(
        rebasing: actions[place * Self.actionBytes..<(place + 1) * Self.actionBytes])
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
