import Bytes
import Foundation
import Machine
import Market
import Matching

/// One matching shard in this process, driven through the `apply` that a matcher calls.
struct LoneShard: ~Copyable {
  static let accounts: UInt32 = 64
  /// How far the stamps of two actions lie apart.
  private static let pace = Interval(nanoseconds: 100_000)

  var machine = ShardMachine(id: .shard(ShardID(0)))
  private var output = OutputBuffer(capacity: 1 << 22)
  private var sequence: UInt64 = 0
  private var stamp = Timestamp(seconds: 1_700_000_000)
  private var riskMessages: UInt64 = 0
  private var nonce: UInt64 = 0
  private var encoded = ByteWriter(capacity: 1 << 20)

  /// `instruments` books of whole ticks and lots, ceilings that nothing exhausts, self-trade prevention on.
  init(instruments: Int) {
    var parameters = MarketParameters()
    parameters.makerFee = 0
    parameters.takerFee = 0
    parameters.openOrdersPerAccount = .max
    parameters.liveNonces = .max
    parameters.heartbeatLapse = .days(365)
    let market = MarketDefinition(
      currencies: [.init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero)],
      underlyings: [.init(name: "BENCH", openingIndex: Price(whole: 1))],
      instruments: (0..<instruments).map { place in
        Instrument(
          id: InstrumentID(UInt32(place)), name: "BENCH-\(place)", kind: .perpetual, settlement: .linear,
          underlying: UnderlyingID(0), settlementCurrency: .usd, shard: ShardID(0), expiry: .never, strike: .zero,
          tickSize: Price(units: 1), lotSize: Quantity(units: 1), maximumOrder: Lots(1 << 40))
      }, shardCount: 1, parameters: parameters)
    apply(.genesis, market.encoded)
    let entries = (0..<instruments).map { place in
      ShardMarks.Entry(
        instrument: InstrumentID(UInt32(place)), mark: Price(units: Self.middle), marginToBuy: Money(units: 1),
        marginToSell: Money(units: 1), bandLow: .zero, bandHigh: Price(units: .max))
    }
    apply(.marks, ShardMarks(version: 1, stamp: stamp, index: Price(whole: 1), entries: entries).encoded)
    risk(Heartbeat(number: 1, stamp: stamp))
    for account in 1...Self.accounts {
      risk(
        Credit(
          account: AccountID(account), owner: Self.owner(account), version: 1, ceiling: Money(units: .max / 2)))
    }
    output.clear()
  }

  /// The price around which the benchmarks trade.
  static let middle: Int64 = 2_000_000

  private static func owner(_ account: UInt32) -> Address { Address((0..<20).map { UInt8(account) &+ $0 }) }

  private mutating func apply(_ kind: InputKind, _ payload: [UInt8]) {
    sequence += 1
    let header = InputHeader(sequence: SequenceNumber(sequence), stamp: stamp, term: Term(1), kind: kind)
    payload.withUnsafeBytes { machine.apply(header, $0, into: &output) }
  }

  private mutating func risk(_ message: some StreamMessage) {
    var body = ByteWriter()
    body.u8(type(of: message).kind.rawValue)
    message.write(to: &body)
    var writer = ByteWriter()
    writer.blob(body.bytes)
    riskMessages += 1
    sequence += 1
    let header = InputHeader(
      sequence: SequenceNumber(sequence), stamp: stamp, term: Term(1), kind: .stream, source: .risk,
      firstNumber: riskMessages, count: 1)
    let payload = writer.array
    payload.withUnsafeBytes { machine.apply(header, $0, into: &output) }
  }

  /// Applies one action of up to 256 operations; returns its nonce and the nanoseconds that it took.
  @discardableResult
  mutating func act(_ account: UInt32, _ operations: [Market.Operation]) -> (nonce: UInt64, nanoseconds: UInt64) {
    nonce += 1
    stamp = stamp + Self.pace
    encoded.clear()
    let owner = Self.owner(account)
    SignedActionHeader(
      module: .batch, operationCount: UInt16(operations.count), account: AccountID(account), nonce: nonce,
      expiry: UInt64(stamp.seconds) + 1, underlying: UnderlyingID(0), signer: owner, owner: owner,
      signature: RecoverableSignature(r: .zero, s: .zero, recoveryID: 0)
    ).write(to: &encoded)
    for operation in operations { operation.write(to: &encoded) }
    sequence += 1
    let header = InputHeader(sequence: SequenceNumber(sequence), stamp: stamp, term: Term(1), kind: .action)
    let start = DispatchTime.now().uptimeNanoseconds
    machine.apply(header, encoded.bytes, into: &output)
    let end = DispatchTime.now().uptimeNanoseconds
    output.clear()
    return (nonce, end - start)
  }

  /// Goes on with what a step's bound has left; returns the nanoseconds that it took.
  mutating func finish() -> UInt64 {
    var nanoseconds: UInt64 = 0
    while machine.nextDeadline <= stamp {
      sequence += 1
      let header = InputHeader(sequence: SequenceNumber(sequence), stamp: stamp, term: Term(1), kind: .tick)
      let start = DispatchTime.now().uptimeNanoseconds
      machine.apply(header, UnsafeRawBufferPointer(start: nil, count: 0), into: &output)
      nanoseconds += DispatchTime.now().uptimeNanoseconds - start
      output.clear()
    }
    return nanoseconds
  }

  /// Ends the epoch, so that what an epoch gathers stays small.
  mutating func seal() {
    let seal = Seal(
      epoch: machine.epoch, term: Term(1), firstSequence: SequenceNumber(1), lastSequence: SequenceNumber(sequence),
      chainHead: .zero, entryRoot: .zero)
    apply(.seal, seal.encoded)
    output.clear()
  }
}
