import Bytes
import Cryptography
import Machine
import Market

/// The story that all articles tell parts of: one shard, one trader, one epoch.
enum WorkedExample {
  /// The key of EIP-712's own example, Keccak-256 of "cow". Published, so worth nothing.
  static let key = PrivateKey(Keccak256.hash(Array("cow".utf8)))!
  static let account = AccountID(1)
  static let shard = MachineID.shard(ShardID(0))
  static let epoch = Epoch(12)
  static let instant = Timestamp(seconds: 1_800_000_000)

  static func module(_ last: UInt8) -> Address {
    Address(Array("novation".utf8) + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, last])
  }

  /// The domain of the shipped instrument file.
  static let market: MarketDefinition = {
    var parameters = MarketParameters()
    parameters.chainID = 901
    parameters.verifyingContract = module(0)
    parameters.tradeModule = module(1)
    parameters.batchModule = module(2)
    parameters.withdrawalModule = module(3)
    return MarketDefinition(
      currencies: [.init(name: "USDC", underlying: nil, collateralWeight: 1_000_000, token: .zero)],
      underlyings: [.init(name: "BTC", openingIndex: Price(whole: 100_000))], instruments: [], shardCount: 1,
      parameters: parameters)
  }()

  // MARK: The journal

  static let release = Release(account: account, id: 3)
  static let halt = Halt(isHalted: false)
  /// Two messages as they stand on a stream.
  static var messages: [UInt8] { message(release) + message(halt) }

  static func message(_ message: some StreamMessage) -> [UInt8] {
    let layout = [type(of: message).kind.rawValue] + message.encoded
    return littleEndian(UInt32(layout.count)) + layout
  }

  static func header(
    _ sequence: UInt64, _ kind: InputKind, source: MachineID = .none, epoch: Epoch = Epoch(0), first: UInt64 = 0,
    count: UInt16 = 0
  ) -> InputHeader {
    InputHeader(
      sequence: SequenceNumber(sequence), stamp: instant + .milliseconds(Int64(sequence)), term: Term(1), kind: kind,
      source: source, epoch: epoch, firstNumber: first, count: count)
  }

  /// The first batch's inputs.
  static let inputs: [(header: InputHeader, payload: [UInt8])] = [
    (header(1, .tick), []),
    (header(2, .stream, source: .risk, epoch: epoch, first: 41, count: 2), messages),
    (header(3, .sessionEnd), SessionEnd(session: 7, generation: 1).encoded),
  ]

  static func seal(chainHead: Digest, entryRoot: Digest) -> Seal {
    Seal(
      epoch: epoch, term: Term(1), firstSequence: SequenceNumber(1), lastSequence: SequenceNumber(3),
      chainHead: chainHead, entryRoot: entryRoot)
  }

  // MARK: The epoch

  static let fills: [Fill] = [
    fill(1, .taker, account, lots: 2, fee: 6_000_000, consumed: 50_000_000_000),
    fill(2, .maker, AccountID(2), lots: -2, fee: 0, consumed: 48_000_000_000),
  ]

  /// Two lots of 0.001 BTC at 100,000: 200 USD.
  private static func fill(
    _ number: UInt64, _ kind: Fill.Kind, _ account: AccountID, lots: Int64, fee: Int64, consumed: Int64
  ) -> Fill {
    Fill(
      number: number, kind: kind, instrument: InstrumentID(5),
      order: OrderID(account: account, key: .owner, nonce: 1_800_000_000_000, index: 0), lots: Lots(lots),
      price: Price(whole: 100_000), cash: Money(whole: -100 * lots), fee: Money(units: fee),
      consumed: Money(units: consumed))
  }

  static func commitment(_ seal: Seal) -> Commitment {
    var commitment = Commitment(machine: shard, seal: seal)
    commitment.stateHash = 0x0123_4567_89AB_CDEF
    commitment.fillNumber = 2
    commitment.fillRoot = MerkleTree<RFC6962Keccak>.root(fills.map { RFC6962Keccak.leaf($0.encoded) })
    commitment.ledger = [
      .init(account: .house, currency: .usd, amount: Money("0.06")!),
      .init(account: account, currency: .usd, amount: Money("-200.06")!),
      .init(account: AccountID(2), currency: .usd, amount: Money(whole: 200)),
    ]
    commitment.positions = [
      .init(account: account, instrument: InstrumentID(5), lots: Lots(2)),
      .init(account: AccountID(2), instrument: InstrumentID(5), lots: Lots(-2)),
    ]
    return commitment
  }

  static func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
  }
}
